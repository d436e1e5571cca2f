"""A sample of real rows: what a row refers to comes along, and the source is only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from nonstop.check.rows.sample import _reading, sample
from nonstop.databases import open_database
from tests.support.databases import fresh_database
from tests.support.operations import send
from tests.support.postgres_server import Server

SHOP = [
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), earlier_id INTEGER REFERENCES orders (id))",
]
ROWS = [
    f"INSERT INTO customers VALUES {', '.join(f'({number}, {number})' for number in range(1, 101))}",
    # The customers of orders are those in the middle; each order refers to the one before it.
    "INSERT INTO orders VALUES (1, 50, NULL)",
    *(f"INSERT INTO orders VALUES ({n}, {50 + n % 5}, {n - 1})" for n in range(2, 31)),
]


@pytest.fixture
def target_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """A scratch database of the same kind."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'scratch.db'}"
    else:
        server: Server = request.getfixturevalue("postgres_server")
        with fresh_database(server.url) as url:
            yield url


def sampled(source: str, target: str, per_table: int = 10) -> dict[str, int]:
    source_engine, database = open_database(source).engine(), open_database(target)
    engine = database.engine()
    try:
        return sample(source_engine, engine, database, per_table)
    finally:
        source_engine.dispose()
        engine.dispose()


def numbers(url: str, query: str) -> list[int]:
    engine = open_database(url).engine()
    with engine.connect() as connection:
        found = list(connection.scalars(sa.text(query)))
    engine.dispose()
    return found


def test_rows_come_with_all_that_they_refer_to(database_url: str, target_url: str) -> None:
    send(database_url, *SHOP, *ROWS)
    send(target_url, *SHOP)
    counts = sampled(database_url, target_url)
    assert counts == {"customers": 15, "orders": 30}  # an order brings all that are before it
    assert numbers(target_url, "SELECT id FROM customers WHERE id BETWEEN 11 AND 90 ORDER BY id") == [
        50,
        51,
        52,
        53,
        54,
    ]
    assert numbers(target_url, "SELECT count(*) FROM orders WHERE earlier_id = id - 1") == [29]


def test_few_rows_are_copied_of_many(database_url: str, target_url: str) -> None:
    send(database_url, *SHOP, *ROWS)
    send(target_url, *SHOP)
    send(database_url, "DELETE FROM orders")
    assert sampled(database_url, target_url) == {"customers": 10}
    assert numbers(target_url, "SELECT min(id) + max(id) FROM customers") == [101]


def test_tables_that_refer_to_each_other(postgres_url: str, postgres_server: Server) -> None:
    circle = [
        "CREATE TABLE a (id SERIAL PRIMARY KEY, b_id INTEGER)",
        "CREATE TABLE b (id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a_id INTEGER NOT NULL REFERENCES a (id))",
        "ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b (id)",
    ]
    send(
        postgres_url,
        *circle,
        "INSERT INTO a VALUES (41, NULL)",
        "INSERT INTO b (a_id) VALUES (41), (41)",
        "UPDATE a SET b_id = 2",
    )
    with fresh_database(postgres_server.url) as target:
        send(target, *circle)
        assert sampled(postgres_url, target) == {"a": 1, "b": 2}
        assert numbers(target, "SELECT b_id FROM a") == [2]
        send(target, "INSERT INTO a DEFAULT VALUES", "INSERT INTO b (a_id) VALUES (41)")
        assert numbers(target, "SELECT id FROM a UNION ALL SELECT id FROM b ORDER BY 1") == [1, 2, 3, 41, 42]


def test_values_of_every_kind_arrive_as_they_were(postgres_url: str, postgres_server: Server) -> None:
    table = "CREATE TABLE t (id INTEGER PRIMARY KEY, j JSONB, a TEXT[], d TIMESTAMPTZ, x XML, b BYTEA, g INTEGER GENERATED ALWAYS AS (id * 2) STORED)"
    send(
        postgres_url,
        table,
        """INSERT INTO t VALUES (1, '{"a": [1, null]}', '{x,NULL}', '2026-01-31 10:00+02', '<a/>', '\\x00ff'), (2, NULL, NULL, NULL, NULL, NULL)""",
    )
    with fresh_database(postgres_server.url) as target:
        send(target, table)
        sampled(postgres_url, target)
        whole = "SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM t"
        assert numbers(target, whole) == numbers(postgres_url, whole)


def test_the_source_stays_as_it_is(sqlite_url: str, tmp_path: Path) -> None:
    send(sqlite_url, *SHOP, *ROWS)
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    before = file.read_bytes()
    target = f"sqlite:///{tmp_path / 'scratch.db'}"
    send(target, *SHOP)
    sampled(sqlite_url, target)
    assert file.read_bytes() == before


def test_the_source_is_read_by_a_transaction_that_can_not_write(postgres_url: str) -> None:
    engine = open_database(postgres_url).engine()
    with _reading(engine) as connection:
        found = connection.execute(
            sa.text(
                "SELECT current_setting('transaction_read_only'), current_setting('transaction_isolation')"
            )
        ).one()
    assert tuple(found) == ("on", "repeatable read")
