"""What the catalog says, and whether it is what a script describes. Comparing types is Alembic's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, inspect
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.schema import Table

from nonstop.databases.base import Database
from nonstop.databases.catalog import Constraint
from nonstop.descriptions.operations import CreateIndex, Step
from nonstop.errors import DefinitionConflict

if TYPE_CHECKING:
    from alembic.ddl.impl import DefaultImpl


def quoted(dialect: Dialect, name: str, schema: str | None) -> str:
    """A name as it stands in SQL."""
    preparer = dialect.identifier_preparer
    return f"{preparer.quote_schema(schema)}.{preparer.quote(name)}" if schema else preparer.quote(name)


def with_parents(
    database: Database, table: str, schema: str | None, column: str | None = None
) -> Callable[[Step, Connection], Step]:
    """For ``Step.prepare``: what drops a foreign key locks its parent too (failure mode C26)."""

    def prepare(step: Step, connection: Connection) -> Step:
        found = database.catalog.parents(connection, table, schema, column)
        names = (quoted(database.dialect(), relation.name, relation.schema) for relation in found)
        return replace(step, relations=(*step.relations, *names))

    return prepare


def has_table(connection: Connection, table: str, schema: str | None) -> bool:
    return inspect(connection).has_table(table, schema=schema)


def columns(
    connection: Connection, table: str, schema: str | None, *, missing_ok: bool = False
) -> dict[str, dict[str, Any]]:
    """The table's columns by name, as SQLAlchemy reflects them. Without the table: NoSuchTable, or empty."""
    try:
        found = inspect(connection).get_columns(table, schema=schema)
    except NoSuchTableError:
        if missing_ok:
            return {}
        raise _no_table(table) from None
    return {column["name"]: dict(column) for column in found}


def indexes(
    connection: Connection, table: str, schema: str | None, *, missing_ok: bool = False
) -> dict[str, dict[str, Any]]:
    """The table's indexes by name, as SQLAlchemy reflects them."""
    try:
        found = inspect(connection).get_indexes(table, schema=schema)
    except NoSuchTableError:
        if missing_ok:
            return {}
        raise _no_table(table) from None
    return {str(index["name"]): dict(index) for index in found}


def _no_table(table: str) -> DefinitionConflict:
    return DefinitionConflict(
        f"there is no table {table}",
        next_step="create it first: an earlier script, or the application's init",
    )


@cache
def _alembic(dialect: Dialect) -> DefaultImpl:
    """What knows how to compare types; making one takes longer than comparing a table."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(dialect=dialect).impl


def get_ready_to_compare(dialect: Dialect) -> None:
    """Load what ``compare_column`` needs: a tenth of a second, which must not pass while a strong lock is held."""
    _alembic(dialect)


def compare_column(connection: Connection, wanted: Column[Any], existing: dict[str, Any]) -> None:
    """Raise DefinitionConflict where a reflected column differs in type, nullability or having a default."""
    name = f"{wanted.table.name}.{wanted.name}"
    reflected: Column[Any] = Column(wanted.name, existing["type"], nullable=existing["nullable"])
    if _alembic(connection.dialect).compare_type(reflected, wanted):
        raise conflict(f"column {name}", str(existing["type"]), str(wanted.type.compile(connection.dialect)))
    # SQLite calls a primary key nullable that does not say otherwise; what is one is compared with its table.
    if not wanted.primary_key and bool(existing["nullable"]) != bool(wanted.nullable):
        raise conflict(f"column {name}", _nullability(existing["nullable"]), _nullability(wanted.nullable))
    if not wanted.primary_key and (existing.get("default") is not None) != (
        wanted.server_default is not None
    ):
        raise conflict(
            f"column {name}",
            f"default {existing.get('default') or 'none'}",
            f"default {'given' if wanted.server_default is not None else 'none'}",
        )


def compare_table(connection: Connection, wanted: Table, database: Database) -> None:
    """Raise DefinitionConflict unless everything that is described is there; further columns may exist."""
    inspector = inspect(connection)  # keeps what it has read: one look at the table serves all comparisons
    found = {
        column["name"]: dict(column) for column in inspector.get_columns(wanted.name, schema=wanted.schema)
    }
    for column in wanted.columns:
        if column.name not in found:
            raise conflict(f"table {wanted.name}", f"no column {column.name}", f"a column {column.name}")
        compare_column(connection, column, found[column.name])
    key = inspector.get_pk_constraint(wanted.name, schema=wanted.schema)["constrained_columns"]
    wanted_key = [column.name for column in wanted.primary_key.columns]
    if key != wanted_key:
        raise conflict(f"table {wanted.name}", f"primary key {key}", f"primary key {wanted_key}")
    existing_keys = database.catalog.foreign_keys(connection, wanted.name, wanted.schema)
    for constraint in wanted.foreign_key_constraints:
        described = Constraint(
            "foreign key",
            tuple(column.name for column in constraint.columns),
            referred_table=constraint.referred_table.name,
            referred_columns=tuple(element.column.name for element in constraint.elements),
            on_delete=(constraint.ondelete or "NO ACTION").upper(),
            on_update=(constraint.onupdate or "NO ACTION").upper(),
        )
        if described not in existing_keys:
            shown = "; ".join(map(_key_in_words, existing_keys)) or "no such foreign key"
            raise conflict(f"table {wanted.name}", shown, _key_in_words(described))
    for index in wanted.indexes:
        existing = indexes(connection, wanted.name, wanted.schema).get(str(index.name))
        if existing is None:
            raise conflict(f"table {wanted.name}", f"no index {index.name}", f"an index {index.name}")
        names = tuple(column.name for column in index.columns)
        compare_index(
            CreateIndex(str(index.name), wanted.name, names, bool(index.unique), wanted.schema), existing
        )


def _key_in_words(key: Constraint) -> str:
    parent = f"{key.referred_table}({', '.join(key.referred_columns)})"
    actions = f"on delete {key.on_delete}" + (
        f" on update {key.on_update}" if key.on_update != "NO ACTION" else ""
    )
    return f"foreign key ({', '.join(key.columns)}) to {parent} {actions}"


def compare_index(wanted: CreateIndex, existing: dict[str, Any]) -> None:
    """Raise DefinitionConflict where a reflected index has other columns or another uniqueness."""
    has, wants = tuple(existing["column_names"]), wanted.columns
    if has != wants or bool(existing["unique"]) != wanted.unique:
        raise conflict(
            f"index {wanted.name}",
            f"{'unique ' if existing['unique'] else ''}{has}",
            f"{'unique ' if wanted.unique else ''}{wants}",
        )


def difference(was: object, now: object) -> str:
    """What two moments differ in, for a message."""
    if isinstance(was, set) and isinstance(now, set):
        return f"lost {sorted(was - now, key=repr)}, new {sorted(now - was, key=repr)}"
    return f"{was} before, {now} after"


def require_column(
    database: Database, connection: Connection, table: str, column: str, schema: str | None
) -> None:
    """Raise DefinitionConflict where there is no such table or column."""
    if database.catalog.is_not_null(connection, table, column, schema) is None:
        if not has_table(connection, table, schema):
            raise _no_table(table)
        raise DefinitionConflict(
            f"there is no column {table}.{column}", next_step="add it first (op.add_column)"
        )


def require_table(connection: Connection, table: str, schema: str | None) -> None:
    """Raise DefinitionConflict where there is no such table."""
    if not has_table(connection, table, schema):
        raise _no_table(table)


def conflict(what: str, existing: str, wanted: str) -> DefinitionConflict:
    """An object of that name is there, and is something else."""
    return DefinitionConflict(
        f"{what} exists already with another definition: it has {existing}, the script wants {wanted}",
        next_step="change the script to fit, or rename what exists; nothing was changed",
    )


def _nullability(nullable: object) -> str:
    return "NULL" if nullable else "NOT NULL"
