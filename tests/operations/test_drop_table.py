"""op.drop_table"""

from __future__ import annotations

import pytest

from nonstop import op
from tests.support.operations import Trial, send, sql_of

APPLY = 'op.drop_table("notes")'
ROLLBACK = 'op.create_table("notes", Column("id", Integer, primary_key=True), Column("body", Text))'


def test_there_and_back_the_definition_returns(trial: Trial) -> None:
    trial.script(ROLLBACK, name="001_x.py")
    trial.apply()
    trial.script(APPLY, ROLLBACK, name="001_x.py")
    trial.forget()
    assert set(trial.there_and_back()["tables"]) == {"orders"}


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_sql(dialect: str) -> None:
    assert sql_of(dialect, lambda: op.drop_table("notes")) == ["DROP TABLE notes;"]
    assert sql_of(dialect, lambda: op.drop_table("Order %", schema="Shop")) == [
        'DROP TABLE "Shop"."Order %";'
    ]


def test_what_is_not_there_is_gone_already(trial: Trial) -> None:
    before = trial.look()
    trial.script(APPLY)
    (outcome,) = trial.apply().outcomes
    assert outcome.notes == ("drop table notes: is so already",)
    assert trial.look() == before


def test_a_table_that_others_point_at_stays(postgres_trial: Trial) -> None:
    send(
        postgres_trial.url,
        "CREATE TABLE lines (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id))",
    )
    before = postgres_trial.look()
    postgres_trial.script('op.drop_table("orders")')
    error = postgres_trial.failure()
    assert error.exit_code == 1
    assert any("2BP01" in detail for detail in error.details)
    assert postgres_trial.look() == before
