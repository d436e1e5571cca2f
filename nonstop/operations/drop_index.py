"""Drop an index: concurrently where the database can (failure modes C6 and C7)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.descriptions.operations import DropIndex, LockClass, Step
from nonstop.operations import catalog, online_forms
from nonstop.operations.partitioned_index import PartitionedIndex


def steps(operation: DropIndex, database: Database) -> list[Step]:
    """One step. A concurrent drop waits for readers of the table without making others wait for it.

    One that is broken off leaves the index INVALID, which no query uses any more: the next run drops it.
    """
    name = catalog.quoted(database.dialect(), operation.name, operation.schema)

    def state(connection: Connection) -> bool | None:
        existing = database.catalog.index(connection, operation.table, operation.name, operation.schema)
        return None if existing is None else existing.is_valid

    if not database.builds_indexes_concurrently:
        return [
            Step(
                f"drop index {operation.name}",
                (f"DROP INDEX {name}",),
                lambda connection: state(connection) is None,
                LockClass.NONE,
            )
        ]
    table = catalog.quoted(database.dialect(), operation.table, operation.schema)
    drop = online_forms.drop_concurrently(f"DROP INDEX CONCURRENTLY {name}", operation.name, state, (table,))
    return [replace(drop, prepare=PartitionedIndex(operation, database).drop_whole)]
