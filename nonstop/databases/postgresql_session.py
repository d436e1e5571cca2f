"""What the sessions under a script are set to, and how each gets its own settings back.

Backstops: the guard's own limits (a lock_timeout before each strong statement, the watchdog, the deadline) end things
long before. These hold where nobody is left to watch: the runner was killed, frozen, or cut off from the server. What a
role or an application has set for its web requests would break a migration's long steps (failure modes C20, C31, C33),
so it is overridden while a script has the session, and given back afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nonstop.databases.base import DBAPIConnection

CHECK_CLIENT_EVERY = "200ms"
"""How soon a server ends the statement of a client that was killed (client_connection_check_interval, C15)."""
LONGEST_STATEMENT = 24 * 3600
"""Seconds. A validation or a concurrent build of a huge table takes hours and holds nobody up; a day is a mistake."""
AFTER_THE_DEADLINE = 30
"""Seconds: a runner breaks its statement off at its deadline by itself, and then undoes and notes what there is."""
LONGEST_LOCK_WAIT = "1h"
"""For locks that nobody queues behind (rows, SHARE UPDATE EXCLUSIVE, old snapshots); never without an end."""
LONGEST_IDLE = "1h"
"""Idle in a transaction: longer than the ten minutes that a script may wait outside the queue after it has read."""
IDLE_WITH_STRONG_LOCK = "30s"
"""
The same after a strong lock was asked for. While the runner lives, its watchdog ends such a session at 60 % of the
blocking budget as soon as somebody waits for it. A frozen runner (SIGSTOP, a paused machine) has a frozen watchdog, and
its open connection tells the server nothing: then the application must not stand still for as long as it likes.
"""
KEEPALIVES = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
"""A runner whose machine is gone is noticed after 25 seconds, not after the two hours that are usual. TCP only."""
WITH_TRANSACTION_TIMEOUT = 170000
"""The first server version that has transaction_timeout."""

# `was` is read before anything is set: it comes from below the node that calls set_config.
PREPARE = """
    WITH before AS MATERIALIZED (SELECT pg_backend_pid() AS pid, ARRAY(
        SELECT current_setting(name) FROM unnest(%(names)s::text[]) WITH ORDINALITY AS s(name, n) ORDER BY n) AS was)
    SELECT pid, was, (SELECT count(set_config(name, value, false))
        FROM unnest(%(names)s::text[], %(values)s::text[]) AS s(name, value)), pg_advisory_lock_shared(%(key)s)
    FROM before"""
RESTORE = """
    SELECT pg_advisory_unlock_shared(%(key)s), (SELECT count(set_config(name, value, false))
        FROM unnest(%(names)s::text[], %(values)s::text[]) AS s(name, value))"""
LIMIT_IN_TRANSACTION = """
    SELECT set_config('lock_timeout', %s, true), set_config('idle_in_transaction_session_timeout', %s, true)"""
LIMIT_IN_AUTOCOMMIT = """
    WITH before AS MATERIALIZED (SELECT current_setting('lock_timeout') AS was)
    SELECT was, set_config('lock_timeout', %s, false) FROM before"""
SET = """
    SELECT count(set_config(name, value, false)) FROM unnest(%(names)s::text[], %(values)s::text[]) AS s(name, value)"""
IN_FAILED_TRANSACTION = 3
"""libpq's PQTRANS_INERROR."""


def backstops(owner: str, seconds_left: float | None, server_version: int) -> dict[str, str]:
    """The settings of a session that works for ``owner``, whose deadline is in ``seconds_left`` (None: it has none)."""
    longest = float(LONGEST_STATEMENT)
    if seconds_left is not None:
        longest = min(longest, max(seconds_left, 0) + AFTER_THE_DEADLINE)
    settings = {
        "application_name": owner,
        "client_connection_check_interval": CHECK_CLIENT_EVERY,
        "statement_timeout": f"{round(longest * 1000)}ms",
        "lock_timeout": LONGEST_LOCK_WAIT,
        "idle_in_transaction_session_timeout": LONGEST_IDLE,
        "idle_session_timeout": "0",  # such a session holds no lock on a table
        **KEEPALIVES,
    }
    if server_version >= WITH_TRANSACTION_TIMEOUT:
        # It ends the session, where statement_timeout only ends the statement: that comes first (C31).
        settings["transaction_timeout"] = f"{round((longest + AFTER_THE_DEADLINE) * 1000)}ms"
    return settings


def let_live(connection: DBAPIConnection) -> None:
    """Keep a role's timeouts from ending a session of our own that only looks, or holds the runner's lock."""
    settings = {"statement_timeout": "0", "idle_session_timeout": "0", **KEEPALIVES}
    if connection.info.server_version >= WITH_TRANSACTION_TIMEOUT:
        settings["transaction_timeout"] = "0"
    connection.execute(SET, {"names": [*settings], "values": [*settings.values()]})


@dataclass(slots=True)
class _Prepared:
    """What a session was like before we came. ``pid`` is the server's word: a pooler announces another number."""

    pid: int
    settings: Mapping[str, str]
    lock_timeout: str | None = None
    """In autocommit mode, while a strong statement is limited: what to set back after it."""


class Sessions:
    """The sessions that are under a script now, by their driver's connection (psycopg or psycopg2)."""

    def __init__(self) -> None:
        self._prepared: dict[int, _Prepared] = {}

    def prepare(
        self, connection: DBAPIConnection, owner: str, seconds_left: float | None, work_key: int
    ) -> None:
        """Name and bound the session, and mark it by a shared lock: a later runner waits until it has ended.

        So that runner can't overlap a statement that outlived the one who sent it.
        """
        settings = backstops(owner, seconds_left, connection.info.server_version)
        parameters = {"names": [*settings], "values": [*settings.values()], "key": work_key}
        cursor = connection.cursor()
        cursor.execute(PREPARE, parameters)
        pid, was, *_ = cursor.fetchone()
        connection.commit()
        self._prepared[id(connection)] = _Prepared(pid, dict(zip(settings, was, strict=True)))

    def restore(self, connection: DBAPIConnection, work_key: int) -> None:
        """Give back what :meth:`prepare` took, and what the script has set since."""
        prepared = self._prepared.pop(id(connection), None)
        settings = prepared.settings if prepared else {}
        parameters = {"names": [*settings], "values": [*settings.values()], "key": work_key}
        connection.cursor().execute(RESTORE, parameters)
        connection.commit()

    def pid(self, connection: DBAPIConnection) -> int:
        """The server's process of the session."""
        prepared = self._prepared.get(id(connection))
        return prepared.pid if prepared else int(connection.info.backend_pid)

    def limit(self, connection: DBAPIConnection, milliseconds: int) -> None:
        """Let the session wait no longer for a lock: to the end of its transaction, or until :meth:`lift`.

        Whatever the script itself has set: a ``SET lock_timeout = 0`` holds only until its next strong statement.
        """
        cursor = connection.cursor()
        if not connection.autocommit:
            cursor.execute(LIMIT_IN_TRANSACTION, (f"{milliseconds}ms", IDLE_WITH_STRONG_LOCK))
            return
        cursor.execute(LIMIT_IN_AUTOCOMMIT, (f"{milliseconds}ms",))
        was = cursor.fetchone()[0]
        prepared = self._prepared.get(id(connection))
        if prepared is not None and prepared.lock_timeout is None:
            prepared.lock_timeout = was

    def lift(self, connection: DBAPIConnection) -> None:
        """Undo :meth:`limit` in autocommit mode; a transaction's end has undone it elsewhere."""
        prepared = self._prepared.get(id(connection))
        if prepared is None or prepared.lock_timeout is None or connection.closed:
            return
        if int(connection.info.transaction_status) == IN_FAILED_TRANSACTION:
            return  # one that the script began with a BEGIN of its own: its rollback undoes the limit too
        connection.cursor().execute("SELECT set_config('lock_timeout', %s, false)", (prepared.lock_timeout,))
        prepared.lock_timeout = None
