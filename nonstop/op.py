"""The verbs that a migration script calls: idempotent, online where the database can, the same on both databases.

Each verb describes what is wanted and hands the description to the runner. Calling one outside a run raises
UsageError: run the script with ``run_migrations.py``, or directly as ``python 001_x.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from nonstop.descriptions import by_hand
from nonstop.descriptions.operations import (
    AddCheck,
    AddColumn,
    AddEnumValue,
    AddForeignKey,
    AddPrimaryKey,
    AddUnique,
    CreateIndex,
    CreateTable,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropIndex,
    DropNotNull,
    DropTable,
    Execute,
    Operation,
    RenameTable,
    SetDefault,
    SetNotNull,
    ValidateConstraint,
    current_executor,
)
from nonstop.errors import Refused, UsageError, ValidationError

if TYPE_CHECKING:
    from sqlalchemy import Column
    from sqlalchemy.schema import SchemaItem
    from sqlalchemy.sql.expression import TextClause

__all__ = [
    "add_check",
    "add_column",
    "add_enum_value",
    "add_foreign_key",
    "add_primary_key",
    "add_unique",
    "alter_type",
    "backfill",
    "create_index",
    "create_table",
    "drop_column",
    "drop_constraint",
    "drop_default",
    "drop_index",
    "drop_not_null",
    "drop_table",
    "execute",
    "irreversible",
    "rename_column",
    "rename_table",
    "set_default",
    "set_not_null",
    "validate_constraint",
]
ACTIONS = ("CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION")


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


def set_default(table: str, column: str, default: object, *, schema: str | None = None) -> None:
    """Set the default for rows to come. ``default`` is a value, or SQL as ``text("now()")``."""
    _execute(SetDefault(table, column, default, schema))


def drop_default(table: str, column: str, *, schema: str | None = None) -> None:
    """Take a column's default away."""
    _execute(DropDefault(table, column, schema))


def set_not_null(table: str, column: str, *, schema: str | None = None) -> None:
    """Make a column NOT NULL. Raises ValidationError, before anything is done, where rows have none."""
    _execute(SetNotNull(table, column, schema))


def drop_not_null(table: str, column: str, *, schema: str | None = None) -> None:
    """Let a column be NULL."""
    _execute(DropNotNull(table, column, schema))


def rename_table(table: str, new_name: str, *, schema: str | None = None) -> None:
    """Rename a table that no running code uses by its old name."""
    _execute(RenameTable(table, new_name, schema))


def add_check(name: str, table: str, condition: str, *, schema: str | None = None) -> None:
    """Add a check; ``condition`` is SQL. Raises ValidationError, before anything is done, where rows break it."""
    _execute(AddCheck(name, table, condition, schema))


def add_foreign_key(  # noqa: PLR0913  # each keyword is a part of the key
    name: str,
    table: str,
    columns: Sequence[str],
    referred_table: str,
    referred_columns: Sequence[str],
    *,
    on_delete: str | None = None,
    on_update: str | None = None,
    schema: str | None = None,
    referred_schema: str | None = None,
) -> None:
    """Add a foreign key. Raises ValidationError, before anything is done, where rows refer to nothing.

    ``on_delete`` and ``on_update`` are "CASCADE", "SET NULL", "SET DEFAULT" or "RESTRICT".
    """
    for action in (on_delete, on_update):
        if action is not None and action.upper() not in ACTIONS:
            raise ValidationError(
                f"op.add_foreign_key: {action!r} is no action", next_step=f"write one of {', '.join(ACTIONS)}"
            )
    _execute(
        AddForeignKey(
            name,
            table,
            _names("add_foreign_key", name, columns),
            referred_table,
            _names("add_foreign_key", name, referred_columns),
            on_delete.upper() if on_delete else None,
            on_update.upper() if on_update else None,
            schema,
            referred_schema or schema,
        )
    )


def add_unique(name: str, table: str, columns: Sequence[str], *, schema: str | None = None) -> None:
    """Make columns unique. Raises ValidationError, before anything is done, where values stand in several rows."""
    _execute(AddUnique(name, table, _names("add_unique", name, columns), schema))


def add_primary_key(name: str, table: str, columns: Sequence[str], *, schema: str | None = None) -> None:
    """Give a table a primary key. Raises ValidationError, before anything is done, where rows have no key of their own."""
    _execute(AddPrimaryKey(name, table, _names("add_primary_key", name, columns), schema))


def validate_constraint(name: str, table: str, *, schema: str | None = None) -> None:
    """Validate a constraint that was added NOT VALID, beside readers and writers."""
    _execute(ValidateConstraint(name, table, schema))


def drop_constraint(name: str, table: str, *, schema: str | None = None) -> None:
    """Drop a check, a foreign key, a uniqueness or a primary key; nothing happens where there is none of that name."""
    _execute(DropConstraint(name, table, schema))


def create_index(  # noqa: PLR0913  # each keyword is a part of the index
    name: str,
    table: str,
    columns: Sequence[str | TextClause],
    *,
    unique: bool = False,
    where: str | None = None,
    include: Sequence[str] = (),
    method: str | None = None,
    schema: str | None = None,
) -> None:
    """Create an index, without blocking writers where the database can.

    ``columns`` are names, or expressions and orders as ``text("lower(email)")``, ``text("created_at DESC")``; ``where``
    is the SQL condition of a partial index. ``include`` and ``method`` ("gin", "hash" …) mean something on PostgreSQL
    only: elsewhere the index is made without them.
    """
    keys = tuple(_list("create_index", name, columns))
    _execute(CreateIndex(name, table, keys, unique, schema, where, tuple(include), method))


def drop_index(name: str, table: str, *, schema: str | None = None) -> None:
    """Drop an index of ``table``; nothing happens where there is none."""
    _execute(DropIndex(name, table, schema))


def add_enum_value(
    type: str, value: str, *, before: str | None = None, after: str | None = None, schema: str | None = None
) -> None:
    """Add a value to an enumerated type, at its end or beside another value. There is no way to take it back."""
    if before is not None and after is not None:
        raise ValidationError(
            "op.add_enum_value: both before and after are given", next_step="give one of them"
        )
    _execute(AddEnumValue(type, value, before, after, schema))


def execute(
    sql: str,
    *,
    done_when: str | None = None,
    undo: str | None = None,
    tables: Sequence[str] = (),
    in_transaction: bool = True,
) -> None:
    """Send SQL of your own: one statement, or on PostgreSQL several with semicolons between them, in one transaction.

    ``done_when`` is a query: where its first value is true the SQL is not sent, and afterwards it must be true. Without
    it the SQL is sent on each run. ``undo`` is sent when the SQL fails; it cleans up what a statement left that can't run
    in a transaction (``in_transaction=False``). ``tables`` are those that the SQL locks strongly.
    """
    _execute(Execute(sql, done_when, undo, tuple(tables), in_transaction))


def irreversible(why: str) -> NoReturn:
    """Say in ``rollback()`` that there is no way back. Raises Refused."""
    raise Refused(
        f"this migration can't be rolled back: {why}",
        next_step="leave it applied, or restore the backup that was taken before it",
    )


# --- verbs that are still to come -----------------------------------------------------------------------------


def rename_column(table: str, column: str, new_name: str, *, schema: str | None = None) -> NoReturn:
    """Not there yet. Raises Refused with the steps by which it is done by hand."""
    raise by_hand.rename_column(_qualified(table, schema), column, new_name)


def alter_type(
    table: str, column: str, type: object, *, using: str | None = None, schema: str | None = None
) -> NoReturn:
    """Not there yet. Raises Refused with the steps by which it is done by hand."""
    raise by_hand.alter_type(_qualified(table, schema), column, getattr(type, "__name__", str(type)))


def backfill(
    table: str, column: str, expression: str, *, where: str | None = None, schema: str | None = None
) -> NoReturn:
    """Not there yet. Raises Refused with the steps by which it is done by hand."""
    raise by_hand.backfill(_qualified(table, schema), column, expression)


def _qualified(table: str, schema: str | None) -> str:
    return f"{schema}.{table}" if schema else table


# --- details --------------------------------------------------------------------------------------------------


def _names(verb: str, name: str, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(_list(verb, name, columns))


def _list(verb: str, name: str, columns: Sequence[Any]) -> Sequence[Any]:
    if isinstance(columns, str):
        raise ValidationError(
            f"op.{verb}: the columns of {name} are one string",
            next_step=f"write them as a list: [{columns!r}]",
        )
    return columns


def _execute(operation: Operation) -> None:
    executor = current_executor.get()
    if executor is None:
        raise UsageError(
            "op works only while a migration runs",
            next_step="run it with run_migrations.py apply, or as python 001_the_script.py",
        )
    executor.execute(operation)
