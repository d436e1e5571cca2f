"""PostgreSQL's catalog, read with plain queries that lock nothing but themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nonstop.databases.catalog import Catalog, Constraint, ConstraintKind, Index, Relation

if TYPE_CHECKING:
    from sqlalchemy import Connection

KINDS: dict[str, ConstraintKind] = {
    "c": "check",
    "f": "foreign key",
    "u": "unique",
    "p": "primary key",
    "x": "exclusion",
    "n": "not null",
}
ACTIONS = {
    "a": "NO ACTION",
    "r": "RESTRICT",
    "c": "CASCADE",
    "n": "SET NULL",
    "d": "SET DEFAULT",
    " ": "NO ACTION",
}
TABLE = """
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = %(table)s AND n.nspname = coalesce(%(schema)s, current_schema())"""
NAMES = """ARRAY(
    SELECT a.attname::text FROM unnest({numbers}) WITH ORDINALITY AS k(number, position)
    JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = k.number ORDER BY k.position)"""
CONSTRAINT = f"""
    SELECT c.contype::text, {NAMES.format(numbers="c.conkey", table="c.conrelid")}, c.convalidated,
           coalesce(pg_get_expr(c.conbin, c.conrelid), ''), n.nspname, r.relname,
           {NAMES.format(numbers="c.confkey", table="c.confrelid")}, c.confdeltype::text, c.confupdtype::text
    FROM pg_constraint c
    LEFT JOIN pg_class r ON r.oid = c.confrelid LEFT JOIN pg_namespace n ON n.oid = r.relnamespace
    WHERE c.conrelid = ({TABLE}) AND c.conname = %(name)s"""
INDEX = f"""
    SELECT i.indisunique, i.indisvalid, coalesce(pg_get_expr(i.indpred, i.indrelid), ''), m.amname::text,
           pg_get_indexdef(i.indexrelid), i.indnkeyatts,
           ARRAY(SELECT coalesce(a.attname::text, pg_get_indexdef(i.indexrelid, position::int, false))
                 FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(number, position)
                 LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
                 ORDER BY position)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
    WHERE i.indrelid = ({TABLE}) AND c.relname = %(name)s"""
COLUMN = f"""
    SELECT a.attnotnull, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid)
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = ({TABLE}) AND a.attname = %(name)s AND a.attnum > 0 AND NOT a.attisdropped"""
PARENTS = f"""
    SELECT DISTINCT c.relname::text, n.nspname::text
    FROM pg_constraint f JOIN pg_class c ON c.oid = f.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE f.contype = 'f' AND f.conrelid = ({TABLE}) AND f.confrelid <> f.conrelid
      AND (%(column)s::text IS NULL OR %(column)s = ANY ({NAMES.format(numbers="f.conkey", table="f.conrelid")}))
    ORDER BY 2, 1"""
PARTITIONS = f"""
    SELECT c.relname, n.nspname
    FROM pg_partition_tree(({TABLE})::regclass) t
    JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE t.isleaf AND t.level > 0 ORDER BY 2, 1"""
KEY = f"""
    SELECT {NAMES.format(numbers="i.indkey::smallint[]", table="i.indrelid")}
    FROM pg_index i WHERE i.indrelid = ({TABLE}) AND i.indisprimary"""
ENUM = """
    SELECT ARRAY(SELECT l.enumlabel::text FROM pg_enum l WHERE l.enumtypid = t.oid ORDER BY l.enumsortorder)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype = 'e' AND t.typname = %(name)s AND n.nspname = coalesce(%(schema)s, current_schema())"""


class PostgreSQLCatalog(Catalog):
    """Version 14 and later."""

    def constraint(
        self, connection: Connection, table: str, name: str, schema: str | None
    ) -> Constraint | None:
        row = _first(connection, CONSTRAINT, table=table, name=name, schema=schema)
        if row is None:
            return None
        (
            kind,
            columns,
            is_validated,
            expression,
            referred_schema,
            referred,
            referred_columns,
            delete,
            update,
        ) = row
        return Constraint(
            KINDS.get(kind, "exclusion"), tuple(columns), is_validated, expression, referred_schema, referred or "",
            tuple(referred_columns), ACTIONS[delete], ACTIONS[update],
        )  # fmt: skip

    def index(self, connection: Connection, table: str, name: str, schema: str | None) -> Index | None:
        row = _first(connection, INDEX, table=table, name=name, schema=schema)
        if row is None:
            return None
        unique, is_valid, where, method, definition, count, columns = row
        return Index(
            tuple(columns[:count]), unique, is_valid, where, tuple(columns[count:]), method, definition
        )

    def default(self, connection: Connection, table: str, column: str, schema: str | None) -> str | None:
        row = _first(connection, COLUMN, table=table, name=column, schema=schema)
        return row[2] if row else None

    def is_not_null(self, connection: Connection, table: str, column: str, schema: str | None) -> bool | None:
        row = _first(connection, COLUMN, table=table, name=column, schema=schema)
        return row[0] if row else None

    def same_expression(
        self,
        connection: Connection,
        table: str,
        schema: str | None,
        one: str,
        other: str,
        column: str | None = None,
    ) -> bool:
        """By what the planner makes of them: the catalog keeps an expression in words of its own."""
        if column is not None:
            row = _first(connection, COLUMN, table=table, name=column, schema=schema)
            assert row is not None
            one, other = f"CAST(({one}) AS {row[1]})", f"CAST(({other}) AS {row[1]})"
        relation = f"{_quoted(schema)}.{_quoted(table)}" if schema else _quoted(table)
        explain = f"EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT ({one}), ({other}) FROM ONLY {relation}"
        answer = connection.execution_options(no_parameters=True).exec_driver_sql(explain).scalar()
        plan: Any = json.loads(answer) if isinstance(answer, str) else answer
        first, second = plan[0]["Plan"]["Output"]
        return bool(first == second)

    def parents(
        self, connection: Connection, table: str, schema: str | None, column: str | None = None
    ) -> list[Relation]:
        found = _all(connection, PARENTS, table=table, schema=schema, column=column)
        return [Relation(*row) for row in found]

    def partitions(self, connection: Connection, table: str, schema: str | None) -> list[Relation] | None:
        kind = _first(
            connection,
            f"SELECT relkind::text FROM pg_class WHERE oid = ({TABLE})",
            table=table,
            schema=schema,
        )
        if kind is None or kind[0] != "p":
            return None
        return [Relation(*row) for row in _all(connection, PARTITIONS, table=table, schema=schema)]

    def key_columns(self, connection: Connection, table: str, schema: str | None) -> tuple[str, ...]:
        row = _first(connection, KEY, table=table, schema=schema)
        return tuple(row[0]) if row else ()

    def enum_values(self, connection: Connection, name: str, schema: str | None) -> list[str] | None:
        row = _first(connection, ENUM, name=name, schema=schema)
        return list(row[0]) if row else None


def _quoted(name: str) -> str:
    """A name in SQL without parameters: SQLAlchemy's own quoting writes a percent sign twice for this driver."""
    return '"' + name.replace('"', '""') + '"'


def _first(connection: Connection, query: str, **values: Any) -> Any:
    return connection.exec_driver_sql(query, values).first()


def _all(connection: Connection, query: str, **values: Any) -> list[Any]:
    return list(connection.exec_driver_sql(query, values).all())
