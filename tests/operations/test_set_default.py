"""op.set_default: the default of rows to come."""

from __future__ import annotations

import pytest
from sqlalchemy import func, text

from nonstop.descriptions.operations import SetDefault
from tests.support.stage import Stage


@pytest.mark.parametrize(
    ("default", "column"),
    [
        ("'open'", "status"),
        ("'it''s 100%'", "note"),
        ("7", "amount"),
        ("text('1 + 2')", "amount"),
        ("'x'", "status"),
    ],
)
def test_round_trip(orders: Stage, default: str, column: str) -> None:
    undo = (
        f"op.set_default('orders', '{column}', 'new')"
        if column == "status"
        else f"op.drop_default('orders', '{column}')"
    )
    before, after = orders.round_trip(f"op.set_default('orders', '{column}', {default})", undo)
    assert before != after


def test_new_rows_take_it_and_old_ones_keep_theirs(orders: Stage) -> None:
    orders.script(1, "op.set_default('orders', 'status', 'open')")
    assert orders.run("apply").returncode == 0
    orders.sql("INSERT INTO orders (id, amount) VALUES (4, 40)")
    assert orders.value("SELECT status FROM orders WHERE id = 4") == "open"
    assert orders.value("SELECT status FROM orders WHERE id = 1") == "new"


def test_a_missing_column_is_named(orders: Stage) -> None:
    orders.fails("op.set_default('orders', 'colour', 'red')", "there is no column orders.colour")


@pytest.mark.parametrize(
    ("default", "sql"),
    [("it's", "'it''s'"), (7, "7"), (True, "true"), (text("now()"), "now()"), (func.now(), "now()")],
)
def test_emitted_sql(emitted, default: object, sql: str) -> None:
    statements = emitted(SetDefault("orders", "Status", default, "shop"), "postgresql")
    assert statements == [f'ALTER TABLE shop.orders ALTER COLUMN "Status" SET DEFAULT {sql}']


@pytest.mark.parametrize("table", ['"50% (a, b)"', "visits"])
def test_a_table_with_an_odd_name_and_one_with_partitions(postgres_stage: Stage, table: str) -> None:
    """Whether a default is the wanted one is asked with the table's name, and answered without its partitions."""
    partitions = " PARTITION BY RANGE (id)" if table == "visits" else ""
    postgres_stage.sql(f"CREATE TABLE {table} (id INTEGER, note TEXT){partitions}")
    name = table.strip('"')
    postgres_stage.round_trip(f"op.set_default({name!r}, 'note', 'x')", f"op.drop_default({name!r}, 'note')")
