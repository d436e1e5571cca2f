"""Tells whether a pooler shares one session between clients (PgBouncer's transaction mode).

Behind such a pooler a session lock excludes nobody and a session setting reaches strangers (failure mode C8).
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from nonstop.databases.base import DBAPIConnection
from nonstop.errors import UsageError

if TYPE_CHECKING:
    from nonstop.databases.postgresql import PostgreSQL

TRIES = 3
"""Other clients may take a session from under the test; three times in a row they hardly do."""


def refuse_shared_sessions(database: PostgreSQL, connection: DBAPIConnection) -> None:
    """Raise UsageError where ``connection``, in autocommit mode, has no session of its own.

    A direct connection is seen at once: the server confirms the process id that it announced. Otherwise a second
    client opens a transaction: in transaction mode it is given the session that the first one just used.
    """
    if connection.info.backend_pid == _session(connection):
        return
    for _ in range(TRIES):
        before = _session(connection)
        with closing(database.connect()) as other:
            if _session(other) == before or _session(connection) != before:
                raise UsageError(
                    f"{database.display} is a connection pooler that shares sessions (transaction mode):"
                    " neither the lock nor a setting would hold",
                    next_step="set MIGRATION_DATABASE_URL to the server's own address",
                )


def _session(connection: DBAPIConnection) -> int:
    """The process id of the server's session that answers now."""
    return int(connection.execute("SELECT pg_backend_pid()").fetchone()[0])
