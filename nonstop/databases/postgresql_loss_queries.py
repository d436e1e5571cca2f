"""The queries by which it is found what a transaction of PostgreSQL takes away (see postgresql_losses)."""

from __future__ import annotations

FIRST_USER_OID = 16384
LARGE_OBJECTS = 2995
"""pg_largeobject_metadata: a row for each large object."""
BOUNDS = "SELECT set_config('lock_timeout', '100ms', true), set_config('statement_timeout', '2s', true)"
"""Counting waits for nobody, and does not hold the script up for long."""
NUMBERS = "pg_stat_get_xact_tuples_deleted({oid}), pg_stat_get_xact_tuples_inserted({oid})"
CARRIED_OVER = f"""
    SELECT oid::bigint, {NUMBERS.format(oid="oid")} FROM pg_class
    WHERE relkind IN ('r', 'm')
        AND (pg_stat_get_xact_tuples_deleted(oid) > 0 OR pg_stat_get_xact_tuples_inserted(oid) > 0)"""
LOCKED = f"""
    SELECT relation::bigint, bool_or(mode = 'AccessExclusiveLock'), {NUMBERS.format(oid="relation")},
        coalesce(pg_partition_root(relation)::oid, relation)::bigint
    FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted
        AND mode NOT IN ('AccessShareLock', 'RowShareLock') AND relation >= {FIRST_USER_OID}
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    GROUP BY relation
    UNION ALL SELECT {LARGE_OBJECTS}, false, {NUMBERS.format(oid=LARGE_OBJECTS)}, {LARGE_OBJECTS}"""
COLUMNS = """ARRAY(SELECT a.attnum::int FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)"""
NAMES = COLUMNS.replace("a.attnum::int FROM", "a.attname::text FROM")
DERIVED = COLUMNS.replace("a.attnum > 0", "a.attnum > 0 AND a.attgenerated <> ''")
SEEN_BY_OTHERS = f"""
    SELECT c.oid::bigint, c.oid::regclass::text, c.relkind::text, c.relfilenode::bigint,
        greatest(c.reltuples::bigint, pg_stat_get_live_tuples(c.oid), 0),
        {COLUMNS}, {NAMES}, {DERIVED}
    FROM pg_class c WHERE c.oid = ANY ({{oids}}) AND c.relpersistence <> 't' AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass
        AND d.objid = c.oid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i'))"""
SEEN_BY_US = (
    f"SELECT c.oid::bigint, c.relfilenode::bigint, {COLUMNS} FROM pg_class c WHERE c.oid = ANY ({{oids}})"
)
FILE_NOW = "SELECT pg_relation_size({oid}), {oid}::regclass::text"
DO_WHAT_IS_DEFERRED = "SET CONSTRAINTS ALL IMMEDIATE"
"""Deferred triggers run at the commit, after the look: so they are run before it."""
EMPTY = """
    SELECT c.oid::bigint FROM pg_class c WHERE c.relkind IN ('r', 'm') AND c.oid >= 16384
        AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.relation = c.oid AND l.mode = 'AccessExclusiveLock')
        AND pg_relation_size(c.oid) = 0"""
IS_LOCKED_BY_US = """
    SELECT true FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation = {oid}
        AND mode = 'AccessExclusiveLock' AND granted"""
IS_THERE = "SELECT true FROM pg_class WHERE oid = {oid}"
RESOLVED = """
    SELECT c.oid::bigint, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relhassubclass
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = to_regclass('{name}') AND c.relkind IN ('r', 'p', 'm')"""

COUNTED = """
    WITH RECURSIVE tree (oid) AS (SELECT {oid}::oid
        UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid)
    SELECT tree.oid::bigint, {answers} FROM tree LEFT JOIN (
        SELECT tableoid, {counts} FROM {name} GROUP BY tableoid) AS counted ON counted.tableoid = tree.oid"""
"""The table's own rows and those of its partitions and inheritance children, each apart."""
