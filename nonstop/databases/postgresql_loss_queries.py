"""The queries by which it is found what a transaction of PostgreSQL takes away (see postgresql_losses)."""

from __future__ import annotations

FIRST_USER_OID = 16384
LARGE_OBJECTS = 2995
"""pg_largeobject_metadata: a row for each large object."""
NUMBERS = "pg_stat_get_xact_tuples_deleted({oid}), pg_stat_get_xact_tuples_updated({oid})"
STATISTICS = f"""
    SELECT oid::bigint, coalesce(pg_partition_root(oid)::oid, oid)::bigint, {NUMBERS.format(oid="oid")} FROM pg_class
    WHERE (relkind IN ('r', 'm') OR oid = {LARGE_OBJECTS})
        AND (pg_stat_get_xact_tuples_deleted(oid) > 0 OR pg_stat_get_xact_tuples_updated(oid) > 0)"""
AT_FIRST_CHANGE = f"""
    SELECT 0, 0, (pg_current_xact_id_if_assigned() IS NOT NULL)::integer, 0 UNION ALL {STATISTICS} ORDER BY 1"""
"""The same, behind a row that tells whether the transaction has changed anything already."""
PARTITIONED = "SELECT pg_partition_root(to_regclass({name}))::oid::bigint WHERE pg_partition_root(to_regclass({name})) IS NOT NULL"
COUNTS_NOTHING = f"""
    SELECT reason FROM (VALUES
        (1, 'track_counts is off', current_setting('track_counts') = 'off'),
        (2, 'track_counts was set in this session',
            (SELECT source = 'session' FROM pg_settings WHERE name = 'track_counts')),
        (3, 'a function of this database names track_counts', EXISTS (
            SELECT FROM pg_proc WHERE oid >= {FIRST_USER_OID}
            AND prosrc || coalesce(proconfig::text, '') ILIKE '%track_counts%'))
    ) AS doubts (n, reason, holds) WHERE holds ORDER BY n"""
"""Why deleted rows may not have been counted: the server counts for those sessions only that have it on."""
LOCKED = f"""
    SELECT relation::bigint, bool_or(mode = 'AccessExclusiveLock'), bool_or(mode = 'RowExclusiveLock'),
        pg_stat_get_xact_tuples_deleted(relation), pg_stat_get_xact_tuples_inserted(relation),
        coalesce(pg_partition_root(relation)::oid, relation)::bigint
    FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted
        AND mode NOT IN ('AccessShareLock', 'RowShareLock') AND relation >= {FIRST_USER_OID}
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    GROUP BY relation
    UNION ALL SELECT {LARGE_OBJECTS}, false, false, pg_stat_get_xact_tuples_deleted({LARGE_OBJECTS}), 0, {LARGE_OBJECTS}"""
COLUMNS = """ARRAY(SELECT a.attnum::int FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)"""
NAMES = COLUMNS.replace("a.attnum::int FROM", "a.attname::text FROM")
TYPES = COLUMNS.replace("a.attnum::int FROM", "format_type(a.atttypid, a.atttypmod) FROM")
DERIVED = COLUMNS.replace("a.attnum > 0", "a.attnum > 0 AND a.attgenerated <> ''")
SEEN_BY_OTHERS = f"""
    SELECT c.oid::bigint, c.oid::regclass::text, c.relkind::text, c.relfilenode::bigint,
        greatest(c.reltuples::bigint, pg_stat_get_live_tuples(c.oid), 0),
        {COLUMNS}, {NAMES}, {DERIVED}, {TYPES}
    FROM pg_class c WHERE c.oid = ANY ({{oids}})
    AND c.oid NOT IN (SELECT to_regclass(name) FROM unnest({{ignored}}::text[]) AS name WHERE to_regclass(name) IS NOT NULL)
    AND c.relpersistence <> 't' AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass
        AND d.objid = c.oid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i'))"""
SEEN_BY_US = (
    f"SELECT c.oid::bigint, c.relfilenode::bigint, {COLUMNS}, {NAMES}, {TYPES}"
    " FROM pg_class c WHERE c.oid = ANY ({oids})"
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
    WHERE c.oid = to_regclass({name}) AND c.relkind IN ('r', 'p', 'm')"""

TREE = """
    WITH RECURSIVE tree (oid) AS (SELECT {oid}::oid
        UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid)
    SELECT oid::bigint FROM tree"""
COUNTED = """
    WITH RECURSIVE tree (oid) AS (SELECT {oid}::oid
        UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid)
    SELECT tree.oid::bigint, {answers} FROM tree LEFT JOIN (
        SELECT tableoid, {counts} FROM {name} GROUP BY tableoid) AS counted ON counted.tableoid = tree.oid"""
"""The table's own rows and those of its partitions and inheritance children, each apart."""
VALUES_NOW = """
    SELECT count(*), count({column}), coalesce(min({column}::text) <> max({column}::text), false) FROM ONLY {name}"""
