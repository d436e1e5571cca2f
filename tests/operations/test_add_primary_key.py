"""op.add_primary_key: for a table that has none."""

from __future__ import annotations

import pytest

from nonstop.descriptions.operations import AddPrimaryKey
from tests.support.stage import Stage

ADD = "op.add_primary_key('orders_key', 'orders', ['id', 'amount'])"


def test_round_trip(orders: Stage) -> None:
    before, after = orders.round_trip(ADD, "op.drop_constraint('orders_key', 'orders')")
    assert before != after


def test_one_integer_column(orders: Stage) -> None:
    """On SQLite such a key is the row's number itself."""
    orders.round_trip(
        "op.add_primary_key('orders_key', 'orders', ['id'])", "op.drop_constraint('orders_key', 'orders')"
    )
    orders.script(1, "op.add_primary_key('orders_key', 'orders', ['id'])")
    assert orders.run("apply").returncode == 0
    with pytest.raises(Exception, match=r"(?i)unique"):
        orders.sql("INSERT INTO orders (id, amount) VALUES (1, 10)")


def test_columns_become_not_null(orders: Stage) -> None:
    orders.script(1, "op.add_primary_key('orders_key', 'orders', ['id', 'status'])")
    ended = orders.run("apply")
    assert ended.returncode == 0, ended.output
    with pytest.raises(Exception, match=r"(?i)not.null"):
        orders.sql("INSERT INTO orders (id, amount, status) VALUES (4, 40, NULL)")


def test_rows_in_the_way_are_counted_before_anything_is_done(orders: Stage) -> None:
    orders.fails(
        "op.add_primary_key('k', 'orders', ['id', 'customer_id'])",
        "1 row(s) of orders have a NULL in the key",
    )
    orders.sql("INSERT INTO orders (id, amount) VALUES (1, 40)")
    orders.fails("op.add_primary_key('k', 'orders', ['id'])", "stand in several rows of orders", "id 1")


def test_emitted_sql(emitted) -> None:
    assert emitted(AddPrimaryKey("k", "orders", ("id",), "shop"), "postgresql") == [
        "ALTER TABLE shop.orders ADD CONSTRAINT nonstop_not_null_orders_id CHECK (id IS NOT NULL) NOT VALID",
        "ALTER TABLE shop.orders VALIDATE CONSTRAINT nonstop_not_null_orders_id",
        "ALTER TABLE shop.orders ALTER COLUMN id SET NOT NULL",
        "ALTER TABLE shop.orders DROP CONSTRAINT IF EXISTS nonstop_not_null_orders_id",
        "DROP INDEX CONCURRENTLY IF EXISTS shop.k",
        "CREATE UNIQUE INDEX CONCURRENTLY k ON shop.orders (id)",
        "ALTER TABLE shop.orders ADD CONSTRAINT k PRIMARY KEY USING INDEX k",
    ]


def test_a_column_whose_name_has_a_comma(stage: Stage) -> None:
    stage.sql('CREATE TABLE t ("(a, b" INTEGER NOT NULL)', "INSERT INTO t VALUES (1)")
    stage.round_trip("op.add_primary_key('p', 't', ['(a, b'])", "op.drop_constraint('p', 't')")
