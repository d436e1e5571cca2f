"""PostgreSQL's catalog as nested dictionaries, and checksums of its rows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from nonstop.databases.base import DBAPIConnection
from nonstop.databases.fingerprint import Fingerprint, RowChecksums, ValueCounts, checksum, counting, quoted

# Ours are the schemas of users; what an extension brought along, and nonstop's own tables, are left out.
OURS = """
    n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND left(c.relname, length(%(own)s)) <> %(own)s AND left(n.nspname, length(%(own)s)) <> %(own)s
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = c.oid AND e.deptype = 'e')
"""

TABLES = f"""
    SELECT n.nspname, c.relname, c.relkind::text, c.relpersistence::text, pg_get_partkeydef(c.oid),
           pg_get_expr(c.relpartbound, c.oid), c.relrowsecurity
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND {OURS}
    ORDER BY 1, 2
"""
COLUMNS = f"""
    SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
           pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
           CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND {OURS}
"""
# From PostgreSQL 18 NOT NULL is a constraint with a name; validated ones are told by the column already.
CONSTRAINTS = f"""
    SELECT n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT (k.contype = 'n' AND k.convalidated) AND {OURS}
"""
INDEXES = f"""
    SELECT n.nspname, c.relname, i.relname, pg_get_indexdef(x.indexrelid), x.indisvalid, x.indisready
    FROM pg_index x
    JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class i ON i.oid = x.indexrelid
    WHERE c.relkind IN ('r', 'p', 'm') AND {OURS}
"""
TRIGGERS = f"""
    SELECT n.nspname, c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text
    FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND {OURS}
"""
SEQUENCES = f"""
    SELECT n.nspname, c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
           s.seqcycle, o.refobjid::regclass::text || '.' || a.attname
    FROM pg_sequence s
    JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_depend o ON o.objid = c.oid AND o.classid = 'pg_class'::regclass
        AND o.refclassid = 'pg_class'::regclass AND o.deptype IN ('a', 'i')
    LEFT JOIN pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
    WHERE left(coalesce(o.refobjid::regclass::text, ''), length(%(own)s)) <> %(own)s AND {OURS}
"""
VIEWS = f"""
    SELECT n.nspname, c.relname, c.relkind::text, pg_get_viewdef(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND {OURS}
"""
FUNCTIONS = """
    SELECT n.nspname, p.oid::regprocedure::text, pg_get_functiondef(p.oid)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prokind IN ('f', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND left(p.proname, length(%(own)s)) <> %(own)s AND left(n.nspname, length(%(own)s)) <> %(own)s
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e')
"""
ENUMS = """
    SELECT n.nspname, t.typname, array_agg(l.enumlabel::text ORDER BY l.enumsortorder)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_enum l ON l.enumtypid = t.oid
    WHERE left(n.nspname, length(%(own)s)) <> %(own)s
    GROUP BY 1, 2
"""


def schema(connection: DBAPIConnection, own: str) -> Fingerprint:
    """The whole schema but for objects whose name or schema begins with ``own``."""

    def found(query: str) -> list[tuple[Any, ...]]:
        return _found(connection, query, own)

    described: dict[str, dict[str, Any]] = {
        display(name, table): {"kind": kind, "columns": {}, "constraints": {}, "indexes": {}, "triggers": {}}
        for name, table, *kind in found(TABLES)
    }
    indexes_of_views: dict[str, Any] = {}
    for part, query in (
        ("columns", COLUMNS),
        ("constraints", CONSTRAINTS),
        ("indexes", INDEXES),
        ("triggers", TRIGGERS),
    ):
        for name, table, label, *definition in found(query):
            owner = described.get(display(name, table))
            if owner is None:  # a materialized view's index
                indexes_of_views[f"{display(name, table)}: {label}"] = tuple(definition)
            else:
                owner[part][label] = tuple(definition)
    return {
        "tables": described,
        "indexes_of_views": indexes_of_views,
        **{
            kind: {display(name, label): tuple(definition) for name, label, *definition in found(query)}
            for kind, query in (
                ("sequences", SEQUENCES),
                ("views", VIEWS),
                ("functions", FUNCTIONS),
                ("enums", ENUMS),
            )
        },
    }


def row_checksums(connection: DBAPIConnection, own: str) -> RowChecksums:
    """The data of each table that holds rows itself; values as the server shows them."""
    return {
        display(name, table): _rows(connection, f"{quoted(name)}.{quoted(table)}")
        for name, table, kind, *_ in _found(connection, TABLES, own)
        if kind == "r"
    }


def unnumbered_checksums(connection: DBAPIConnection, own: str) -> RowChecksums:
    """The same without the columns that a sequence numbers."""
    numbered = {
        (display(name, table), column)
        for name, table, column, _, _, default, identity, *_ in _found(connection, COLUMNS, own)
        if identity or (default or "").startswith("nextval(")
    }
    return {
        display(name, table): _rows(
            connection,
            f"{quoted(name)}.{quoted(table)}",
            {column for owner, column in numbered if owner == display(name, table)},
        )
        for name, table, kind, *_ in _found(connection, TABLES, own)
        if kind == "r"
    }


def value_counts(connection: DBAPIConnection, own: str) -> ValueCounts:
    """How many values each column of each table that holds rows itself has."""
    found: ValueCounts = {}
    for name, table, kind, *_ in _found(connection, TABLES, own):
        if kind == "r":
            whole = f"{quoted(name)}.{quoted(table)}"
            columns = _columns(connection, whole)
            with connection.cursor() as cursor:
                cursor.execute(counting(whole, columns))
                found[display(name, table)] = dict(zip(columns, cursor.fetchone(), strict=False))
    return found


def display(schema_name: str, name: str) -> str:
    """The name as people write it: with its schema unless that is ``public``."""
    return name if schema_name == "public" else f"{schema_name}.{name}"


def _found(connection: DBAPIConnection, query: str, own: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"own": own})
        return list(cursor.fetchall())


def _columns(connection: DBAPIConnection, table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} LIMIT 0")
        return sorted(column.name for column in cursor.description or ())


def _rows(connection: DBAPIConnection, table: str, without: Collection[str] = ()) -> tuple[int, str]:
    columns = [name for name in _columns(connection, table) if name not in without]
    # As text: what the server shows is what there is, and no type needs a Python counterpart.
    values = ", ".join(f"{quoted(name)}::text" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {values} FROM {table}")
        return checksum(cursor)
