"""Rows for a scratch database: they suit what is there, and what a script is going to ask of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from nonstop.check.rows.filling import Filled, fill
from nonstop.databases import open_database
from tests.support.databases import fresh_database
from tests.support.operations import send
from tests.support.postgres_server import Server

SHOP = [
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, email VARCHAR(40) NOT NULL UNIQUE, note TEXT)",
    """CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id),
        status VARCHAR(20) NOT NULL, amount INTEGER, item_no TEXT, parent_id INTEGER REFERENCES orders (id))""",
]


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = open_database(url).engine()
    try:
        yield engine
    finally:
        engine.dispose()


def filled(url: str, fits: str | None = None, **options: Any) -> Filled:
    """What ``fill`` makes of the database at ``url``."""
    with ExitStack() as stack:
        engine = stack.enter_context(opened(url))
        other = None if fits is None else stack.enter_context(opened(fits))
        return fill(engine, open_database(url), other, **options)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with opened(url) as engine, engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


@pytest.fixture
def after_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """A second database of the same kind, for the schema after a script."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'after.db'}"
    else:
        server: Server = request.getfixturevalue("postgres_server")
        with fresh_database(server.url) as url:
            yield url


# --- what is there --------------------------------------------------------------------------------------------


def test_parents_come_before_children(database_url: str) -> None:
    send(database_url, *SHOP)
    assert filled(database_url) == Filled({"customers": 3, "orders": 3}, {}, {})
    orphans = "SELECT * FROM orders WHERE customer_id NOT IN (SELECT id FROM customers)"
    assert rows(database_url, orphans) == []


def test_all_but_one_row_have_values_in_every_column(database_url: str) -> None:
    send(database_url, *SHOP)
    filled(database_url)
    with_nulls = "SELECT count(*) FROM orders WHERE amount IS NULL AND item_no IS NULL"
    without = "SELECT count(*) FROM orders WHERE amount IS NOT NULL AND item_no IS NOT NULL AND parent_id IS NOT NULL"
    assert rows(database_url, with_nulls) == [(1,)]
    assert rows(database_url, without) == [(2,)]


def test_rows_that_are_there_stay_and_count(database_url: str) -> None:
    send(database_url, *SHOP, "INSERT INTO customers VALUES (7, 'x', NULL), (8, 'y', NULL)")
    assert filled(database_url).rows == {"customers": 1, "orders": 3}
    assert filled(database_url).rows == {}
    assert rows(database_url, "SELECT id FROM customers WHERE id > 6 ORDER BY id") == [(7,), (8,)]


def test_ignored_tables_stay_empty(database_url: str) -> None:
    send(database_url, *SHOP)
    assert filled(database_url, ignored=frozenset({"orders"})).rows == {"customers": 3}


CONDITIONS = {
    "a list of texts": "status VARCHAR(20) NOT NULL CHECK (status IN ('new', 'paid'))",
    "a range": "amount INTEGER NOT NULL CHECK (amount BETWEEN 500 AND 600)",
    "a length": "code VARCHAR(20) NOT NULL CHECK (length(code) = 9)",
    "a pattern": "email VARCHAR(20) NOT NULL CHECK (email LIKE '%@%')",
    "two columns": "low INTEGER NOT NULL, high INTEGER NOT NULL, CONSTRAINT c CHECK (low < high AND high > 77)",
    "unique": "pair VARCHAR(2) NOT NULL UNIQUE",
    "unique together": "a INTEGER NOT NULL, b VARCHAR(9) NOT NULL, UNIQUE (a, b)",
    "generated": "a INTEGER NOT NULL, b INTEGER GENERATED ALWAYS AS (a * 2) STORED",
    "a default": "a INTEGER NOT NULL DEFAULT 7",
}


@pytest.mark.parametrize("columns", CONDITIONS.values(), ids=CONDITIONS)
def test_conditions_are_met(database_url: str, columns: str) -> None:
    send(database_url, f"CREATE TABLE t (id INTEGER PRIMARY KEY, {columns})")
    assert filled(database_url) == Filled({"t": 3}, {}, {})


ONLY_POSTGRESQL = {
    "identity": ["CREATE TABLE t (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v TEXT)"],
    "serial": ["CREATE TABLE t (id SERIAL PRIMARY KEY, v TEXT)"],
    "an enum": ["CREATE TYPE mood AS ENUM ('ok', 'bad')", "CREATE TABLE t (id INTEGER PRIMARY KEY, m mood NOT NULL)"],
    "a domain": [
        "CREATE DOMAIN percent AS INTEGER CHECK (VALUE BETWEEN 60 AND 70)",
        "CREATE TABLE t (p percent NOT NULL)",
    ],
    "arrays and more": ["CREATE TABLE t (a INTEGER[] NOT NULL, j JSONB NOT NULL, u UUID NOT NULL, i INET NOT NULL)"],
    "a partition": [
        "CREATE TABLE t (day DATE NOT NULL, v INTEGER) PARTITION BY RANGE (day)",
        "CREATE TABLE t_2031 PARTITION OF t FOR VALUES FROM ('2031-01-01') TO ('2032-01-01')",
    ],
    "a list of partitions": [
        "CREATE TABLE t (region TEXT NOT NULL) PARTITION BY LIST (region)",
        "CREATE TABLE t_eu PARTITION OF t FOR VALUES IN ('eu', 'uk')",
    ],
}  # fmt: skip


@pytest.mark.parametrize("statements", ONLY_POSTGRESQL.values(), ids=ONLY_POSTGRESQL)
def test_what_only_postgresql_has(postgres_url: str, statements: list[str]) -> None:
    send(postgres_url, *statements)
    assert filled(postgres_url) == Filled({"t": 3}, {}, {})


def test_numbers_go_on_after_the_rows(postgres_url: str) -> None:
    send(postgres_url, "CREATE TABLE t (id SERIAL PRIMARY KEY, v TEXT)")
    filled(postgres_url)
    send(postgres_url, "INSERT INTO t (v) VALUES ('x')")


def test_circles_are_closed_where_they_may_be_open(database_url: str) -> None:
    send(
        database_url,
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER)",
        "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER NOT NULL REFERENCES a (id))",
    )
    if database_url.startswith("postgres"):
        send(database_url, "ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b (id)")
    assert filled(database_url).rows == {"a": 3, "b": 3}


def test_keys_of_several_columns_agree(database_url: str) -> None:
    send(
        database_url,
        "CREATE TABLE tenants (id INTEGER PRIMARY KEY)",
        "CREATE TABLE users (tenant_id INTEGER NOT NULL REFERENCES tenants (id), no INTEGER, PRIMARY KEY (tenant_id, no))",
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL REFERENCES tenants (id), user_no INTEGER NOT NULL,"
        " FOREIGN KEY (tenant_id, user_no) REFERENCES users (tenant_id, no))",
    )
    assert filled(database_url).rows == {"tenants": 3, "users": 3, "posts": 3}
    agreeing = "SELECT count(*) FROM posts p JOIN users u ON p.tenant_id = u.tenant_id AND u.no = p.user_no"
    assert rows(database_url, agreeing) == [(3,)]


def test_why_there_is_no_row(database_url: str) -> None:
    send(database_url, "CREATE TABLE t (a INTEGER NOT NULL, CONSTRAINT never CHECK (a < 0 AND a > 0))")
    found = filled(database_url)
    assert found.rows == {}
    assert "never" in found.empty["t"]


# --- what a script will ask -------------------------------------------------------------------------------------

LATER = {
    "a condition": "status VARCHAR(20) NOT NULL CHECK (status IN ('open', 'closed'))",
    "another type": "status INTEGER NOT NULL",
    "a date": "status DATE NOT NULL",
    "shorter": "status VARCHAR(1) NOT NULL",
}


@pytest.mark.parametrize("column", LATER.values(), ids=LATER)
def test_rows_suit_the_schema_after_a_script(database_url: str, after_url: str, column: str) -> None:
    send(database_url, "CREATE TABLE orders (id INTEGER PRIMARY KEY, status VARCHAR(20))")
    send(after_url, f"CREATE TABLE orders (id INTEGER PRIMARY KEY, {column})")
    assert filled(database_url, after_url) == Filled({"orders": 3}, {}, {})
    made = rows(database_url, "SELECT id, status FROM orders")
    with opened(after_url) as engine, engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM orders")).scalar() == 0
        for row in made:
            literals = ", ".join(f"'{value}'" for value in row)
            connection.exec_driver_sql(f"INSERT INTO orders VALUES ({literals})")


def test_a_foreign_key_and_a_unique_column_to_come(database_url: str, after_url: str) -> None:
    send(
        database_url,
        "CREATE TABLE customers (id INTEGER PRIMARY KEY)",
        "INSERT INTO customers VALUES (50), (60), (70)",
        "CREATE TABLE bills (id INTEGER PRIMARY KEY, customer_id INTEGER, code BOOLEAN)",
    )
    send(
        after_url,
        "CREATE TABLE customers (id INTEGER PRIMARY KEY)",
        "CREATE TABLE bills (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), code BOOLEAN)",
    )
    assert filled(database_url, after_url).rows == {"bills": 3}
    assert rows(database_url, "SELECT customer_id FROM bills ORDER BY 1") == [(50,), (60,), (70,)]


def test_new_columns_and_gone_tables_are_no_matter(database_url: str, after_url: str) -> None:
    send(
        database_url,
        "CREATE TABLE orders (id INTEGER PRIMARY KEY)",
        "CREATE TABLE old (id INTEGER PRIMARY KEY)",
    )
    send(after_url, "CREATE TABLE orders (id INTEGER PRIMARY KEY, vin VARCHAR(9) NOT NULL)")
    assert filled(database_url, after_url) == Filled({"orders": 3, "old": 3}, {}, {})


def test_rows_that_can_not_suit_both_are_made_and_named(database_url: str, after_url: str) -> None:
    send(database_url, "CREATE TABLE orders (id INTEGER PRIMARY KEY, v INTEGER NOT NULL CHECK (v < 10))")
    send(
        after_url,
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, v INTEGER NOT NULL CONSTRAINT high CHECK (v > 20))",
    )
    found = filled(database_url, after_url)
    assert found.rows == {"orders": 3}
    assert "high" in found.unfit["orders"]


def test_an_identity_that_always_counts_keeps_its_numbers_in_both(
    postgres_url: str, postgres_server: Server
) -> None:
    table = "CREATE TABLE customers (id INTEGER GENERATED ALWAYS AS IDENTITY (START WITH 5) PRIMARY KEY)"
    child = "CREATE TABLE bills (customer_id INTEGER NOT NULL REFERENCES customers (id))"
    send(postgres_url, table, child)
    with fresh_database(postgres_server.url) as after:
        send(after, table.replace("5", "900"), child)
        assert filled(postgres_url, after) == Filled({"customers": 3, "bills": 3}, {}, {})


def test_the_same_rows_each_time(database_url: str, after_url: str) -> None:
    made = []
    for url in (database_url, after_url):
        send(url, *SHOP)
        filled(url)
        made.append(rows(url, "SELECT * FROM orders ORDER BY id"))
    assert made[0] == made[1]
