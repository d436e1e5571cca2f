"""Drop an index: concurrently where the database can (failure modes C6 and C7)."""

from __future__ import annotations

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.descriptions.operations import DropIndex, LockClass, Step
from nonstop.operations import catalog


def steps(operation: DropIndex, database: Database) -> list[Step]:
    """One step. A concurrent drop waits for readers of the table without making others wait for it."""
    name = catalog.quoted(database.dialect(), operation.name, operation.schema)
    concurrently = database.builds_indexes_concurrently

    def is_done(connection: Connection) -> bool:
        return operation.name not in catalog.indexes(
            connection, operation.table, operation.schema, missing_ok=True
        )

    return [
        Step(
            f"drop index {operation.name}",
            (f"DROP INDEX {'CONCURRENTLY ' if concurrently else ''}{name}",),
            is_done,
            LockClass.SHARE_UPDATE_EXCLUSIVE if concurrently else LockClass.NONE,
            in_transaction=not concurrently,
        )
    ]
