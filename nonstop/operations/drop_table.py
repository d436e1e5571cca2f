"""Drop a table."""

from __future__ import annotations

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.descriptions.operations import DropTable, LockClass, Step
from nonstop.operations import catalog


def steps(operation: DropTable, database: Database) -> list[Step]:
    """One step. A foreign key of the table locks its parent too (failure mode C26); what depends on it stops it."""
    table = catalog.quoted(database.dialect(), operation.table, operation.schema)

    def is_done(connection: Connection) -> bool:
        return not database.has_relation(connection, operation.table, operation.schema)

    return [
        Step(
            f"drop table {operation.table}",
            (f"DROP TABLE {table}",),
            is_done,
            LockClass.ACCESS_EXCLUSIVE,
            relations=(table,),
            prepare=catalog.with_parents(database, operation.table, operation.schema),
        )
    ]
