"""Tables as a database has them, as SQLAlchemy describes them, and transactions to try things in."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Engine,
    Executable,
    Identity,
    MetaData,
    Table,
    UniqueConstraint,
    bindparam,
    insert,
    inspect,
    text,
)
from sqlalchemy.engine import Connection, Inspector
from sqlalchemy.exc import DBAPIError, SAWarning

from nonstop.databases.base import Database

OF_THE_SERVER = re.compile("pg_|information_schema$")
NUMBERED = re.compile(r"\bnextval\(", re.IGNORECASE)


def tables(
    connection: Connection, database: Database, ignored: frozenset[str] = frozenset()
) -> dict[str, Table]:
    """Every table by its key (``orders``, ``schema.orders``), but for partitions and names in ``ignored``."""
    metadata = MetaData()
    with quietly():
        inspector = inspect(connection)
        default = inspector.default_schema_name
        others = [
            name for name in inspector.get_schema_names() if name != default and not OF_THE_SERVER.match(name)
        ]
        for schema in (None, *others):
            metadata.reflect(connection, schema=schema, only=lambda name, _: name not in ignored)
            _add_unique(inspector, schema, metadata)
    found = {key: table for key, table in metadata.tables.items() if table.name not in ignored}
    _fold_partitions(connection, database, found)
    for table in found.values():
        for column in table.columns:
            if isinstance(column.type, JSON):  # reads NULL and JSON's null as the same
                column.type.none_as_null = bool(column.nullable)
    return found


def one_table(connection: Connection, name: str, schema: str | None) -> Table:
    """One table. Raises NoSuchTableError where there is none."""
    metadata = MetaData()
    with quietly():
        reflected = Table(name, metadata, schema=schema, autoload_with=connection)
        _add_unique(inspect(connection), schema, metadata, [name])
    return reflected


def _add_unique(
    inspector: Inspector, schema: str | None, metadata: MetaData, names: list[str] | None = None
) -> None:
    """Add the unique constraints that SQLAlchemy overlooks: SQLite's ``code VARCHAR(9) UNIQUE`` is one."""
    found = inspector.get_multi_indexes(schema=schema, filter_names=names, include_auto_indexes=True)
    for (_, name), indexes in found.items():
        reflected = metadata.tables.get(f"{schema}.{name}" if schema else name)
        for index in indexes:
            columns = [column for column in index["column_names"] if column is not None]
            is_whole = len(columns) == len(index["column_names"])
            if reflected is None or not index["unique"] or not is_whole:
                continue
            if tuple(columns) not in unique_sets(reflected):
                reflected.append_constraint(UniqueConstraint(*columns))


def _fold_partitions(connection: Connection, database: Database, found: dict[str, Table]) -> None:
    """Leave only the tables that rows are written to; what their partitions want of a row becomes a rule of theirs."""
    for partition in database.partitions(connection.connection.dbapi_connection):
        found.pop(partition.name, None)
        whole = found.get(partition.table)
        if whole is not None:
            # Named like the table: so is the error about a row that no partition takes.
            whole.append_constraint(CheckConstraint(text(partition.condition), name=whole.name))


@contextmanager
def quietly() -> Iterator[None]:
    """Without what SQLAlchemy says of types and indexes that it does not know, and of decimal numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        yield


@contextmanager
def undone(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that is rolled back at the end, DDL and all."""
    with engine.connect() as connection:
        # A driver that begins no transaction before a SAVEPOINT lets the outermost one be the transaction.
        connection.begin_nested()
        try:
            yield connection
        finally:
            connection.rollback()


def reason_of(error: Exception) -> str:
    """The first line of what the driver says."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(cause).strip().partition("\n")[0] or type(error).__name__


def raise_if_lost(error: Exception) -> None:
    """Raise an error again that means that the connection is gone: nothing more can be tried."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        raise error


def is_numbered(column: Column[object]) -> bool:
    """Whether the database itself counts the column up, from a sequence."""
    default = column.server_default
    if default is None or column.computed is not None:
        return False
    return isinstance(default, Identity) or bool(NUMBERED.search(str(getattr(default, "arg", ""))))


def is_written(column: Column[object]) -> bool:
    """Whether an INSERT may name the column at all."""
    return column.computed is None and not (column.identity is not None and column.identity.always)


def may_be_left_out(column: Column[object]) -> bool:
    """Whether an INSERT without the column succeeds, as far as the description tells."""
    return (
        bool(column.nullable)
        or column.server_default is not None
        or column.default is not None
        or column is column.table.autoincrement_column
    )


def insert_as_is(connection: Connection, table: Table, names: list[str]) -> Executable:
    """An INSERT into the columns ``names``, even those that always number themselves; parameters are ``v0``, ``v1``, …"""
    columns = [table.columns[name] for name in names]
    values = [bindparam(f"v{index}", type_=column.type) for index, column in enumerate(columns)]
    if all(is_written(column) for column in columns):
        return insert(table).values(dict(zip(columns, values, strict=True)))
    preparer = connection.dialect.identifier_preparer
    target = f"{preparer.format_table(table)} ({', '.join(map(preparer.format_column, columns))})"
    places = ", ".join(f":v{index}" for index in range(len(columns)))
    quoted = target.replace(":", "\\:")
    return text(f"INSERT INTO {quoted} OVERRIDING SYSTEM VALUE VALUES ({places})").bindparams(*values)


def unique_sets(table: Table) -> list[tuple[str, ...]]:
    """The columns of the primary key and of each unique constraint and index, by name."""
    sets = [tuple(column.name for column in table.primary_key.columns)]
    sets += [
        tuple(column.name for column in constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    sets += [tuple(column.name for column in index.columns) for index in table.indexes if index.unique]
    return sorted({names for names in sets if names})


def checks(table: Table) -> list[tuple[str, str, frozenset[str]]]:
    """Each CHECK as its name, its condition and the columns that it names; those of a column's domain too."""
    found = [
        (str(constraint.name or ""), str(constraint.sqltext))
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    ]
    named = [
        (name, condition, frozenset(c.name for c in table.columns if mentions(condition, c.name)))
        for name, condition in found
    ]
    for column in table.columns:
        of_domain = getattr(column.type, "check", None)
        if of_domain is not None:
            name = getattr(column.type, "constraint_name", None) or ""
            named.append((str(name), str(of_domain), frozenset({column.name})))
    return named


def mentions(text: str, name: str) -> bool:
    """Whether ``name`` stands in ``text`` as a word."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
