"""op.drop_not_null: a column that may be NULL again."""

from __future__ import annotations

from nonstop.descriptions.operations import DropNotNull
from tests.support.stage import Stage


def test_round_trip(orders: Stage) -> None:
    before, after = orders.round_trip(
        "op.drop_not_null('orders', 'amount')", "op.set_not_null('orders', 'amount')"
    )
    assert before != after


def test_null_is_taken(orders: Stage) -> None:
    orders.script(1, "op.drop_not_null('orders', 'amount')")
    assert orders.run("apply").returncode == 0
    orders.sql("INSERT INTO orders (id) VALUES (4)")
    assert orders.value("SELECT count(*) FROM orders WHERE amount IS NULL") == 1


def test_a_missing_column_is_named(orders: Stage) -> None:
    orders.fails("op.drop_not_null('orders', 'colour')", "there is no column orders.colour")


def test_emitted_sql(emitted) -> None:
    statements = emitted(DropNotNull("Orders", "amount", None), "postgresql")
    assert statements == ['ALTER TABLE "Orders" ALTER COLUMN amount DROP NOT NULL']
