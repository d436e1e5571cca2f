"""op.drop_column"""

from __future__ import annotations

import pytest

from nonstop import op
from tests.support.operations import Trial, send, sql_of

APPLY = 'op.drop_column("orders", "plate")'
ROLLBACK = 'op.add_column("orders", Column("plate", String(20)))'


def test_there_and_back_the_definition_returns(trial: Trial) -> None:
    """What was in the column does not: so the table is emptied first."""
    send(trial.url, "DELETE FROM orders")
    trial.script(APPLY, ROLLBACK)
    assert set(trial.there_and_back()["tables"]["orders"]["columns"]) == {"id", "vin"}


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_sql(dialect: str) -> None:
    assert sql_of(dialect, lambda: op.drop_column("orders", "plate")) == [
        "ALTER TABLE orders DROP COLUMN plate;"
    ]
    assert sql_of(dialect, lambda: op.drop_column("Orders", "50%", schema="shop")) == [
        'ALTER TABLE shop."Orders" DROP COLUMN "50%";'
    ]


@pytest.mark.parametrize(("table", "column"), [("orders", "nothing"), ("nowhere", "plate")])
def test_what_is_not_there_is_gone_already(trial: Trial, table: str, column: str) -> None:
    before = trial.look()
    trial.script(f"op.drop_column({table!r}, {column!r})")
    (outcome,) = trial.apply().outcomes
    assert outcome.notes == (f"drop column {table}.{column}: is so already",)
    assert trial.look() == before


def test_a_column_that_a_view_needs_stays(trial: Trial) -> None:
    send(trial.url, "CREATE VIEW plates AS SELECT plate FROM orders")
    before = trial.look()
    trial.script(APPLY, ROLLBACK)
    assert trial.failure().exit_code == 1
    assert trial.look() == before
