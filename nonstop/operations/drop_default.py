"""Take a column's default away. Rows that are there keep their values."""

from __future__ import annotations

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.descriptions.operations import DropDefault, LockClass, Step
from nonstop.operations import catalog, rebuild


def steps(operation: DropDefault, database: Database) -> list[Step]:
    """One step: a short ACCESS EXCLUSIVE lock, nothing is read or written; or the table made anew."""
    dialect = database.dialect()
    table = catalog.quoted(dialect, operation.table, operation.schema)
    column = dialect.identifier_preparer.quote(operation.column)
    summary = f"drop the default of {operation.table}.{operation.column}"

    def is_done(connection: Connection) -> bool:
        where = (operation.table, operation.column, operation.schema)
        catalog.require_column(database, connection, *where)
        return database.catalog.default(connection, *where) is None

    if not database.alters_in_place:
        return [
            rebuild.step(
                database,
                summary,
                operation.table,
                lambda old: old.without_clause(operation.column, "DEFAULT"),
                is_done,
            )
        ]
    statement = f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT"
    return [Step(summary, (statement,), is_done, LockClass.ACCESS_EXCLUSIVE, relations=(table,))]
