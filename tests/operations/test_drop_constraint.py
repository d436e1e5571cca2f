"""op.drop_constraint: a check, a foreign key, a uniqueness, by its name."""

from __future__ import annotations

import pytest

from nonstop.databases import open_database
from nonstop.descriptions.operations import DropConstraint
from nonstop.operations import steps_for
from tests.support.databases import engine_for
from tests.support.stage import Stage

TABLE = (
    "CREATE TABLE cars (id INTEGER PRIMARY KEY, number VARCHAR(20) CONSTRAINT short CHECK (length(number) < 15),"
    " owner INTEGER, CONSTRAINT owned FOREIGN KEY (owner) REFERENCES customers (id) ON DELETE CASCADE,"
    " CONSTRAINT once UNIQUE (number, owner))"
)
BACK = {
    "positive": ("orders", "op.add_check('positive', 'orders', 'amount > 0')"),
    "owned": (
        "cars",
        "op.add_foreign_key('owned', 'cars', ['owner'], 'customers', ['id'], on_delete='cascade')",
    ),
    "short": ("cars", "op.add_check('short', 'cars', 'length(number) < 15')"),
}


@pytest.fixture
def cars(orders: Stage) -> Stage:
    orders.sql(TABLE, "INSERT INTO cars VALUES (1, 'A 1', 1), (2, 'B 2', NULL)")
    return orders


@pytest.mark.parametrize("name", BACK)
def test_round_trip(cars: Stage, name: str) -> None:
    table, back = BACK[name]
    before, after = cars.round_trip(f"op.drop_constraint('{name}', '{table}')", back)
    assert before != after


def test_uniqueness(cars: Stage) -> None:
    cars.script(1, "op.drop_constraint('once', 'cars')", "op.add_unique('once', 'cars', ['number', 'owner'])")
    assert cars.run("apply").returncode == 0
    cars.sql("INSERT INTO cars VALUES (3, 'A 1', 1)")
    assert cars.run("rollback", "--yes").returncode == 4
    cars.sql("DELETE FROM cars WHERE id = 3")
    ended = cars.run("rollback", "--yes")
    assert ended.returncode == 0, ended.output
    assert cars.run("apply").returncode == 0


@pytest.mark.parametrize(("name", "table"), [("nothing", "orders"), ("nothing", "no_such_table")])
def test_what_is_not_there_is_dropped_already(orders: Stage, name: str, table: str) -> None:
    orders.script(1, f"op.drop_constraint('{name}', '{table}')")
    before = orders.look()
    ended = orders.run("apply")
    assert ended.returncode == 0, ended.output
    assert orders.look() == before


def test_a_foreign_key_locks_both_tables(postgres_stage: Stage) -> None:
    postgres_stage.sql("CREATE TABLE customers (id INTEGER PRIMARY KEY)", TABLE)
    (step,) = steps_for(DropConstraint("owned", "cars", None), open_database(postgres_stage.url))
    assert step.prepare is not None
    engine = engine_for(postgres_stage.url)
    with engine.connect() as connection:
        assert step.prepare(step, connection).relations == ("cars", "public.customers")
    engine.dispose()


def test_emitted_sql(emitted) -> None:
    statements = emitted(DropConstraint("Positive", "orders", "shop"), "postgresql")
    assert statements == ['ALTER TABLE shop.orders DROP CONSTRAINT "Positive"']
