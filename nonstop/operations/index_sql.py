"""The SQL of an index, from its description."""

from __future__ import annotations

from sqlalchemy import Column, Index, MetaData, Table, text
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex as CreateIndexStatement

from nonstop.descriptions.operations import CreateIndex


def index_sql(operation: CreateIndex, dialect: Dialect) -> str:
    """The plain CREATE INDEX. What the database does not know (INCLUDE, a method) is left out."""
    columns: list[Column[object]] = [Column(name) for name in operation.columns if isinstance(name, str)]
    further: list[Column[object]] = [
        Column(name) for name in operation.include if name not in {column.name for column in columns}
    ]
    table = Table(operation.table, MetaData(), *columns, *further, schema=operation.schema)
    keys = [table.c[key] if isinstance(key, str) else key for key in operation.columns]
    # It is SQL, not a template: a colon in it begins no parameter.
    where = text(operation.where.replace(":", "\\:")) if operation.where else None
    index = Index(
        operation.name, *keys, unique=operation.unique, _table=table,
        postgresql_where=where, sqlite_where=where, postgresql_using=operation.method or False,
        postgresql_include=list(operation.include),
    )  # fmt: skip
    return str(CreateIndexStatement(index).compile(dialect=dialect))
