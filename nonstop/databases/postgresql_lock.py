"""The runner's lock on PostgreSQL: a session advisory lock on a connection of its own.

The connection is in autocommit mode and polls: a session that waits inside a transaction holds a snapshot, for
which CREATE INDEX CONCURRENTLY would wait in turn (PostgreSQL manual, "Building Indexes Concurrently").
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from nonstop.databases.base import DBAPIConnection
from nonstop.databases.postgresql_environment import CLIENT_OF, client_of
from nonstop.databases.postgresql_errors import lost_lock
from nonstop.databases.postgresql_pooler import is_pooled, refuse_shared_sessions
from nonstop.databases.postgresql_session import let_live
from nonstop.errors import DatabaseUnreachable, LockNotObtained

if TYPE_CHECKING:
    from nonstop.databases.postgresql import PostgreSQL

# pg_locks shows a 64-bit key as two halves: classid is the upper one, objid the lower one.
HELD_KEY = "l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND (l.classid::bigint << 32) | l.objid::bigint = %s"
CONNECTED_TO_LOCKED_DATABASE = (
    "SELECT pg_backend_pid() FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
    f" WHERE {HELD_KEY} AND d.datname = current_database()"
)
HOLDERS = (
    "SELECT l.pid, a.application_name, a.usename, host(a.client_addr),"
    " to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') FROM pg_locks l"
    " JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()"
    f" LEFT JOIN pg_stat_activity a ON a.pid = l.pid WHERE {HELD_KEY} AND l.pid <> pg_backend_pid() ORDER BY l.pid"
)

# What a child process of a killed runner does. One that is idle does nothing (the state of others' may be hidden).
CLIENTS = (
    "SELECT pid, application_name, usename, host(client_addr),"
    " to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') FROM pg_stat_activity"
    f" WHERE datname = current_database() AND split_part(application_name, '{CLIENT_OF}', 2) = %s"
    " AND state IS DISTINCT FROM 'idle' ORDER BY pid"
)


def lock_key(name: str) -> int:
    """The key of the lock that one runner holds; advisory locks are per database already."""
    return _key(f"nonstop runner {name}")


def work_key(name: str) -> int:
    """The key that every session of a running script shares."""
    return _key(f"nonstop work {name}")


def _key(text: str) -> int:
    # 63 bits, so that the halves in pg_locks add up to the same, positive, number.
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


class AdvisoryRunnerLock:
    """Held from :meth:`try_acquire` until :meth:`release` or the end of the session."""

    def __init__(self, database: PostgreSQL, name: str, owner: str) -> None:
        self._key = lock_key(name)
        self._work_key = work_key(name)
        self._clients = client_of(name)
        self._waiting_for = self._key
        self._database = database
        self._owner = owner
        self._connection = self._connect()
        self._is_to_be_checked = is_pooled(self._connection)

    def try_acquire(self) -> bool:
        """Take the lock, then see that no session of an earlier runner or of its script is still at work.

        A server or a pooler that has no connection to give just now is one whose lock is not free.
        """
        self._waiting_for = self._key
        if self._connection.closed:
            try:
                self._connection = self._connect()
            except DatabaseUnreachable:
                return False
        if self._is_to_be_checked and not self._check_pooler():
            return False
        if not self._ask("SELECT pg_try_advisory_lock(%s)", self._key):
            return False
        if self._ask("SELECT pg_try_advisory_lock(%s)", self._work_key):
            self._ask("SELECT pg_advisory_unlock(%s)", self._work_key)
            if not self._ask(f"SELECT EXISTS ({CLIENTS})", self._clients):
                return True
        self._ask("SELECT pg_advisory_unlock(%s)", self._key)
        self._waiting_for = self._work_key
        return False

    def _check_pooler(self) -> bool:
        """Refuse a pooler that shares sessions; False where another runner is at work, which may need all of its pool.

        The lock for that is one of a transaction: it goes with it whichever session the next statement gets.
        """
        try:
            self._connection.execute("BEGIN")
            if not self._ask("SELECT pg_try_advisory_xact_lock(%s)", self._key):
                return False
            refuse_shared_sessions(self._database)
        finally:
            self._connection.execute("ROLLBACK")
        self._is_to_be_checked = False
        return True

    def step_back(self) -> None:
        """Give the connection back: waiting runners would use up a small pool, and the one at work could not go on."""
        self._connection.close()

    def holder(self) -> str:
        if self._connection.closed:
            return ""
        rows = self._connection.execute(HOLDERS, (self._waiting_for,)).fetchall()
        if not rows and self._waiting_for == self._work_key:
            rows = self._connection.execute(CLIENTS, (self._clients,)).fetchall()
        if not rows:
            return ""
        pid, application, user, client, since = rows[0]
        parts = [
            f"pid {pid}",
            application or "",
            f"user {user}" if user else "",
            f"from {client}" if client else "",
        ]
        return ", ".join([part for part in parts if part] + ([f"since {since} UTC"] if since else []))

    def verify(self) -> None:
        try:
            self._ask("SELECT true")
        except LockNotObtained:
            raise
        except Exception as error:
            raise lost_lock(error) from error

    def release(self) -> None:
        self._connection.close()

    def _connect(self) -> DBAPIConnection:
        connection = self._database.connect(autocommit=True, application_name=self._owner)
        let_live(connection)
        return connection

    def _ask(self, statement: str, *parameters: object) -> bool:
        row = self._connection.execute(statement, parameters).fetchone()
        return bool(row and row[0])
