"""Drop a column. PostgreSQL only marks it as dropped; SQLite (3.35 and later) rewrites the table."""

from __future__ import annotations

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.descriptions.operations import DropColumn, LockClass, Step
from nonstop.operations import catalog


def steps(operation: DropColumn, database: Database) -> list[Step]:
    """One step. Where the column is part of a foreign key, its parent is locked too (failure mode C26). It fails, and changes nothing, where an index or a view still needs the column."""
    dialect = database.dialect()
    table = catalog.quoted(dialect, operation.table, operation.schema)
    column = dialect.identifier_preparer.quote(operation.column)

    def is_done(connection: Connection) -> bool:
        return operation.column not in catalog.columns(
            connection, operation.table, operation.schema, missing_ok=True
        )

    return [
        Step(
            f"drop column {operation.table}.{operation.column}",
            (f"ALTER TABLE {table} DROP COLUMN {column}",),
            is_done,
            LockClass.ACCESS_EXCLUSIVE,
            relations=(table,),
            prepare=catalog.with_parents(database, operation.table, operation.schema, operation.column),
        )
    ]
