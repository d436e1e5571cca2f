"""op.rename_table: the table goes on with all that belongs to it."""

from __future__ import annotations

import pytest

from nonstop.descriptions.operations import RenameTable
from tests.support.stage import Stage


def test_round_trip(orders: Stage) -> None:
    orders.sql("CREATE TABLE lines (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers (id))")
    _, after = orders.round_trip(
        "op.rename_table('customers', 'clients')", "op.rename_table('clients', 'customers')"
    )
    assert "clients" in after["tables"]
    assert "customers" not in after["tables"]
    assert "clients" in repr(after["tables"]["lines"]), "the foreign key refers to another table now"


def test_a_taken_name_is_a_conflict(orders: Stage) -> None:
    orders.fails("op.rename_table('customers', 'orders')", "there is a table orders already")


def test_a_missing_table_is_named(orders: Stage) -> None:
    orders.fails("op.rename_table('cars', 'vehicles')", "there is no table cars")


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_emitted_sql(emitted, dialect: str) -> None:
    statements = emitted(RenameTable("Order", "orders", None), dialect)
    assert statements == ['ALTER TABLE "Order" RENAME TO orders']
