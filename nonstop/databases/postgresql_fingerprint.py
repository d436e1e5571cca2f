"""PostgreSQL's catalog as nested dictionaries, and checksums of its rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from nonstop.databases.base import DBAPIConnection
from nonstop.databases.fingerprint import (
    Fingerprint,
    RowChecksums,
    Snapshot,
    ValueCounts,
    checksum,
    counting,
    quoted,
)

# Ours are the schemas of users; what an extension brought along, and nonstop's own tables, are left out.
OURS = """
    n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND left(c.relname, length(%(own)s)) <> %(own)s AND left(n.nspname, length(%(own)s)) <> %(own)s
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = c.oid AND e.deptype = 'e')
"""

# Only where row level security is on: without it policies do nothing.
POLICIES = """
    (SELECT jsonb_build_object('forced', c.relforcerowsecurity, 'policies', coalesce(jsonb_object_agg(p.polname,
        jsonb_build_object('permissive', p.polpermissive, 'command', p.polcmd::text, 'roles', p.polroles::regrole[]::text,
            'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid))), '{}'))
    FROM pg_policy p WHERE p.polrelid = c.oid)"""
TABLES = f"""
    SELECT 'tables', jsonb_build_array(n.nspname, c.relname, c.relkind::text, c.relpersistence::text, pg_get_partkeydef(c.oid),
           pg_get_expr(c.relpartbound, c.oid), CASE WHEN c.relrowsecurity THEN {POLICIES} ELSE to_jsonb(false) END)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND {OURS}
"""
COLUMNS = f"""
    SELECT 'columns', jsonb_build_array(n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
           pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
           CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END)
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND {OURS}
"""
# From PostgreSQL 18 NOT NULL is a constraint with a name; validated ones are told by the column already.
CONSTRAINTS = f"""
    SELECT 'constraints', jsonb_build_array(n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated)
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT (k.contype = 'n' AND k.convalidated) AND {OURS}
"""
INDEXES = f"""
    SELECT 'indexes', jsonb_build_array(n.nspname, c.relname, i.relname, pg_get_indexdef(x.indexrelid), x.indisvalid, x.indisready)
    FROM pg_index x
    JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class i ON i.oid = x.indexrelid
    WHERE c.relkind IN ('r', 'p', 'm') AND {OURS}
"""
TRIGGERS = f"""
    SELECT 'triggers', jsonb_build_array(n.nspname, c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text)
    FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND {OURS}
"""
SEQUENCES = f"""
    SELECT 'sequences', jsonb_build_array(n.nspname, c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
           s.seqcycle, o.refobjid::regclass::text || '.' || a.attname)
    FROM pg_sequence s
    JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_depend o ON o.objid = c.oid AND o.classid = 'pg_class'::regclass
        AND o.refclassid = 'pg_class'::regclass AND o.deptype IN ('a', 'i')
    LEFT JOIN pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
    WHERE left(coalesce(o.refobjid::regclass::text, ''), length(%(own)s)) <> %(own)s AND {OURS}
"""
VIEWS = f"""
    SELECT 'views', jsonb_build_array(n.nspname, c.relname, c.relkind::text, pg_get_viewdef(c.oid))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND {OURS}
"""
FUNCTIONS = """
    SELECT 'functions', jsonb_build_array(n.nspname, p.oid::regprocedure::text, pg_get_functiondef(p.oid))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prokind IN ('f', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND left(p.proname, length(%(own)s)) <> %(own)s AND left(n.nspname, length(%(own)s)) <> %(own)s
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e')
"""
ENUMS = """
    SELECT 'enums', jsonb_build_array(n.nspname, t.typname, array_agg(l.enumlabel::text ORDER BY l.enumsortorder))
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_enum l ON l.enumtypid = t.oid
    WHERE left(n.nspname, length(%(own)s)) <> %(own)s
    GROUP BY n.nspname, t.typname
"""


SCHEMA = "UNION ALL".join(
    (TABLES, COLUMNS, CONSTRAINTS, INDEXES, TRIGGERS, SEQUENCES, VIEWS, FUNCTIONS, ENUMS)
)
PARTS_OF_TABLES = ("columns", "constraints", "indexes", "triggers")


def snapshot(connection: DBAPIConnection, own: str) -> Snapshot:
    """The whole schema, and the data of each table that holds rows itself, but for objects whose name or schema begins with
    ``own``. Values are as the server shows them."""
    found: dict[str, list[list[Any]]] = {}
    for kind, description in _found(connection, SCHEMA, own):
        found.setdefault(kind, []).append(description)
    numbered: dict[tuple[str, str], list[str]] = {}
    columns: dict[tuple[str, str], list[str]] = {}
    for name, table, column, _, _, default, identity, *_ in found.get("columns", ()):
        of_table = columns.setdefault((name, table), [])
        of_table.append(column)
        if identity or (default or "").startswith("nextval("):
            numbered.setdefault((name, table), []).append(column)
    rows: RowChecksums = {}
    unnumbered: RowChecksums = {}
    for name, table, kind, *_ in sorted(found.get("tables", ()), key=lambda one: one[:2]):
        if kind == "r":
            shown = display(name, table)
            rows[shown], unnumbered[shown] = _checksums(
                connection,
                f"{quoted(name)}.{quoted(table)}",
                sorted(columns.get((name, table), ())),
                numbered.get((name, table), ()),
            )
    return Snapshot(_schema(found), rows, unnumbered)


def _schema(found: Mapping[str, Sequence[list[Any]]]) -> Fingerprint:
    tables: dict[str, dict[str, Any]] = {
        display(name, table): {"kind": kind, **{part: {} for part in PARTS_OF_TABLES}}
        for name, table, *kind in sorted(found.get("tables", ()), key=lambda one: one[:2])
    }
    indexes_of_views: dict[str, Any] = {}
    for part in PARTS_OF_TABLES:
        for name, table, label, *definition in found.get(part, ()):
            owner = tables.get(display(name, table))
            if owner is None:  # a materialized view's index
                indexes_of_views[f"{display(name, table)}: {label}"] = tuple(definition)
            else:
                owner[part][label] = tuple(definition)
    return {
        "tables": tables,
        "indexes_of_views": indexes_of_views,
        **{
            kind: {
                display(name, label): tuple(definition) for name, label, *definition in found.get(kind, ())
            }
            for kind in ("sequences", "views", "functions", "enums")
        },
    }


def value_counts(connection: DBAPIConnection, own: str) -> ValueCounts:
    """How many values each column of each table that holds rows itself has."""
    found: ValueCounts = {}
    for _, (name, table, kind, *_) in _found(connection, TABLES, own):
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


def _checksums(
    connection: DBAPIConnection, table: str, columns: Sequence[str], numbered: Collection[str]
) -> tuple[tuple[int, str], tuple[int, str]]:
    """Those of all columns, and of those that are not ``numbered``."""
    # As text: what the server shows is what there is, and no type needs a Python counterpart.
    values = ", ".join(f"{quoted(name)}::text" for name in columns)
    kept = [place for place, name in enumerate(columns) if name not in numbered]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {values} FROM {table}")
        rows = cursor.fetchall()
    return checksum(rows), checksum([row[place] for place in kept] for row in rows)
