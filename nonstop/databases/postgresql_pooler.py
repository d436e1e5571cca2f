"""Tells whether a pooler shares one session between clients (PgBouncer's transaction mode).

Behind such a pooler a session lock excludes nobody and a session setting reaches strangers (failure mode C8).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from nonstop.databases.base import DBAPIConnection
from nonstop.databases.postgresql_environment import without_options
from nonstop.errors import UsageError

if TYPE_CHECKING:
    from nonstop.databases.postgresql import PostgreSQL

TRIES = 3
"""Other clients may take a session from under the test; three times in a row they hardly do."""


def is_pooled(connection: DBAPIConnection) -> bool:
    """Whether something stands between: a server confirms the process id that it announced, a pooler can't."""
    return bool(connection.info.backend_pid != _session(connection))


def refuse_shared_sessions(database: PostgreSQL) -> None:
    """Raise UsageError where connections to a pooler have no sessions of their own. Takes two of them for a moment."""
    with closing(database.connect(autocommit=True)) as connection:
        if _is_shared(connection, database.connect):
            raise UsageError(
                f"{database.display} is a connection pooler that shares sessions (transaction mode):"
                " neither the lock nor a setting would hold",
                next_step="set MIGRATION_DATABASE_URL to the server's own address",
            )


def refuse_shared_sessions_of_script(connection: DBAPIConnection, pid: int) -> None:
    """The same for a script's connection, outside a transaction, over which the server called itself ``pid``.

    The address of the application need not be the ledger's.
    """
    if connection.info.backend_pid != pid and _is_shared(connection, lambda: _connect_like(connection)):
        raise UsageError(
            "the script's engine goes through a connection pooler that shares sessions (transaction mode):"
            " neither a limit nor a mark would hold",
            next_step="give the application the server's own address while it migrates",
        )


def _is_shared(connection: DBAPIConnection, connect: Callable[[], DBAPIConnection]) -> bool:
    """Whether a second client that opens a transaction is given the session that the first one just used."""
    for _ in range(TRIES):
        before = _session(connection)
        with closing(connect()) as other:
            if _session(other, stay=True) == before or _session(connection) != before:
                return True
    return False


def _connect_like(connection: DBAPIConnection) -> DBAPIConnection:
    import psycopg

    info = connection.info
    parameters = info.get_parameters() if hasattr(info, "get_parameters") else info.dsn_parameters
    with without_options():  # a pooler refuses who brings what it does not know
        return psycopg.connect(**{**parameters, "password": info.password})


def _session(connection: DBAPIConnection, *, stay: bool = False) -> int:
    """The process id of the server's session that answers now; ``stay`` leaves the transaction open."""
    cursor = connection.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    pid = int(cursor.fetchone()[0])
    if not stay and not connection.autocommit:
        connection.rollback()
    return pid
