"""Let a column take NULL."""

from __future__ import annotations

from nonstop.databases.base import Database
from nonstop.descriptions.operations import DropNotNull, Step
from nonstop.operations import alter_column


def steps(operation: DropNotNull, database: Database) -> list[Step]:
    """One step."""
    where = (operation.table, operation.column, operation.schema)
    return alter_column.steps(
        database,
        where,
        f"let {operation.table}.{operation.column} be NULL",
        "DROP NOT NULL",
        lambda old: old.without_clause(operation.column, "NOT"),
        lambda connection: not database.catalog.is_not_null(connection, *where),
    )
