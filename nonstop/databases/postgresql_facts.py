"""Asks the catalog what the text of a statement left open: the conditions of a :class:`Need`."""

from __future__ import annotations

from collections.abc import Iterable

from nonstop.databases.base import DBAPIConnection
from nonstop.descriptions.statements import Condition, Fact

# A table, and all its children and partitions.
_TREE = """
    WITH RECURSIVE tree AS (
        SELECT to_regclass(%(of)s)::oid AS oid
        UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid
    )
"""
QUERIES = {
    # PostgreSQL itself takes such a CHECK for a proof (manual, ALTER TABLE, "SET NOT NULL").
    Fact.COLUMN_IS_NOT_NULL: f"""{_TREE}
        SELECT bool_and(a.attnotnull OR EXISTS (
            SELECT FROM pg_constraint k WHERE k.conrelid = tree.oid AND k.contype = 'c' AND k.convalidated
            AND pg_get_expr(k.conbin, k.conrelid) = '(' || quote_ident(a.attname) || ' IS NOT NULL)'))
        FROM tree JOIN pg_attribute a ON a.attrelid = tree.oid AND a.attname = %(subject)s""",
    Fact.INDEX_IS_NOT_NULL: """
        SELECT bool_and(a.attnotnull) FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid
        AND a.attnum = ANY (x.indkey) WHERE x.indexrelid = to_regclass(%(subject)s)""",
    Fact.TYPE_IS_NO_DOMAIN: "SELECT typtype <> 'd' FROM pg_type WHERE oid = to_regtype(%(subject)s)",
    Fact.FUNCTION_IS_NOT_VOLATILE: """
        SELECT bool_and(provolatile <> 'v') FROM pg_proc
        WHERE proname = (parse_ident(%(subject)s))[cardinality(parse_ident(%(subject)s))]""",
    Fact.NO_DEFAULT_PARTITION: """
        SELECT partdefid = 0 FROM pg_partitioned_table WHERE partrelid = to_regclass(%(subject)s)""",
    Fact.NAME_IS_FREE: """
        SELECT NOT EXISTS (SELECT FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
            WHERE c.oid = to_regclass(%(subject)s) AND coalesce(i.indisvalid, true))""",
    # No row is read or written then (manual, ALTER TABLE, "Notes"). CHECKs, and indexes over expressions or with a
    # condition, are made again nevertheless, which reads every row; so are those of tables that hang together.
    Fact.TYPE_IS_WIDER: """
        WITH named AS (
            SELECT a.attrelid, a.attnum, a.atttypid AS old, a.atttypmod AS had, to_regtype(%(type)s)::oid AS new,
                (regexp_match(%(type)s, '\\(\\s*(\\d+)'))[1]::int AS length,
                (regexp_match(%(type)s, ',\\s*(\\d+)\\s*\\)'))[1]::int AS scale
            FROM pg_attribute a WHERE a.attrelid = to_regclass(%(of)s) AND a.attname = %(subject)s AND a.attnum > 0
        ), typed AS (
            SELECT named.*, CASE
                WHEN length IS NULL THEN -1
                WHEN new = 'varchar'::regtype THEN length + 4
                WHEN new = 'numeric'::regtype THEN (length << 16 | coalesce(scale, 0)) + 4
                ELSE length END AS gets
            FROM named
        )
        SELECT CASE
                WHEN new IN ('text'::regtype, 'varchar'::regtype) AND old IN ('text'::regtype, 'varchar'::regtype)
                    THEN gets = -1 OR (had >= 0 AND gets >= had)
                WHEN old = 'cidr'::regtype AND new = 'inet'::regtype THEN true
                WHEN old <> new THEN false
                WHEN had = gets THEN true
                WHEN new = 'numeric'::regtype
                    THEN gets = -1 OR (had >= 0 AND gets >= had AND (gets - 4) & 65535 = (had - 4) & 65535)
                WHEN new IN ('varbit'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype, 'time'::regtype,
                        'timetz'::regtype)
                    THEN gets = -1 OR (had >= 0 AND gets >= had)
                ELSE false END
            AND (SELECT relkind = 'r' AND NOT relispartition FROM pg_class WHERE oid = attrelid)
            AND NOT EXISTS (SELECT FROM pg_inherits WHERE attrelid IN (inhrelid, inhparent))
            AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = attrelid AND contype IN ('c', 'x')
                AND attnum = ANY (conkey))
            AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid
                AND (indexprs IS NOT NULL OR indpred IS NOT NULL))
        FROM typed""",
    Fact.PARTITION_IS_PREPARED: """
        WITH keys AS (
            SELECT unnest(partattrs::int2[]) AS attnum FROM pg_partitioned_table WHERE partrelid = to_regclass(%(of)s)
        ), checked AS (
            SELECT unnest(conkey) AS attnum FROM pg_constraint
            WHERE conrelid = to_regclass(%(subject)s) AND contype = 'c' AND convalidated
        ), indexes AS (
            SELECT x.indrelid, x.indisunique, array(
                SELECT a.attname FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
                JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum ORDER BY place) AS columns,
                x.indisvalid
            FROM pg_index x WHERE x.indexprs IS NULL AND x.indpred IS NULL
        ), referenced AS (
            SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f' AND convalidated
        )
        SELECT (SELECT count(*) FROM keys) > 0
            AND NOT EXISTS (SELECT a.attname FROM keys LEFT JOIN pg_attribute a
                    ON a.attrelid = to_regclass(%(of)s) AND a.attnum = keys.attnum AND a.attnum > 0
                EXCEPT SELECT a.attname FROM checked JOIN pg_attribute a
                    ON a.attrelid = to_regclass(%(subject)s) AND a.attnum = checked.attnum)
            AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = to_regclass(%(of)s)
                AND (indexprs IS NOT NULL OR indpred IS NOT NULL))
            AND NOT EXISTS (SELECT indisunique, columns FROM indexes WHERE indrelid = to_regclass(%(of)s)
                EXCEPT SELECT indisunique, columns FROM indexes
                    WHERE indrelid = to_regclass(%(subject)s) AND indisvalid)
            AND NOT EXISTS (SELECT confrelid FROM referenced WHERE conrelid = to_regclass(%(of)s)
                EXCEPT SELECT confrelid FROM referenced WHERE conrelid = to_regclass(%(subject)s))""",
}


def confirms(connection: DBAPIConnection, conditions: Iterable[Condition]) -> bool:
    """Whether the catalog confirms every one of ``conditions``.

    ``connection`` is the script's own, so that it sees what the script has made.
    """
    return all(_holds(connection, condition) for condition in conditions)


def _parameters(condition: Condition) -> dict[str, str]:
    """The parameters of a condition's query."""
    return {"subject": condition.subject, "of": condition.of, "type": condition.type}


def _holds(connection: DBAPIConnection, condition: Condition) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[condition.fact], _parameters(condition))
        row = cursor.fetchone()
    return row is not None and row[0] is True
