"""Set a column's default for rows that are still to come. Rows that are there keep their values."""

from __future__ import annotations

import re

from sqlalchemy import Column, Connection, MetaData, Table, literal, text
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import ColumnElement, TextClause

from nonstop.databases.base import Database
from nonstop.descriptions.operations import LockClass, SetDefault, Step
from nonstop.operations import catalog, rebuild

PLAIN = re.compile(r"'(?:[^']|'')*'|[\w.]+")
"""What SQLite takes as a default without brackets."""


def steps(operation: SetDefault, database: Database) -> list[Step]:
    """One step: a short ACCESS EXCLUSIVE lock, nothing is read or written; or the table made anew."""
    dialect = database.dialect()
    table = catalog.quoted(dialect, operation.table, operation.schema)
    column = dialect.identifier_preparer.quote(operation.column)
    default = as_sql(operation.default, dialect)
    summary = f"set the default of {operation.table}.{operation.column} to {default}"

    def is_done(connection: Connection) -> bool:
        where = (operation.table, operation.column, operation.schema)
        catalog.require_column(database, connection, *where)
        existing = database.catalog.default(connection, *where)
        return existing is not None and database.catalog.same_expression(
            connection, operation.table, operation.schema, default, existing, operation.column
        )

    if not database.alters_in_place:
        return [
            rebuild.step(
                database,
                summary,
                operation.table,
                lambda old: old.without_clause(operation.column, "DEFAULT").with_clause(
                    operation.column, f"DEFAULT {default if PLAIN.fullmatch(default) else f'({default})'}"
                ),
                is_done,
            )
        ]
    statement = f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default}"
    return [Step(summary, (statement,), is_done, LockClass.ACCESS_EXCLUSIVE, relations=(table,))]


def as_sql(default: object, dialect: Dialect) -> str:
    """A default as SQL: a value is quoted, an expression (``text()``, ``func.now()``) stands as it is."""
    if not isinstance(default, TextClause | ColumnElement | str):
        default = text(str(literal(default).compile(dialect=dialect, compile_kwargs={"literal_binds": True})))
    column: Column[object] = Column("c", server_default=default)
    Table("t", MetaData(), column)
    compiler = dialect.ddl_compiler(dialect, None)  # type: ignore[arg-type]
    return str(compiler.get_column_default_string(column))
