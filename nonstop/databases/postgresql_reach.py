"""Which tables a statement locks, as the catalog knows them: the named ones, and those that hang on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nonstop.databases.base import DBAPIConnection
from nonstop.descriptions.statements import Need, Reach, Reached

# Asked on the script's own session: it may have made tables, or set its search_path.
NAMED = """
    SELECT to_regclass(name)::oid FROM unnest(%(relations)s::text[]) AS name WHERE to_regclass(name) IS NOT NULL
    UNION SELECT indrelid FROM pg_index
        WHERE indexrelid IN (SELECT to_regclass(name)::oid FROM unnest(%(indexes)s::text[]) AS name)"""
FURTHER = {
    Reach.CHILDREN: "SELECT inhrelid FROM pg_inherits WHERE inhparent = ANY (%s)",
    Reach.REFERENCED: "SELECT confrelid FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY (%s)",
    Reach.REFERENCING: "SELECT conrelid FROM pg_constraint WHERE contype = 'f' AND confrelid = ANY (%s)",
    Reach.PARENT: """
        SELECT unnest(ARRAY[i.inhparent, nullif(p.partdefid, 0)]) FROM pg_inherits i
        JOIN pg_partitioned_table p ON p.partrelid = i.inhparent WHERE i.inhrelid = ANY (%s)""",
    Reach.DEFAULT_PARTITION: """
        SELECT partdefid FROM pg_partitioned_table WHERE partdefid <> 0 AND partrelid = ANY (%s)""",
    Reach.OWNED: """
        SELECT s.oid FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass
        WHERE s.relkind = 'S' AND d.deptype IN ('a', 'i') AND d.refobjid = ANY (%s)""",
}
# Tables of the session alone are in nobody's way.
DESCRIBED = """
    SELECT c.oid, format('%%I.%%I', n.nspname, c.relname), c.relkind = 'p'
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = ANY (%s) AND c.relpersistence <> 't' ORDER BY c.oid"""
HAS_LOCKED = """
    SELECT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation = ANY (%s)
        AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))"""
SIZE = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM unnest(%s::oid[]) AS oid"
SIZE_OF_ALL = """
    SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
    WHERE relkind IN ('r', 'm') AND relpersistence <> 't' AND relnamespace::regnamespace::text NOT IN
        ('pg_catalog', 'information_schema', 'pg_toast')"""


def reached(connection: DBAPIConnection, need: Need) -> list[Reached]:
    """The tables that ``need`` locks more strongly than ROW EXCLUSIVE; temporary and absent ones are left out."""
    found = {
        oid
        for (oid,) in _rows(connection, NAMED, {"relations": [*need.relations], "indexes": [*need.indexes]})
    }
    before: set[int] = set()
    while found and found != before:  # children of children, and what those refer to
        before = set(found)
        for reach, query in FURTHER.items():
            if reach in need.reach:
                found |= {oid for (oid,) in _rows(connection, query, ([*found],)) if oid is not None}
    return [Reached(*row) for row in _rows(connection, DESCRIBED, ([*found],))] if found else []


def has_locked(connection: DBAPIConnection, tables: Iterable[Reached]) -> bool:
    """Whether the session holds a lock on one of ``tables`` that keeps writers waiting."""
    return bool(_rows(connection, HAS_LOCKED, ([table.oid for table in tables],))[0][0])


def size(connection: DBAPIConnection, tables: Iterable[Reached]) -> int:
    """Bytes of the tables and their indexes; partitions count where they are among ``tables``."""
    return int(_rows(connection, SIZE, ([table.oid for table in tables],))[0][0])


def size_of_all(connection: DBAPIConnection) -> int:
    """Bytes of all tables that are no part of PostgreSQL itself."""
    return int(_rows(connection, SIZE_OF_ALL, None)[0][0])


def _rows(connection: DBAPIConnection, query: str, parameters: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())
