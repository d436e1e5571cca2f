"""op.add_unique: the index is built beside writers, the constraint takes it over."""

from __future__ import annotations

import pytest

from nonstop.descriptions.operations import AddUnique
from tests.support.stage import Stage, fill


def test_round_trip(orders: Stage) -> None:
    before, after = orders.round_trip(
        "op.add_unique('once', 'orders', ['id', 'amount'])", "op.drop_constraint('once', 'orders')"
    )
    assert before != after


def test_it_holds_from_then_on(orders: Stage) -> None:
    orders.script(1, "op.add_unique('once', 'orders', ['amount'])")
    assert orders.run("apply").returncode == 0
    with pytest.raises(Exception, match=r"(?i)unique"):
        orders.sql("INSERT INTO orders (id, amount) VALUES (4, 10)")


def test_doubles_are_counted_before_anything_is_done(orders: Stage) -> None:
    orders.sql("INSERT INTO orders (id, amount) VALUES (4, 10), (5, 20), (6, 20), (7, 70)")
    orders.fails(
        "op.add_unique('once', 'orders', ['amount'])",
        "2 value(s) stand in several rows of orders: once can't be unique (amount 10, amount 20)",
    )


def test_null_is_never_double(orders: Stage) -> None:
    orders.script(1, "op.add_unique('once', 'orders', ['note'])")
    ended = orders.run("apply")
    assert ended.returncode == 0, ended.output


def test_c02_an_invalid_leftover_is_built_again(postgres_stage: Stage) -> None:
    """What a killed CREATE INDEX CONCURRENTLY leaves can't become a constraint (C2)."""
    fill(postgres_stage)
    postgres_stage.sql(
        "CREATE UNIQUE INDEX once ON orders (id)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('once')",
    )
    postgres_stage.script(1, "op.add_unique('once', 'orders', ['id'])")
    ended = postgres_stage.run("apply")
    assert ended.returncode == 0, ended.output
    assert postgres_stage.value("SELECT contype FROM pg_constraint WHERE conname = 'once'") == "u"


def test_another_constraint_of_that_name_is_a_conflict(orders: Stage) -> None:
    orders.sql("CREATE TABLE cars (id INTEGER, number VARCHAR(20), CONSTRAINT once UNIQUE (number))")
    orders.fails("op.add_unique('once', 'cars', ['id', 'number'])", "once exists already")


def test_emitted_sql(emitted) -> None:
    operation = AddUnique("once", "orders", ("id", "Amount"), None)
    assert emitted(operation, "postgresql") == [
        "DROP INDEX CONCURRENTLY IF EXISTS once",
        'CREATE UNIQUE INDEX CONCURRENTLY once ON orders (id, "Amount")',
        "ALTER TABLE orders ADD CONSTRAINT once UNIQUE USING INDEX once",
    ]
    assert emitted(operation, "sqlite") == ['CREATE UNIQUE INDEX once ON orders (id, "Amount")']
