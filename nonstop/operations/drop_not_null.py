"""Let a column take NULL."""

from __future__ import annotations

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.descriptions.operations import DropNotNull, LockClass, Step
from nonstop.operations import catalog, rebuild


def steps(operation: DropNotNull, database: Database) -> list[Step]:
    """One step: a short ACCESS EXCLUSIVE lock, nothing is read or written; or the table made anew."""
    dialect = database.dialect()
    table = catalog.quoted(dialect, operation.table, operation.schema)
    column = dialect.identifier_preparer.quote(operation.column)
    summary = f"let {operation.table}.{operation.column} be NULL"

    def is_done(connection: Connection) -> bool:
        where = (operation.table, operation.column, operation.schema)
        catalog.require_column(database, connection, *where)
        return not database.catalog.is_not_null(connection, *where)

    if not database.alters_in_place:
        return [
            rebuild.step(
                database,
                summary,
                operation.table,
                lambda old: old.without_clause(operation.column, "NOT"),
                is_done,
            )
        ]
    statement = f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL"
    return [Step(summary, (statement,), is_done, LockClass.ACCESS_EXCLUSIVE, relations=(table,))]
