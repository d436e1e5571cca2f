"""Take a column's default away. Rows that are there keep their values."""

from __future__ import annotations

from nonstop.databases.base import Database
from nonstop.descriptions.operations import DropDefault, Step
from nonstop.operations import alter_column


def steps(operation: DropDefault, database: Database) -> list[Step]:
    """One step."""
    where = (operation.table, operation.column, operation.schema)
    return alter_column.steps(
        database,
        where,
        f"drop the default of {operation.table}.{operation.column}",
        "DROP DEFAULT",
        lambda old: old.without_clause(operation.column, "DEFAULT"),
        lambda connection: database.catalog.default(connection, *where) is None,
    )
