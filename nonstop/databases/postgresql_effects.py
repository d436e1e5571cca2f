"""What a strong statement did: the locks that its session holds after it, the tables whose files are new, those that it
has read from end to end, and how many of their rows it has updated or deleted.

Asked on the statement's own session, for nobody else sees its files before the commit. Nothing here waits for a lock.
"""

from __future__ import annotations

from collections.abc import Sequence

from nonstop.databases.base import DBAPIConnection, Look
from nonstop.descriptions.activity import Effect

SEEN = """
    SELECT c.oid::bigint, coalesce(pg_relation_filenode(c.oid), 0)::bigint, pg_stat_get_xact_numscans(c.oid),
        pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid)
    FROM pg_class c WHERE"""
# The tables, those that inherit from them (partitions, say), and the indexes of all of them.
FILES = f"""
    WITH named AS (SELECT to_regclass(name)::oid AS oid FROM unnest(%s::text[]) AS name),
        tables AS (SELECT oid FROM named UNION SELECT inhrelid FROM pg_inherits JOIN named ON inhparent = named.oid)
    {SEEN} c.oid IN (SELECT oid FROM tables)
        OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid IN (SELECT oid FROM tables))"""
FILES_OF_ALL = f"""
    {SEEN} c.relkind IN ('r', 'm', 'i', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384"""
EFFECT = """
    SELECT ARRAY(
        SELECT DISTINCT l.relation::regclass::text || ' ' || l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
        WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND l.mode = ANY (%(modes)s)
            AND c.relkind IN ('r', 'p', 'm', 'v') AND c.relpersistence <> 't' AND c.oid >= 16384 ORDER BY 1
    ), ARRAY(
        SELECT DISTINCT coalesce(x.indrelid, c.oid)::regclass::text
        FROM unnest(%(oids)s::bigint[], %(files)s::bigint[]) AS before(oid, file) JOIN pg_class c ON c.oid = before.oid
        LEFT JOIN pg_index x ON x.indexrelid = c.oid
        WHERE coalesce(pg_relation_filenode(c.oid), 0) <> before.file ORDER BY 1
    ), ARRAY(
        SELECT c.oid::regclass::text
        FROM unnest(%(oids)s::bigint[], %(scans)s::bigint[]) AS before(oid, scans) JOIN pg_class c ON c.oid = before.oid
        WHERE c.relkind IN ('r', 'm') AND pg_stat_get_xact_numscans(c.oid) > before.scans ORDER BY 1
    ), ARRAY(
        SELECT c.oid::regclass::text || ' '
            || pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid) - before.changed
        FROM unnest(%(oids)s::bigint[], %(changes)s::bigint[]) AS before(oid, changed) JOIN pg_class c ON c.oid = before.oid
        WHERE c.relkind = 'r'
            AND pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid) > before.changed ORDER BY 1)"""
MODES = {
    "ShareUpdateExclusiveLock": "SHARE UPDATE EXCLUSIVE",
    "ShareLock": "SHARE",
    "ShareRowExclusiveLock": "SHARE ROW EXCLUSIVE",
    "ExclusiveLock": "EXCLUSIVE",
    "AccessExclusiveLock": "ACCESS EXCLUSIVE",
}


def look(connection: DBAPIConnection, relations: Sequence[str]) -> Look:
    """The files of ``relations`` by their oids; names that don't exist are passed over."""
    with connection.cursor() as cursor:
        cursor.execute(FILES, (list(relations),))
        return {oid: tuple(seen) for oid, *seen in cursor.fetchall()}


def look_at_all(connection: DBAPIConnection) -> Look:
    """The files of every table and index of users."""
    with connection.cursor() as cursor:
        cursor.execute(FILES_OF_ALL)
        return {oid: tuple(seen) for oid, *seen in cursor.fetchall()}


def effect_since(connection: DBAPIConnection, before: Look) -> Effect:
    """The locks held now, and which of the tables of ``before`` have a new file for themselves or for an index, or were
    read from end to end."""
    parameters = {
        "modes": [*MODES],
        "oids": [*before],
        "files": [file for file, _, _ in before.values()],
        "scans": [scans for _, scans, _ in before.values()],
        "changes": [changed for _, _, changed in before.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(EFFECT, parameters)
        locks, rewritten, scanned, changed = cursor.fetchone()
    return Effect(
        tuple(_in_words(*lock.rsplit(" ", 1)) for lock in locks),
        tuple(rewritten),
        tuple(scanned),
        tuple((table, int(rows)) for table, rows in (one.rsplit(" ", 1) for one in changed)),
    )


def _in_words(table: str, mode: str) -> str:
    return f"{table} {MODES[mode]}"
