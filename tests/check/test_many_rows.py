"""Many rows out of a few: keys stay unique, foreign keys stay whole, and giving up is no error."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from nonstop.check.rows.many import multiply
from nonstop.databases import open_database
from tests.support.operations import send

MANY = 2_000


def multiplied(url: str, table: str, schema: str | None = None) -> int:
    database = open_database(url)
    engine = database.engine()
    try:
        reached = multiply(engine, database, table, schema, MANY)
        with engine.connect() as connection:
            name = f"{schema}.{table}" if schema else table
            assert connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar() == reached
        return reached
    finally:
        engine.dispose()


POSSIBLE = {
    "numbers": ["CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1), (5)"],
    "numbers at their end": ["CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (2147483647)"],
    "no key": ["CREATE TABLE t (v VARCHAR(3))", "INSERT INTO t VALUES ('abc')"],
    "texts": ["CREATE TABLE t (k VARCHAR(12) PRIMARY KEY, l TEXT UNIQUE)", "INSERT INTO t VALUES ('abcdefghijkl', 'x')"],
    "short texts": ["CREATE TABLE t (k CHAR(5) UNIQUE)", "INSERT INTO t VALUES ('abcde')"],
    "decimals": ["CREATE TABLE t (n NUMERIC(8, 2) UNIQUE)", "INSERT INTO t VALUES (1.5)"],
    "dates": ["CREATE TABLE t (d DATE PRIMARY KEY)", "INSERT INTO t VALUES ('2026-01-31')"],
    "times": ["CREATE TABLE t (d TIMESTAMP PRIMARY KEY)", "INSERT INTO t VALUES ('2026-01-31 00:00:00')"],
    "children": [
        "CREATE TABLE p (id INTEGER PRIMARY KEY)",
        "INSERT INTO p VALUES (1)",
        "CREATE TABLE t (p_id INTEGER NOT NULL REFERENCES p (id), no INTEGER, PRIMARY KEY (p_id, no))",
        "INSERT INTO t VALUES (1, 1)",
    ],
    "a generated column": [
        "CREATE TABLE t (id INTEGER PRIMARY KEY, twice INTEGER GENERATED ALWAYS AS (id * 2) STORED)",
        "INSERT INTO t VALUES (1)",
    ],
    "odd names": ['CREATE TABLE t ("50% \\:p" INTEGER PRIMARY KEY, "a""b" TEXT)', "INSERT INTO t VALUES (1, 'x')"],
}  # fmt: skip
IMPOSSIBLE = {
    "no rows": (["CREATE TABLE t (id INTEGER PRIMARY KEY)"], 0),
    "only a reference is unique": (
        [
            "CREATE TABLE p (id INTEGER PRIMARY KEY)",
            "INSERT INTO p VALUES (1)",
            "CREATE TABLE t (p_id INTEGER PRIMARY KEY REFERENCES p (id))",
            "INSERT INTO t VALUES (1)",
        ],
        1,
    ),
    "few values": (["CREATE TABLE t (v BOOLEAN UNIQUE)", "INSERT INTO t VALUES (true)"], 1),
    "a condition": (
        ["CREATE TABLE t (v VARCHAR(9) PRIMARY KEY CHECK (v IN ('a', 'b')))", "INSERT INTO t VALUES ('a')"],
        1,
    ),
}
ONLY_POSTGRESQL = {
    "an identity": [
        "CREATE TABLE t (id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v TEXT)",
        "INSERT INTO t (v) VALUES ('x')",
    ],
    "uuids": [
        "CREATE TABLE t (id UUID PRIMARY KEY)",
        "INSERT INTO t VALUES ('12345678-1234-1234-1234-123456789abc')",
    ],
    "other types are copied": [
        "CREATE TYPE mood AS ENUM ('ok')",
        "CREATE TABLE t (id SERIAL PRIMARY KEY, m mood, j JSONB, a INTEGER[], p POINT)",
        "INSERT INTO t (m, j, a, p) VALUES ('ok', '{}', '{1}', '(1, 2)')",
    ],
}


@pytest.mark.parametrize("statements", POSSIBLE.values(), ids=POSSIBLE)
def test_a_table_grows(database_url: str, statements: list[str]) -> None:
    send(database_url, *statements)
    assert multiplied(database_url, "t") == MANY


@pytest.mark.parametrize("statements", ONLY_POSTGRESQL.values(), ids=ONLY_POSTGRESQL)
def test_what_only_postgresql_has(postgres_url: str, statements: list[str]) -> None:
    send(postgres_url, *statements)
    assert multiplied(postgres_url, "t") == MANY


@pytest.mark.parametrize(("statements", "reached"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_can_not_grow_stays_as_it_is(database_url: str, statements: list[str], reached: int) -> None:
    send(database_url, *statements)
    assert multiplied(database_url, "t") == reached


def test_a_table_in_another_schema(postgres_url: str) -> None:
    send(
        postgres_url,
        "CREATE SCHEMA shop",
        "CREATE TABLE shop.t (id INTEGER PRIMARY KEY)",
        "INSERT INTO shop.t VALUES (1)",
    )
    assert multiplied(postgres_url, "t", "shop") == MANY


def test_a_large_table_stays_as_it_is(database_url: str) -> None:
    send(
        database_url, "CREATE TABLE t (id INTEGER)", f"INSERT INTO t VALUES {', '.join(['(1)'] * (MANY + 1))}"
    )
    assert multiplied(database_url, "t") == MANY + 1
