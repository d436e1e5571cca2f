"""op.set_not_null: through a check that is validated beside readers and writers."""

from __future__ import annotations

import pytest

from nonstop.databases import open_database
from nonstop.descriptions.operations import LockClass, SetNotNull
from nonstop.operations import steps_for
from nonstop.operations.set_not_null import helper_name
from tests.support.stage import Stage, fill

HELPERS = "SELECT count(*) FROM pg_constraint WHERE conname LIKE 'nonstop_not_null%'"


def test_round_trip(orders: Stage) -> None:
    before, after = orders.round_trip(
        "op.set_not_null('orders', 'status')", "op.drop_not_null('orders', 'status')"
    )
    assert before != after
    assert "nonstop" not in repr(after), "the check is still there"


def test_c28_missing_values_are_counted_before_anything_is_done(orders: Stage) -> None:
    orders.fails("op.set_not_null('orders', 'customer_id')", "1 row(s) of orders have no customer_id")
    orders.fails("op.set_not_null('orders', 'note')", "3 row(s) of orders have no note")


def test_it_holds_from_then_on(orders: Stage) -> None:
    orders.script(1, "op.set_not_null('orders', 'status')")
    assert orders.run("apply").returncode == 0
    with pytest.raises(Exception, match=r"(?i)not.null"):
        orders.sql("INSERT INTO orders (id, amount, status) VALUES (4, 40, NULL)")


@pytest.mark.parametrize("done", [1, 2])
def test_c29_what_an_interrupted_run_left_is_taken_up(postgres_stage: Stage, done: int) -> None:
    fill(postgres_stage)
    steps = steps_for(SetNotNull("orders", "status", None), open_database(postgres_stage.url))
    postgres_stage.sql(*(statement for step in steps[:done] for statement in step.statements))
    assert postgres_stage.value(HELPERS) == 1
    postgres_stage.script(1, "op.set_not_null('orders', 'status')")
    ended = postgres_stage.run("apply")
    assert ended.returncode == 0, ended.output
    assert postgres_stage.value(HELPERS) == 0
    assert (
        postgres_stage.value(
            "SELECT attnotnull FROM pg_attribute WHERE attname = 'status' AND attrelid = to_regclass('orders')"
        )
        is True
    )


def test_a_missing_column_is_named(orders: Stage) -> None:
    orders.fails("op.set_not_null('orders', 'colour')", "there is no column orders.colour")


def test_long_names_stay_apart() -> None:
    first, second = helper_name("t" * 60, "a"), helper_name("t" * 60, "b")
    assert first != second
    assert len(first) <= 63


def test_locks() -> None:
    steps = steps_for(
        SetNotNull("orders", "note", None), open_database("postgresql://nobody@localhost:1/none")
    )
    assert [step.lock for step in steps] == [
        LockClass.ACCESS_EXCLUSIVE,
        LockClass.SHARE_UPDATE_EXCLUSIVE,
        LockClass.ACCESS_EXCLUSIVE,
    ]
    assert {step.relations for step in steps} == {("orders",)}


def test_emitted_sql(emitted) -> None:
    assert emitted(SetNotNull("orders", "note", "shop"), "postgresql") == [
        "ALTER TABLE shop.orders ADD CONSTRAINT nonstop_not_null_orders_note CHECK (note IS NOT NULL) NOT VALID",
        "ALTER TABLE shop.orders VALIDATE CONSTRAINT nonstop_not_null_orders_note",
        "ALTER TABLE shop.orders ALTER COLUMN note SET NOT NULL",
        "ALTER TABLE shop.orders DROP CONSTRAINT IF EXISTS nonstop_not_null_orders_note",
    ]
