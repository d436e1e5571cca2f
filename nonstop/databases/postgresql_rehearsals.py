"""What a PostgreSQL database offers to rehearsals of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nonstop.databases.rehearsal import Rehearsals

if TYPE_CHECKING:
    from nonstop.databases.base import DBAPIConnection
    from nonstop.databases.fingerprint import Snapshot, ValueCounts
    from nonstop.databases.postgresql import PostgreSQL
    from nonstop.databases.rehearsal import Fenced, Ground, SessionWatch
    from nonstop.descriptions.activity import LockSampler


class PostgreSQLRehearsals(Rehearsals):
    """On a server: scratch databases, sessions, locks."""

    def __init__(self, database: PostgreSQL) -> None:
        self._database = database

    def ground(
        self, rehearsal_url: str | None, tables: frozenset[str] = frozenset(), fenced: Fenced | None = None
    ) -> Ground:
        from nonstop.databases.postgresql_place import open_ground

        return open_ground(self._database, rehearsal_url, tables, fenced)

    def traces(self) -> Mapping[str, str]:
        from nonstop.databases.postgresql_traces import traces

        return traces(self._database)

    def watch_sessions(self, name: str) -> SessionWatch:
        from nonstop.databases.postgresql_traces import Sightings

        return Sightings(self._database, name)

    def stand_in(self, is_alone: bool) -> PostgreSQL:
        from nonstop.databases.postgresql_rehearsed import LonelyPostgreSQL, RehearsedPostgreSQL

        return (LonelyPostgreSQL if is_alone else RehearsedPostgreSQL)(self._database.url)

    def read_ahead(self, statements: Sequence[str]) -> None:
        from nonstop.databases.postgresql_doomed import outlook

        for statement in statements:
            outlook(statement)

    def lock_sampler(self) -> LockSampler:
        from nonstop.databases.postgresql_rehearsed import ServerLockSampler

        return ServerLockSampler(self._database)

    def snapshot(self, connection: DBAPIConnection, own: str) -> Snapshot:
        from nonstop.databases import postgresql_fingerprint

        return postgresql_fingerprint.snapshot(connection, own)

    def value_counts(self, connection: DBAPIConnection, own: str) -> ValueCounts:
        from nonstop.databases import postgresql_fingerprint

        return postgresql_fingerprint.value_counts(connection, own)
