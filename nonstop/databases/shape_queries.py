"""What SQLAlchemy's reflection leaves out of a schema, asked of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nonstop.databases.sqlite_catalog import table_text

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

# Belongings of tables that no column has, and what belongs to no table; without what an extension brought along.
OTHERS_OF_POSTGRESQL = """
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, p.oid::regprocedure::text, '',
       pg_get_functiondef(p.oid)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.prokind IN ('f', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e')
UNION ALL
SELECT 'sequence', s.seqrelid::regclass::text, '',
       format('CREATE SEQUENCE IF NOT EXISTS %s AS %s START %s INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s%s',
              s.seqrelid::regclass, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
              s.seqcache, CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END)
  FROM pg_sequence s
 WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = s.seqrelid AND e.deptype IN ('a', 'e', 'i'))
UNION ALL
SELECT CASE WHEN t.tgconstraint = 0 THEN 'trigger' ELSE 'constraint trigger' END,
       format('%I ON %s', t.tgname, t.tgrelid::regclass), t.tgrelid::regclass::text,
       regexp_replace(pg_get_triggerdef(t.oid), '^CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER')
  FROM pg_trigger t
 WHERE NOT t.tgisinternal AND t.tgparentid = 0
UNION ALL
SELECT CASE k.contype WHEN 'x' THEN 'exclusion constraint' ELSE 'deferrable key' END,
       format('%I ON %s', k.conname, k.conrelid::regclass), k.conrelid::regclass::text, pg_get_constraintdef(k.oid)
  FROM pg_constraint k
 WHERE k.contype = 'x' OR (k.contype IN ('p', 'u') AND k.condeferrable)
UNION ALL
SELECT 'materialized view', c.oid::regclass::text, '', pg_get_viewdef(c.oid)
  FROM pg_class c
 WHERE c.relkind = 'm'
UNION ALL
SELECT 'index of a materialized view', i.indexrelid::regclass::text, c.oid::regclass::text, pg_get_indexdef(i.indexrelid)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
 WHERE c.relkind = 'm'
UNION ALL
SELECT 'partition', c.oid::regclass::text, i.inhparent::regclass::text,
       pg_get_expr(c.relpartbound, c.oid) || E'\n' || coalesce(pg_get_partition_constraintdef(c.oid), '')
  FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
 WHERE c.relispartition AND c.relkind IN ('r', 'p')
"""
OTHERS_OF_SQLITE = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
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


def names_beside_columns(connection: Connection, table: str) -> dict[tuple[str, str], str]:
    """The names of constraints that stand beside a column, by their first word and the column: what SQLAlchemy does not see
    on SQLite."""
    text = table_text(connection, table) if connection.dialect.name == "sqlite" else None
    named = text.constraints() if text else ()
    return {(clause.kind, item.column): clause.label for item, clause in named if item.column}


def other_objects(connection: Connection) -> list[tuple[str, str, str, str]]:
    """Triggers, functions, sequences that stand alone and the like: kind, name, table (or nothing), and what makes it."""
    query = OTHERS_OF_SQLITE if connection.dialect.name == "sqlite" else OTHERS_OF_POSTGRESQL
    found = connection.execution_options(no_parameters=True).exec_driver_sql(query)
    return [(kind, name, table, definition) for kind, name, table, definition in found]


def index_texts(connection: Connection) -> list[tuple[str | None, str, str, str]]:
    """For each index of the database its schema, table, name and ``CREATE INDEX`` text."""
    query = INDEXES_OF_SQLITE if connection.dialect.name == "sqlite" else INDEXES_OF_POSTGRESQL
    found = connection.execution_options(no_parameters=True).exec_driver_sql(query)
    return [(schema, table, name, text) for schema, table, name, text in found]
