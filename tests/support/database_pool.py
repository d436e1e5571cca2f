"""Empty PostgreSQL databases that are used again: emptying one takes a third to three quarters
of the time of making one (28 to 70 ms against 90, decision 0009).

A database goes back to the pool only if the test left nothing behind that ``DROP SCHEMA`` does not remove, such as an
extension, a publication, a setting or a right on the database itself; otherwise it is dropped.
"""

from __future__ import annotations

import atexit
from collections import defaultdict
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.support.waiting import until

FIRST_OWN_OID = 16384
"""PostgreSQL's own objects have smaller numbers (manual, "System Catalog Initial Data")."""
OUTSIDE_SCHEMAS = (
    "pg_event_trigger",
    "pg_publication",
    "pg_extension",
    "pg_largeobject_metadata",
    "pg_default_acl",
    "pg_cast",
    "pg_foreign_data_wrapper",
    "pg_language",
    "pg_am",
)
CHANGED_DATABASE = """
SELECT EXISTS (SELECT FROM pg_database AS one, pg_database AS template
               WHERE one.datname = current_database() AND template.datname = 'template0'
                 AND (one.datacl IS NOT NULL OR one.datdba <> template.datdba OR one.datconnlimit <> -1))
    OR EXISTS (SELECT FROM pg_db_role_setting JOIN pg_database AS one ON one.oid = setdatabase
               WHERE datname = current_database())
    OR EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database())
    OR EXISTS (SELECT FROM pg_replication_slots WHERE database = current_database())
    OR EXISTS (SELECT FROM pg_subscription JOIN pg_database AS one ON one.oid = subdbid
               WHERE datname = current_database())
    OR NOT EXISTS (SELECT FROM pg_namespace AS public JOIN pg_init_privs ON objoid = public.oid
                   WHERE nspname = 'public' AND classoid = 'pg_namespace'::regclass AND nspacl = initprivs
                     AND nspowner IN (SELECT oid FROM pg_roles WHERE oid = 10 OR rolname = 'pg_database_owner'))
"""
END_OTHERS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
OTHER_SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|public$)'"
IN_PUBLIC = """
SELECT object.type, object.identity
FROM pg_depend AS one, pg_identify_object(classid, objid, objsubid) AS object
WHERE refclassid = 'pg_namespace'::regclass AND refobjid = 'public'::regnamespace AND deptype = 'n'
"""
INDEPENDENT = """
  AND NOT EXISTS (SELECT FROM pg_depend AS owner
                  WHERE (owner.classid, owner.objid) = (one.classid, one.objid)
                    AND owner.refobjid <> one.objid AND owner.deptype IN ('a', 'i'))
"""
"""Leaves out what goes with another object, such as the sequence of a column."""

_free: dict[str, list[str]] = defaultdict(list)


def acquire(server_url: str) -> str:
    """Return the URL of an empty database on the server; ``release`` gives it back."""
    if _free[server_url]:
        return _free[server_url].pop()
    name = f"test_{uuid4().hex[:16]}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    return with_database(server_url, name)


def release(server_url: str, url: str) -> None:
    """End all sessions of the database, and empty it for its next use or drop it."""
    if _is_emptied(url):
        _free[server_url].append(url)
    else:
        _drop(server_url, url)


def _is_emptied(url: str) -> bool:
    """Empty the database; False where something would stay."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            until(lambda: connection.execute(END_OTHERS).fetchone() == (0,))
            if _has_changed(connection):
                return False
            connection.execute("SET lock_timeout = '10s'")
            for (schema,) in connection.execute(OTHER_SCHEMAS).fetchall():
                connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
            # The schema public stays: one that is made again has other rights in pg_dump's eyes.
            for kind, identity in connection.execute(IN_PUBLIC + INDEPENDENT).fetchall():
                connection.execute(f"DROP {kind.removesuffix(' object')} IF EXISTS {identity} CASCADE")
            return not connection.execute(IN_PUBLIC).fetchall()
    except psycopg.Error:
        return False


def _has_changed(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    counted = " + ".join(
        f"(SELECT count(*) FROM {catalog} WHERE oid >= {FIRST_OWN_OID})" for catalog in OUTSIDE_SCHEMAS
    )
    found = connection.execute(f"SELECT {counted} > 0 OR ({CHANGED_DATABASE})".encode()).fetchone()
    return found is None or bool(found[0])


def _drop(server_url: str, url: str) -> None:
    name = sql.Identifier(urlsplit(url).path[1:])
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def with_database(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@atexit.register
def _drop_all() -> None:
    """Leave nothing on a server that was given; one of ours is gone by now."""
    for server_url, urls in _free.items():
        with suppress(psycopg.Error):
            for url in urls:
                _drop(server_url, url)
