"""op.add_check: added for new rows, then validated for old ones."""

from __future__ import annotations

import pytest

from nonstop.descriptions.operations import AddCheck
from tests.support.stage import Stage

CONDITIONS = [
    "amount < 100",
    "status IN ('new', 'open', '100%') AND note IS NULL",
    "amount BETWEEN 1 AND 1000 OR (status = 'old')",
    "length(status) > 2",
]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_round_trip(orders: Stage, condition: str) -> None:
    before, after = orders.round_trip(
        f'op.add_check("a check", "orders", "{condition}")', 'op.drop_constraint("a check", "orders")'
    )
    assert before != after


def test_c28_bad_rows_are_counted_before_anything_is_done(orders: Stage) -> None:
    orders.sql("CREATE TABLE cars (id INTEGER PRIMARY KEY, doors INTEGER)",
               "INSERT INTO cars VALUES (1, 4), (2, 0), (3, NULL), (4, -1)")  # fmt: skip
    orders.fails(
        "op.add_check('has_doors', 'cars', 'doors > 0')", "2 row(s) of cars break has_doors (id 2, id 4)"
    )


@pytest.mark.parametrize("other", ["amount < 101", "amount <= 100"])
def test_another_check_of_that_name_is_a_conflict(orders: Stage, other: str) -> None:
    orders.fails(
        f"op.add_check('positive', 'orders', '{other}')", "constraint positive exists already", "amount > 0"
    )


def test_it_holds_from_then_on(orders: Stage) -> None:
    orders.script(1, "op.add_check('small', 'orders', 'amount < 100')")
    assert orders.run("apply").returncode == 0
    with pytest.raises(Exception, match="small"):
        orders.sql("INSERT INTO orders (id, amount) VALUES (4, 400)")


def test_c28_a_validation_that_fails_takes_the_check_back(postgres_stage: Stage) -> None:
    """Old rows that break a check can't be updated, whatever the update is about (C28)."""
    postgres_stage.sql("CREATE TABLE cars (id INTEGER PRIMARY KEY, doors INTEGER)")
    postgres_stage.sql(
        "INSERT INTO cars VALUES (1, 0)",
        "ALTER TABLE cars ADD CONSTRAINT has_doors CHECK (doors > 0) NOT VALID",
    )
    postgres_stage.script(1, "op.add_check('has_doors', 'cars', 'doors > 0')")
    ended = postgres_stage.run("apply")
    assert ended.returncode != 0
    assert postgres_stage.value("SELECT count(*) FROM pg_constraint WHERE conname = 'has_doors'") == 0
    postgres_stage.sql("UPDATE cars SET id = 2")


def test_emitted_sql(emitted) -> None:
    assert emitted(AddCheck("small", "orders", "amount < 100", None), "postgresql") == [
        "ALTER TABLE orders ADD CONSTRAINT small CHECK (amount < 100) NOT VALID",
        "ALTER TABLE orders VALIDATE CONSTRAINT small",
    ]


def test_a_check_of_a_table_with_partitions(postgres_stage: Stage) -> None:
    postgres_stage.sql(
        "CREATE TABLE visits (id INTEGER) PARTITION BY RANGE (id)",
        "CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (9)",
    )
    postgres_stage.round_trip("op.add_check('c', 'visits', 'id > -1')", "op.drop_constraint('c', 'visits')")
