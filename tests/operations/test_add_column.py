"""op.add_column"""

from __future__ import annotations

import pytest
from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, false, text

from nonstop import op
from nonstop.errors import DefinitionConflict, MigrationFailed, UsageError, ValidationError
from tests.support.operations import Trial, send, sql_of

APPLY = 'op.add_column("orders", Column("car_number", String(20), nullable=True))'
ROLLBACK = 'op.drop_column("orders", "car_number")'


def test_there_and_back(trial: Trial) -> None:
    trial.script(APPLY, ROLLBACK)
    assert "car_number" in trial.there_and_back()["tables"]["orders"]["columns"]


def test_c30_rows_that_exist_get_the_default(trial: Trial) -> None:
    trial.script(
        'op.add_column("orders", Column("printed", Boolean, nullable=False, server_default=false()))',
        'op.drop_column("orders", "printed")',
        before="from sqlalchemy import false",
    )
    trial.there_and_back()
    send(trial.url, "INSERT INTO orders (id) VALUES (3)")


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    ("column", "definition"),
    [
        (Column("car_number", String(20)), "car_number VARCHAR(20)"),
        (Column("n", Integer, nullable=False, server_default=text("0")), "n INTEGER DEFAULT 0 NOT NULL"),
        (Column("Order", String(20), server_default="100%"), "\"Order\" VARCHAR(20) DEFAULT '100%'"),
        (Column("50%", Integer), '"50%" INTEGER'),
    ],
)
def test_the_sql(dialect: str, column: Column, definition: str) -> None:
    assert sql_of(dialect, lambda: op.add_column("orders", column)) == [
        f"ALTER TABLE orders ADD COLUMN {definition};"
    ]


def test_the_sql_of_a_boolean_default_is_each_database_s_own() -> None:
    def call() -> None:
        op.add_column("orders", Column("b", Boolean, nullable=False, server_default=false()), schema="shop")

    assert sql_of("postgresql", call) == [
        "ALTER TABLE shop.orders ADD COLUMN b BOOLEAN DEFAULT false NOT NULL;"
    ]
    assert sql_of("sqlite", call) == ["ALTER TABLE shop.orders ADD COLUMN b BOOLEAN DEFAULT 0 NOT NULL;"]


@pytest.mark.parametrize(
    "definition",
    ["INTEGER", "VARCHAR(10)", "VARCHAR(20) NOT NULL DEFAULT 'x'", "VARCHAR(20) DEFAULT 'x'"],
    ids=["type", "length", "nullability", "default"],
)
def test_a_column_of_that_name_with_another_definition_is_a_conflict(trial: Trial, definition: str) -> None:
    send(trial.url, f"ALTER TABLE orders ADD COLUMN car_number {definition}")
    before = trial.look()
    trial.script(APPLY, ROLLBACK)
    error = trial.failure()
    assert isinstance(error, DefinitionConflict)
    assert "column orders.car_number exists already with another definition" in error.message
    assert trial.look() == before


def test_a_column_that_is_there_is_adopted(trial: Trial) -> None:
    send(trial.url, "ALTER TABLE orders ADD COLUMN car_number VARCHAR(20)")
    before = trial.look()
    trial.script(APPLY, ROLLBACK)
    (outcome,) = trial.apply().outcomes
    assert outcome.notes == ("add column orders.car_number: is so already",)
    assert trial.look() == before


def test_without_the_table_it_says_so(trial: Trial) -> None:
    trial.script('op.add_column("nowhere", Column("a", Integer))')
    error = trial.failure()
    assert isinstance(error, DefinitionConflict)
    assert "there is no table nowhere" in error.message


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (Column("a", Integer, nullable=False), "NOT NULL and has no server default"),
        (Column("a", Integer, index=True), "carries an index, a key or a constraint"),
        (Column("a", Integer, unique=True), "carries an index, a key or a constraint"),
        (Column("a", Integer, ForeignKey("b.id")), "carries an index, a key or a constraint"),
        (
            Column("a", Integer, primary_key=True, server_default=text("1")),
            "carries an index, a key or a constraint",
        ),
    ],
)
def test_c30_what_can_not_be_online_is_refused_before_anything_is_sent(column: Column, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        op.add_column("orders", column)


def test_outside_a_run_it_says_how_to_run() -> None:
    with pytest.raises(UsageError, match="op works only while a migration runs"):
        op.add_column("orders", Column("a", Integer))


def test_a_failure_after_it_undoes_it_on_sqlite_and_is_told_as_part_way_on_postgresql(trial: Trial) -> None:
    before = trial.look()
    trial.script(APPLY + "\nraise RuntimeError('oh no')", ROLLBACK)
    error = trial.failure()
    if trial.is_postgresql:
        assert error.exit_code == 7
        trial.script(APPLY, ROLLBACK)
        trial.apply()
        trial.rollback()
    else:
        assert isinstance(error, MigrationFailed)
    assert trial.look() == before
