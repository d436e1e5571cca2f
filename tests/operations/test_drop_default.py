"""op.drop_default: rows to come must say their value, or have none."""

from __future__ import annotations

import pytest

from nonstop.descriptions.operations import DropDefault
from tests.support.stage import Stage


def test_round_trip(orders: Stage) -> None:
    before, after = orders.round_trip(
        "op.drop_default('orders', 'status')", "op.set_default('orders', 'status', 'new')"
    )
    assert before != after
    orders.sql("INSERT INTO orders (id, amount) VALUES (4, 40)")
    assert orders.value("SELECT status FROM orders WHERE id = 4") == "new"


def test_new_rows_have_none(orders: Stage) -> None:
    orders.script(1, "op.drop_default('orders', 'status')")
    assert orders.run("apply").returncode == 0
    orders.sql("INSERT INTO orders (id, amount) VALUES (4, 40)")
    assert orders.value("SELECT status FROM orders WHERE id = 4") is None
    assert orders.value("SELECT status FROM orders WHERE id = 1") == "new"


def test_a_missing_table_is_named(orders: Stage) -> None:
    orders.fails("op.drop_default('cars', 'status')", "there is no table cars")


@pytest.mark.parametrize("schema", [None, "shop"])
def test_emitted_sql(emitted, schema: str | None) -> None:
    table = "shop.orders" if schema else "orders"
    statements = emitted(DropDefault("orders", "status", schema), "postgresql")
    assert statements == [f"ALTER TABLE {table} ALTER COLUMN status DROP DEFAULT"]
