"""Set a column's default for rows that are still to come. Rows that are there keep their values."""

from __future__ import annotations

import re

from sqlalchemy import Column, Connection, MetaData, Table, literal, text
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import ColumnElement, TextClause

from nonstop.databases.base import Database
from nonstop.descriptions.operations import SetDefault, Step
from nonstop.operations import alter_column

PLAIN = re.compile(r"'(?:[^']|'')*'|[\w.]+")
"""What SQLite takes as a default without brackets."""


def steps(operation: SetDefault, database: Database) -> list[Step]:
    """One step."""
    where = (operation.table, operation.column, operation.schema)
    default = as_sql(operation.default, database.dialect())
    clause = f"DEFAULT {default if PLAIN.fullmatch(default) else f'({default})'}"

    def is_so(connection: Connection) -> bool:
        existing = database.catalog.default(connection, *where)
        return existing is not None and database.catalog.same_expression(
            connection, operation.table, operation.schema, default, existing, operation.column
        )

    return alter_column.steps(
        database,
        where,
        f"set the default of {operation.table}.{operation.column} to {default}",
        f"SET DEFAULT {default}",
        lambda old: old.without_clause(operation.column, "DEFAULT").with_clause(operation.column, clause),
        is_so,
    )


def as_sql(default: object, dialect: Dialect) -> str:
    """A default as SQL: a value is quoted, an expression (``text()``, ``func.now()``) stands as it is."""
    if not isinstance(default, TextClause | ColumnElement | str):
        default = text(str(literal(default).compile(dialect=dialect, compile_kwargs={"literal_binds": True})))
    column: Column[object] = Column("c", server_default=default)
    Table("t", MetaData(), column)
    compiler = dialect.ddl_compiler(dialect, None)  # type: ignore[arg-type]
    return str(compiler.get_column_default_string(column))
