"""What SQLAlchemy's reflection leaves out of a schema, asked of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Without those that stand behind a constraint: they come and go with it; a partition's belong to its parent's.
INDEXES_OF_POSTGRESQL = """
SELECT n.nspname, t.relname, c.relname, pg_get_indexdef(c.oid)
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = t.relnamespace
 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND NOT c.relispartition
   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))
"""
INDEXES_OF_SQLITE = (
    "SELECT NULL, tbl_name, name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
)


PARTITIONED = """
SELECT n.nspname, c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'p' OR (c.relkind = 'r' AND c.relispartition)
"""


def partitioned_tables(connection: Connection) -> set[tuple[str, str]]:
    """Schema and name of each table that is partitioned, and of each partition."""
    if connection.dialect.name == "sqlite":
        return set()
    return {(schema, name) for schema, name in connection.exec_driver_sql(PARTITIONED)}


def index_texts(connection: Connection) -> list[tuple[str | None, str, str, str]]:
    """For each index of the database its schema, table, name and ``CREATE INDEX`` text."""
    query = INDEXES_OF_SQLITE if connection.dialect.name == "sqlite" else INDEXES_OF_POSTGRESQL
    found = connection.execution_options(no_parameters=True).exec_driver_sql(query)
    return [(schema, table, name, text) for schema, table, name, text in found]
