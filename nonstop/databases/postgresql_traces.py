"""What of a PostgreSQL database would show that a rehearsal had reached it: its catalog, its files, its sessions."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from nonstop.databases.postgresql import PostgreSQL

LOOK_EVERY = 0.02
"""Seconds."""
LIVE = (
    "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_(toast_)?temp_'"
)
# Rows of the catalog as they are: nothing is locked for that, and no definition need be put into words. Left out are
# what the server itself keeps in them (sizes, ages), and sessions' own tables. The files change by TRUNCATE, too.
RELATIONS = f"""
    WITH parts AS (
        SELECT attrelid AS relation, a::text AS part FROM pg_attribute a WHERE attnum > 0
        UNION ALL SELECT adrelid, d::text FROM pg_attrdef d
        UNION ALL SELECT conrelid, c::text FROM pg_constraint c
        UNION ALL SELECT indrelid, i::text FROM pg_index i
        UNION ALL SELECT indexrelid, i::text FROM pg_index i
        UNION ALL SELECT inhrelid, i::text FROM pg_inherits i
        UNION ALL SELECT tgrelid, t::text FROM pg_trigger t
        UNION ALL SELECT ev_class, r::text FROM pg_rewrite r
        UNION ALL SELECT polrelid, p::text FROM pg_policy p
        UNION ALL SELECT seqrelid, s::text FROM pg_sequence s)
    SELECT CASE c.relkind WHEN 'i' THEN 'index ' WHEN 'I' THEN 'index ' WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view '
        WHEN 'm' THEN 'view ' WHEN 'c' THEN 'type ' ELSE 'table ' END || format('%I.%I', n.nspname, c.relname),
        md5(concat_ws('|', c.oid, c.relfilenode, c.relkind, c.relowner, c.relacl, c.reloptions, c.relrowsecurity,
            c.relpersistence, c.reltablespace, string_agg(md5(p.part), '' ORDER BY md5(p.part))))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN parts p ON p.relation = c.oid
    WHERE {LIVE} GROUP BY c.oid, n.nspname"""
OTHERS = f"""
    SELECT 'function ' || p.oid::regprocedure, md5(p::text) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE {LIVE}
    UNION ALL SELECT 'type ' || format('%I.%I', n.nspname, t.typname), md5(concat_ws('|', t::text,
        (SELECT string_agg(e::text, '|' ORDER BY e.oid) FROM pg_enum e WHERE e.enumtypid = t.oid),
        (SELECT string_agg(c::text, '|' ORDER BY c.oid) FROM pg_constraint c WHERE c.contypid = t.oid)))
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE {LIVE} AND t.typtype <> 'c' AND t.typcategory <> 'A'
    UNION ALL SELECT 'schema ' || n.nspname, md5(n::text) FROM pg_namespace n WHERE {LIVE}
    UNION ALL SELECT 'extension ' || extname, md5(e::text) FROM pg_extension e
    UNION ALL SELECT 'settings of the database', coalesce(md5(string_agg(s::text, '|' ORDER BY s::text)), '')
    FROM pg_db_role_setting s WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())"""
SESSIONS = """
    SELECT pid, usename, coalesce(host(client_addr), 'a socket') FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = %s"""


def traces(database: PostgreSQL) -> Mapping[str, str]:
    """Each object in the catalog, and a checksum of all that the catalog says of it."""
    with closing(database.connect_reading()) as connection:
        return {
            name: checksum for query in (RELATIONS, OTHERS) for name, checksum in connection.execute(query)
        }


class Sightings:
    """The sessions in ``database`` that are called ``name``, looked for from now on."""

    def __init__(self, database: PostgreSQL, name: str) -> None:
        self._connection = database.connect(autocommit=True, application_name="nonstop check watch")
        self._name = name
        self._seen: dict[int, str] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="nonstop check watch", daemon=True)
        self._thread.start()

    def close(self) -> tuple[str, ...]:
        """End it. Who was seen."""
        self._ended.set()
        self._thread.join()
        self._connection.close()
        return tuple(self._seen.values())

    def _look(self) -> None:
        try:
            while True:
                is_last = self._ended.wait(LOOK_EVERY)
                for pid, user, address in self._sessions():
                    self._seen[pid] = f"a session of {user} from {address} (process {pid} of the server)"
                if is_last:
                    return
        except psycopg.Error as error:
            self._seen[0] = f"its sessions could not be watched to the end: {str(error).strip()}"

    def _sessions(self) -> list[tuple[Any, ...]]:
        return list(self._connection.execute(SESSIONS, [self._name]).fetchall())
