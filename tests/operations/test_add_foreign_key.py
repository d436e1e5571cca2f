"""op.add_foreign_key: added for new rows, then validated for old ones."""

from __future__ import annotations

import pytest

from nonstop.databases import open_database
from nonstop.descriptions.operations import AddForeignKey, LockClass
from nonstop.operations import steps_for
from tests.support.stage import Stage

ADD = "op.add_foreign_key('ordered_by', 'orders', ['customer_id'], 'customers', ['id']{})"


@pytest.mark.parametrize(
    "actions", ["", ", on_delete='cascade', on_update='set null'", ", on_delete='RESTRICT'"]
)
def test_round_trip(orders: Stage, actions: str) -> None:
    before, after = orders.round_trip(ADD.format(actions), "op.drop_constraint('ordered_by', 'orders')")
    assert before != after


def test_several_columns_and_itself(orders: Stage) -> None:
    orders.sql(
        "CREATE TABLE places (shelf INTEGER, slot INTEGER, above_shelf INTEGER, above_slot INTEGER,"
        " PRIMARY KEY (shelf, slot))",
        "INSERT INTO places VALUES (1, 1, NULL, 7), (1, 2, 1, 1)",
    )
    orders.round_trip(
        "op.add_foreign_key('above', 'places', ['above_shelf', 'above_slot'], 'places', ['shelf', 'slot'])",
        "op.drop_constraint('above', 'places')",
    )


def test_c28_orphans_are_counted_before_anything_is_done(orders: Stage) -> None:
    orders.sql("CREATE TABLE cars (id INTEGER PRIMARY KEY, owner INTEGER)",
               "INSERT INTO cars VALUES (1, 1), (2, 9), (3, NULL), (4, 8)")  # fmt: skip
    orders.fails(
        "op.add_foreign_key('owned', 'cars', ['owner'], 'customers', ['id'])",
        "2 row(s) of cars refer to no row of customers (id 2, id 4)",
    )


@pytest.mark.parametrize(
    "other",
    [
        "op.add_foreign_key('owned', 'cars', ['owner'], 'customers', ['id'])",
        "op.add_foreign_key('owned', 'cars', ['id'], 'customers', ['id'], on_delete='cascade')",
        "op.add_check('owned', 'cars', 'owner > 0')",
    ],
)
def test_another_key_of_that_name_is_a_conflict(orders: Stage, other: str) -> None:
    orders.sql("CREATE TABLE cars (id INTEGER PRIMARY KEY, owner INTEGER,"
               " CONSTRAINT owned FOREIGN KEY (owner) REFERENCES customers (id) ON DELETE CASCADE)")  # fmt: skip
    orders.fails(other, "constraint owned exists already")


def test_an_unknown_action_is_refused(orders: Stage) -> None:
    orders.fails(ADD.format(", on_delete='explode'"), "'explode' is no action")


def test_both_tables_are_locked_for_an_instant(emitted) -> None:
    operation = AddForeignKey("f", "a", ("x",), "b", ("id",), None, None, None, None)
    first, second = steps_for(operation, open_database("postgresql://nobody@localhost:1/none"))
    assert (first.lock, first.relations) == (LockClass.SHARE_ROW_EXCLUSIVE, ("a", "b"))
    assert (second.lock, second.in_transaction) == (LockClass.SHARE_UPDATE_EXCLUSIVE, False)


def test_emitted_sql(emitted) -> None:
    operation = AddForeignKey(
        "f", "orders", ("a", "B"), "customers", ("a", "B"), "CASCADE", "SET NULL", "shop", "people"
    )
    assert emitted(operation, "postgresql") == [
        (
            'ALTER TABLE shop.orders ADD CONSTRAINT f FOREIGN KEY (a, "B") REFERENCES people.customers (a, "B")'
            " ON DELETE CASCADE ON UPDATE SET NULL NOT VALID"
        ),
        "ALTER TABLE shop.orders VALIDATE CONSTRAINT f",
    ]
