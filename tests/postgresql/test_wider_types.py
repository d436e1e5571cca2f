"""Which changes of a column's type neither read nor rewrite the table: what the catalog tells is what the server does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from nonstop.databases.postgresql_facts import confirms
from nonstop.databases.postgresql_statements import classify
from tests.support.databases import fresh_database
from tests.support.postgres_server import Server

FREE = [
    ("varchar(20)", "varchar(40)"),
    ("varchar(20)", "varchar"),
    ("varchar(20)", "text"),
    ("character varying (20)", "CHARACTER VARYING (21)"),
    ("text", "varchar"),
    ("varchar(20)", "varchar(20)"),
    ("numeric(10,2)", "numeric(12,2)"),
    ("numeric(10,2)", "numeric"),
    ("numeric(10)", "decimal(11, 0)"),
    ("timestamp(3)", "timestamp(6)"),
    ("timestamp(3)", "timestamp"),
    ("timestamptz(0)", "timestamp(3) with time zone"),
    ("time(1)", "time(2)"),
    ("varbit(4)", "bit varying(8)"),
    ("varbit(4)", "varbit"),
    ("cidr", "inet"),
    ("integer", "int4"),
]
COSTLY = [
    ("varchar(40)", "varchar(20)"),
    ("text", "varchar(20)"),
    ("varchar", "varchar(20)"),
    ("numeric(10,2)", "numeric(12,3)"),
    ("numeric(12,2)", "numeric(10,2)"),
    ("numeric", "numeric(10,2)"),
    ("timestamp(6)", "timestamp(3)"),
    ("timestamp", "timestamptz"),
    ("integer", "bigint"),
    ("char(4)", "char(5)"),
    ("char(4)", "text"),
    ("inet", "cidr"),
    ("bit(4)", "varbit"),
]
HANGS_ON_IT = [
    "ALTER TABLE t ADD CHECK (length(v) > 0)",
    "CREATE INDEX ON t (lower(v))",
    "CREATE INDEX ON t (id) WHERE v <> ''",
    "CREATE TABLE child () INHERITS (t)",
]
EFFORT = """
    SELECT array_agg((c.relname, c.relfilenode) ORDER BY c.relname), pg_stat_get_xact_numscans('t'::regclass)
    FROM pg_class c WHERE c.relname IN ('t', 't_v_idx')"""


@pytest.fixture
def table(postgres_server: Server) -> Iterator[psycopg.Connection[Any]]:
    with fresh_database(postgres_server.url) as url, psycopg.connect(url) as connection:
        yield connection


def judged_and_seen(connection: psycopg.Connection[Any], old: str, new: str, *more: str) -> tuple[bool, bool]:
    """Whether it is said to be free, and whether it was: no file is new, and nothing was read."""
    connection.execute(f"CREATE TABLE t (id INTEGER, v {old})".encode())
    connection.execute(b"CREATE INDEX ON t (v)")
    for statement in more:
        connection.execute(statement.encode())
    change = f"ALTER TABLE t ALTER COLUMN v TYPE {new}"
    if "cidr" in (old, new) or old.startswith(("bit", "char")):
        change += f" USING v::{new}" if (old, new) == ("inet", "cidr") else ""
    need = classify(change)
    judged = bool(need.unless) and confirms(connection, need.unless)
    before = connection.execute(EFFORT).fetchone()
    connection.execute(change.encode())
    after = connection.execute(EFFORT).fetchone()
    return judged, before == after


@pytest.mark.parametrize(("old", "new"), FREE)
def test_a_wider_type_passes(table: psycopg.Connection[Any], old: str, new: str) -> None:
    assert judged_and_seen(table, old, new) == (True, True)


@pytest.mark.parametrize(("old", "new"), COSTLY)
def test_another_one_does_not(table: psycopg.Connection[Any], old: str, new: str) -> None:
    assert judged_and_seen(table, old, new) == (False, False)


@pytest.mark.parametrize("more", HANGS_ON_IT)
def test_nor_does_one_that_something_hangs_on(table: psycopg.Connection[Any], more: str) -> None:
    judged, _ = judged_and_seen(table, "varchar(20)", "varchar(40)", more)
    assert not judged
