"""Drop an index: concurrently where the database can (failure modes C6 and C7)."""

from __future__ import annotations

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.descriptions.operations import DropIndex, LockClass, Step
from nonstop.operations import catalog
from nonstop.operations.partitioned_index import PartitionedIndex


def steps(operation: DropIndex, database: Database) -> list[Step]:
    """One step. A concurrent drop waits for readers of the table without making others wait for it.

    One that is broken off leaves the index INVALID, which no query uses any more: the next run drops it.
    """
    name = catalog.quoted(database.dialect(), operation.name, operation.schema)
    concurrently = database.builds_indexes_concurrently

    def is_done(connection: Connection) -> bool:
        return database.catalog.index(connection, operation.table, operation.name, operation.schema) is None

    def left_nothing(connection: Connection) -> bool:
        existing = database.catalog.index(connection, operation.table, operation.name, operation.schema)
        return existing is None or existing.is_valid

    table = catalog.quoted(database.dialect(), operation.table, operation.schema)
    return [
        Step(
            f"drop index {operation.name}",
            (f"DROP INDEX {'CONCURRENTLY ' if concurrently else ''}{name}",),
            is_done,
            LockClass.SHARE_UPDATE_EXCLUSIVE if concurrently else LockClass.NONE,
            in_transaction=not concurrently,
            relations=(table,),
            prepare=PartitionedIndex(operation, database).drop_whole,
            left_nothing=left_nothing,
        )
    ]
