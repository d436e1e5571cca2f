"""Add a column. Both databases only note it in the catalog; a constant or stable default is stored there too."""

from __future__ import annotations

import re

from sqlalchemy import Column, Computed, Connection, Identity, MetaData, Table
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.schema import CreateColumn

from nonstop.databases.base import Database
from nonstop.databases.postgresql_statements import needs
from nonstop.descriptions.by_hand import IN_BATCHES
from nonstop.descriptions.operations import AddColumn, LockClass, Step
from nonstop.descriptions.statements import Kind, Need
from nonstop.errors import Refused
from nonstop.operations import catalog, rebuild
from nonstop.operations.set_default import as_sql

CONSTANT = re.compile(r"'(?:[^']|'')*'|[-+]?[\d.]+|NULL|TRUE|FALSE", re.IGNORECASE)
"""The defaults that SQLite adds a column with in place; others only to a table without rows."""


def steps(operation: AddColumn, database: Database) -> list[Step]:
    """One step: a short ACCESS EXCLUSIVE lock, no rewrite (PostgreSQL manual, ALTER TABLE, "Notes").

    Raises Refused, before anything is sent and on every database, for a column whose value PostgreSQL would
    have to work out for each row under that lock (failure mode C23).
    """
    column = operation.column._copy()
    Table(operation.table, MetaData(), column, schema=operation.schema)
    dialect = database.dialect()
    table = catalog.quoted(dialect, operation.table, operation.schema)
    need = _on_postgresql(operation, column)
    if need.kind is Kind.BLOCKING and not need.unless:
        raise _refusal(operation, column, need)
    specification = str(CreateColumn(column).compile(dialect=dialect))

    def is_done(connection: Connection) -> bool:
        # At the first look: the second is taken under the lock.
        catalog.get_ready_to_compare(connection.dialect)
        existing = catalog.columns(connection, operation.table, operation.schema).get(column.name)
        if existing is None:
            return False
        catalog.compare_column(connection, column, existing)
        return True

    def look(step: Step, connection: Connection) -> Step:
        # A function that nobody knows, a type that may be a domain: PostgreSQL's catalog tells what they are.
        for _, doubtful in database.needs_of(step.statements[0]):
            if not database.confirms(connection.connection.dbapi_connection, doubtful.unless):
                raise _refusal(operation, column, doubtful)
        return step

    summary = f"add column {operation.table}.{column.name}"
    if not database.alters_in_place and not _is_added_in_place(column, database):
        return [
            rebuild.step(
                database,
                summary,
                operation.table,
                lambda old: old.with_column(specification),
                is_done,
                adds=column.name,
            )
        ]
    return [
        Step(
            summary,
            (f"ALTER TABLE {table} ADD COLUMN {specification}",),
            is_done,
            LockClass.ACCESS_EXCLUSIVE,
            relations=(table,),
            prepare=look if need.unless else None,
        )
    ]


def _on_postgresql(operation: AddColumn, column: Column[object]) -> Need:
    dialect = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]
    table = catalog.quoted(dialect, operation.table, operation.schema)
    specification = CreateColumn(column).compile(dialect=dialect)
    ((_, need),) = needs(f"ALTER TABLE {table} ADD COLUMN {specification}")
    return need


def _is_added_in_place(column: Column[object], database: Database) -> bool:
    default = column.server_default
    if default is None or isinstance(default, Computed):
        return True
    return CONSTANT.fullmatch(as_sql(default.arg, database.dialect())) is not None  # type: ignore[attr-defined]


def _refusal(operation: AddColumn, column: Column[object], need: Need) -> Refused:
    return Refused(
        f"op.add_column: {operation.table}.{column.name}: {need.reason}",
        details=("Instead:", *_in_steps(operation, column, need)),
        next_step="write the steps as scripts of their own; a default may also be now(), or any constant",
    )


def _in_steps(operation: AddColumn, column: Column[object], need: Need) -> list[str]:
    """The same column without a rewrite: by verbs where there are some, else by SQL."""
    if isinstance(column.server_default, Computed | Identity):
        return need.correction.splitlines()
    where = f'"{operation.table}", "{column.name}"'
    schema = f', schema="{operation.schema}"' if operation.schema else ""
    default = as_sql(column.server_default.arg, PGDialect(paramstyle="named"))  # type: ignore[union-attr, no-untyped-call]
    lines = [
        f'op.add_column("{operation.table}", Column("{column.name}", {column.type!r}){schema})',
        f"op.set_default({where}, text({default!r}){schema})",
        f"# {IN_BATCHES}",
    ]
    return lines if column.nullable else [*lines, f"op.set_not_null({where}{schema})"]
