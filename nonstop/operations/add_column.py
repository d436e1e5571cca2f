"""Add a column. PostgreSQL and SQLite both only note it in the catalog; a constant default is stored there too."""

from __future__ import annotations

from sqlalchemy import Connection, MetaData, Table
from sqlalchemy.schema import CreateColumn

from nonstop.databases.base import Database
from nonstop.descriptions.operations import AddColumn, LockClass, Step
from nonstop.operations import catalog


def steps(operation: AddColumn, database: Database) -> list[Step]:
    """One step: a short ACCESS EXCLUSIVE lock, no rewrite (PostgreSQL manual, ALTER TABLE, "Notes")."""
    column = operation.column._copy()
    Table(operation.table, MetaData(), column, schema=operation.schema)
    dialect = database.dialect()
    specification = CreateColumn(column).compile(dialect=dialect)
    table = catalog.quoted(dialect, operation.table, operation.schema)

    def is_done(connection: Connection) -> bool:
        # At the first look: the second is taken under the lock.
        catalog.get_ready_to_compare(connection.dialect)
        existing = catalog.columns(connection, operation.table, operation.schema).get(column.name)
        if existing is None:
            return False
        catalog.compare_column(connection, column, existing)
        return True

    return [
        Step(
            f"add column {operation.table}.{column.name}",
            (f"ALTER TABLE {table} ADD COLUMN {specification}",),
            is_done,
            LockClass.ACCESS_EXCLUSIVE,
            relations=(table,),
        )
    ]
