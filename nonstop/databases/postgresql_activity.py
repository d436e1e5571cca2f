"""Who holds what, and who waits for us: the guard's looks at a PostgreSQL server.

The connection is in autocommit mode, because statistics views are frozen for the length of a transaction (PostgreSQL
manual, "The Cumulative Statistics System"). A plain role does not see when others' transactions began; their
``virtualtransaction`` it sees, prepared ones included, so an age can be measured by looking twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from nonstop.databases import postgresql_replicas
from nonstop.databases.postgresql_session import let_live
from nonstop.descriptions.activity import Holder, Standby, Waiter
from nonstop.descriptions.operations import LockClass

if TYPE_CHECKING:
    from nonstop.databases.postgresql import PostgreSQL

# Of client-less workers only autovacuum's lock tables; their type is hidden from a plain role, their lack of a user is not.
HOLDERS = """
    SELECT DISTINCT l.virtualtransaction, l.pid,
        (extract(epoch FROM clock_timestamp() - a.xact_start) * 1000)::bigint,
        a.pid IS NOT NULL AND a.usesysid IS NULL,
        coalesce(a.query LIKE '%%(to prevent wraparound)%%', false)
    FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'relation' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.relation = ANY (SELECT to_regclass(name)::oid FROM unnest(%s::text[]) AS name)
        AND (l.pid IS NULL OR l.pid <> ALL (%s))"""
# pg_blocking_pids locks the whole lock table for a moment: it is asked only for sessions that wait.
WAITERS = """
    WITH clients AS MATERIALIZED (
        SELECT pid FROM pg_stat_activity WHERE application_name = %(clients)s AND datname = current_database())
    SELECT w.pid, b.pid, (extract(epoch FROM clock_timestamp() - w.since) * 1000)::bigint,
        coalesce(a.state LIKE 'idle in transaction%%', false), b.pid <> ALL (%(ours)s), w.application_name
    FROM (SELECT l.pid, s.application_name, min(l.waitstart) AS since
        FROM pg_locks l JOIN pg_stat_activity s ON s.pid = l.pid
        WHERE NOT l.granted AND l.pid <> ALL (%(ours)s) AND l.pid NOT IN (SELECT pid FROM clients)
            AND s.usesysid IS NOT NULL
        GROUP BY l.pid, s.application_name) w
    CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b(pid)
    LEFT JOIN pg_stat_activity a ON a.pid = b.pid
    WHERE (b.pid = ANY (%(ours)s) OR b.pid IN (SELECT pid FROM clients)) AND w.since IS NOT NULL"""
CONFLICTING = """
    SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'relation' AND granted AND pid = ANY (%s) AND mode = ANY (%s)
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND relation = ANY (SELECT to_regclass(name)::oid FROM unnest(%s::text[]) AS name)"""
# PostgreSQL manual, "Explicit Locking", the table of conflicts; ACCESS EXCLUSIVE conflicts with all of them.
MODES = (
    "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
    "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
)  # fmt: skip
CONFLICTS = {
    LockClass.NONE: MODES[7:],
    LockClass.SHARE_UPDATE_EXCLUSIVE: MODES[3:],
    LockClass.SHARE: (*MODES[2:4], *MODES[5:]),
    LockClass.SHARE_ROW_EXCLUSIVE: MODES[2:],
    LockClass.EXCLUSIVE: MODES[1:],
    LockClass.ACCESS_EXCLUSIVE: MODES,
}
KNOWN = "SELECT oid::bigint FROM pg_class WHERE oid = ANY (%s::oid[])"
DESCRIBE = """
    SELECT a.pid, a.usename, a.application_name, a.state, a.query,
        (extract(epoch FROM clock_timestamp() - a.xact_start))::bigint
    FROM pg_stat_activity a WHERE a.pid = ANY (%s) ORDER BY a.xact_start NULLS LAST"""


class ServerObserver:
    """An :class:`nonstop.descriptions.activity.Observer` on PostgreSQL. Used by one thread at a time.

    ``clients`` is the application_name of a script's other clients, empty where there are none.
    """

    def __init__(self, database: PostgreSQL, clients: str = "") -> None:
        self._clients = clients or None
        self._connection = database.connect(autocommit=True, application_name="nonstop observer")
        let_live(self._connection)

    def holders(self, relations: Sequence[str], ours: Collection[int]) -> list[Holder]:
        rows = self._connection.execute(HOLDERS, (list(relations), [*ours, 0]))
        return [Holder(*row) for row in rows]

    def conflicting(self, relations: Sequence[str], lock: LockClass, among: Collection[int]) -> set[int]:
        rows = self._connection.execute(CONFLICTING, (list(among), list(CONFLICTS[lock]), list(relations)))
        return {pid for (pid,) in rows}

    def known(self, oids: Collection[int]) -> set[int]:
        return {oid for (oid,) in self._connection.execute(KNOWN, (list(oids),))}

    def waiters(self, ours: Collection[int]) -> list[Waiter]:
        parameters = {"ours": [*ours, 0], "clients": self._clients}
        return [Waiter(*row) for row in self._connection.execute(WAITERS, parameters)]

    def cancel(self, session: int) -> None:
        self._connection.execute("SELECT pg_cancel_backend(%s)", (session,))

    def terminate(self, session: int) -> None:
        self._connection.execute("SELECT pg_terminate_backend(%s)", (session,))

    def describe(self, holders: Sequence[Holder]) -> str:
        pids = [holder.pid for holder in holders if holder.pid is not None]
        words = [self._in_words(*row) for row in self._connection.execute(DESCRIBE, (pids,))]
        prepared = len(holders) - len(pids)
        return "; ".join(
            [*words, *([f"{prepared} prepared transaction(s), see pg_prepared_xacts"] if prepared else [])]
        )

    def _in_words(
        self,
        pid: int,
        user: str | None,
        application: str | None,
        state: str | None,
        query: str | None,
        age: int | None,
    ) -> str:
        parts = [f"pid {pid}", f"user {user}" if user else "", application or "", state or ""]
        if age is not None:
            parts.append(f"for {age} s")
        if query:
            parts.append(f"query: {' '.join(query.split())[:120]}")
        return ", ".join(part for part in parts if part)

    def written_up_to(self) -> str:
        return postgresql_replicas.written_up_to(self._connection)

    def standbys_behind(self, position: str, flushed_will_do: bool) -> list[Standby]:
        return postgresql_replicas.standbys_behind(self._connection, position, flushed_will_do)

    def close(self) -> None:
        self._connection.close()
