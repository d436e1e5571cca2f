"""What an SQLite database offers to rehearsals of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nonstop.databases.rehearsal import Rehearsals

if TYPE_CHECKING:
    from nonstop.databases.base import DBAPIConnection
    from nonstop.databases.fingerprint import Snapshot, ValueCounts
    from nonstop.databases.rehearsal import Fenced, Ground
    from nonstop.databases.sqlite import SQLite


class SQLiteRehearsals(Rehearsals):
    """On copies of the file: nobody else has them, and nobody queues for locks."""

    def __init__(self, database: SQLite) -> None:
        self._database = database

    def ground(
        self, rehearsal_url: str | None, tables: frozenset[str] = frozenset(), fenced: Fenced | None = None
    ) -> Ground:
        from nonstop.databases.sqlite_ground import FileGround

        return FileGround(self._database, fenced)  # with all rows of all tables

    def traces(self) -> Mapping[str, str]:
        from nonstop.databases.sqlite_ground import checksums

        return checksums(self._database.path)

    def watch_sessions(self, name: str) -> None:
        return None

    def stand_in(self, is_alone: bool) -> SQLite:
        return self._database

    def lock_sampler(self) -> None:
        return None

    def snapshot(self, connection: DBAPIConnection, own: str) -> Snapshot:
        from nonstop.databases import sqlite_fingerprint

        return sqlite_fingerprint.snapshot(connection, own)

    def value_counts(self, connection: DBAPIConnection, own: str) -> ValueCounts:
        from nonstop.databases import sqlite_fingerprint

        return sqlite_fingerprint.value_counts(connection, own)
