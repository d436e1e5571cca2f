"""The verbs that a migration script calls: idempotent, online where the database can, the same on both databases.

Each verb describes what is wanted and hands the description to the runner. Calling one outside a run raises
UsageError: run the script with ``run_migrations.py``, or directly as ``python 001_x.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nonstop.descriptions.operations import (
    AddColumn,
    CreateIndex,
    CreateTable,
    DropColumn,
    DropIndex,
    DropTable,
    Operation,
    current_executor,
)
from nonstop.errors import UsageError, ValidationError

if TYPE_CHECKING:
    from sqlalchemy import Column
    from sqlalchemy.schema import SchemaItem

__all__ = ["add_column", "create_index", "create_table", "drop_column", "drop_index", "drop_table"]


def create_table(name: str, *items: SchemaItem, schema: str | None = None) -> None:
    """Create a table from SQLAlchemy columns, constraints and indexes.

    A table of that name which has all that is described is adopted; DefinitionConflict is raised where it differs.
    """
    from sqlalchemy import Column, MetaData, Table

    metadata = MetaData()
    table = Table(name, metadata, *items, schema=schema)
    for key in table.foreign_keys:
        # SQLAlchemy names a foreign key's target through its table: stand one in for each that is elsewhere.
        parent, _, column = key.target_fullname.rpartition(".")
        if parent not in metadata.tables:
            target_schema, _, target = parent.rpartition(".")
            Table(target, metadata, Column(column), schema=target_schema or None)
        elif column not in metadata.tables[parent].c:
            metadata.tables[parent].append_column(Column(column))
    _execute(CreateTable(table))


def drop_table(name: str, *, schema: str | None = None) -> None:
    """Drop a table; nothing happens where there is none."""
    _execute(DropTable(name, schema))


def add_column(table: str, column: Column[Any], *, schema: str | None = None) -> None:
    """Add a column to a table that is in use: nullable, or with a server default.

    Raises ValidationError for a column that code which is running could not insert without, and for an index,
    a uniqueness or a foreign key inside the column, which have verbs of their own.
    """
    name = f"{table}.{column.name}"
    if not column.nullable and column.server_default is None:
        raise ValidationError(
            f"op.add_column: {name} is NOT NULL and has no server default; code that does not name it could not insert",
            next_step="add it nullable first (nullable=True), or give it a server_default",
        )
    if column.index or column.unique or column.foreign_keys or column.constraints or column.primary_key:
        raise ValidationError(
            f"op.add_column: {name} carries an index, a key or a constraint",
            next_step="add the plain column, then the rest with its own verb (op.create_index)",
        )
    _execute(AddColumn(table, column, schema))


def drop_column(table: str, column: str, *, schema: str | None = None) -> None:
    """Drop a column; nothing happens where there is none."""
    _execute(DropColumn(table, column, schema))


def create_index(
    name: str, table: str, columns: Sequence[str], *, unique: bool = False, schema: str | None = None
) -> None:
    """Create an index on columns, without blocking writers where the database can."""
    if isinstance(columns, str):
        raise ValidationError(
            f"op.create_index: the columns of {name} are one string",
            next_step=f"write them as a list: [{columns!r}]",
        )
    _execute(CreateIndex(name, table, tuple(columns), unique, schema))


def drop_index(name: str, table: str, *, schema: str | None = None) -> None:
    """Drop an index of ``table``; nothing happens where there is none."""
    _execute(DropIndex(name, table, schema))


def _execute(operation: Operation) -> None:
    executor = current_executor.get()
    if executor is None:
        raise UsageError(
            "op works only while a migration runs",
            next_step="run it with run_migrations.py apply, or as python 001_the_script.py",
        )
    executor.execute(operation)
