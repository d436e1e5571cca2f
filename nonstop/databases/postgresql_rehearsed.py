"""PostgreSQL for scripts that are rehearsed: nothing is too small to be blocked, and every statement's effect is looked at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING

from nonstop.databases.base import DBAPIConnection, Look
from nonstop.databases.postgresql import PostgreSQL
from nonstop.databases.postgresql_activity import ServerObserver
from nonstop.databases.postgresql_effects import MODES, look_at_all
from nonstop.databases.wording import is_write
from nonstop.descriptions.activity import Holder, LockSample
from nonstop.descriptions.statements import Kind, Reached

if TYPE_CHECKING:
    from nonstop.databases.base import Database
    from nonstop.descriptions.activity import Observer

AS_IN_PRODUCTION = 1 << 50
"""Bytes that every table counts as having: how large it is where the script will run in the end, nobody knows here."""
LOCKS = """
    SELECT l.pid, l.relation::regclass::text, l.mode, l.granted, left(a.query, 200)
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid JOIN pg_class c ON c.oid = l.relation
    WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND a.application_name LIKE 'nonstop 2%%' AND l.mode = ANY (%s) AND c.oid >= 16384
        AND c.relkind IN ('r', 'p', 'm', 'v')"""


class RehearsedPostgreSQL(PostgreSQL):
    """A scratch database that stands for a large one."""

    def size(self, connection: DBAPIConnection, tables: Sequence[Reached]) -> int:
        return AS_IN_PRODUCTION

    def look_before(self, connection: DBAPIConnection, statement: str) -> Look | None:
        return look_at_all(connection) if self._may_change(statement) else None

    def _may_change(self, statement: str) -> bool:
        if is_write(statement):
            return True
        # A query of the catalog (SQLAlchemy's are long) changes nothing; others may call a function that does.
        return "pg_catalog." not in statement and any(
            need.kind is Kind.UNKNOWN for _, need in self.needs_of(statement)
        )


class LonelyPostgreSQL(RehearsedPostgreSQL):
    """One that nobody else uses: no session waits for ours, so none has to be looked out for."""

    def observer(self, owner: str = "") -> Observer | None:  # type: ignore[override]
        return None if owner else LonelyObserver(self)


class LonelyObserver(ServerObserver):
    """Sees nobody without looking; connects for what depends on our own transactions only."""

    def __init__(self, database: PostgreSQL) -> None:
        self._connect = partial(super().__init__, database)
        self._is_connected = False

    def holders(self, relations: Sequence[str], ours: Collection[int]) -> list[Holder]:
        return []

    def known(self, oids: Collection[int]) -> set[int]:
        if not self._is_connected:
            self._connect()
            self._is_connected = True
        return super().known(oids)

    def written_up_to(self) -> str:
        return ""

    def close(self) -> None:
        if self._is_connected:
            super().close()


class ServerLockSampler:
    """Samples what the sessions of runs lock, from an autocommit connection."""

    def __init__(self, database: Database) -> None:
        self._connection = database.connect()
        self._connection.autocommit = True

    def sample(self) -> list[LockSample]:
        with self._connection.cursor() as cursor:
            cursor.execute(LOCKS, ([*MODES],))
            rows = cursor.fetchall()
        return [LockSample(pid, table, MODES[mode], held, query) for pid, table, mode, held, query in rows]

    def close(self) -> None:
        self._connection.close()
