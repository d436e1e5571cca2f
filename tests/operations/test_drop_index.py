"""op.drop_index"""

from __future__ import annotations

import psycopg

from nonstop import op
from tests.support.operations import Trial, send, sql_of

APPLY = 'op.drop_index("by_plate", "orders")'
ROLLBACK = 'op.create_index("by_plate", "orders", ["plate"])'


def test_there_and_back(trial: Trial) -> None:
    send(trial.url, "CREATE INDEX by_plate ON orders (plate)")
    trial.script(APPLY, ROLLBACK)
    assert "by_plate" not in trial.there_and_back()["tables"]["orders"]["indexes"]


def test_the_sql() -> None:
    def call() -> None:
        op.drop_index("By Plate", "orders", schema="shop")

    assert sql_of("sqlite", call) == ['DROP INDEX shop."By Plate";']
    assert sql_of("postgresql", call) == ['DROP INDEX CONCURRENTLY shop."By Plate";']


def test_what_is_not_there_is_gone_already(trial: Trial) -> None:
    before = trial.look()
    trial.script(APPLY + '\nop.drop_index("by_plate", "nowhere")')
    (outcome,) = trial.apply().outcomes
    assert outcome.notes == ("drop index by_plate: is so already",) * 2
    assert trial.look() == before


def test_c06_what_a_failed_concurrent_drop_left_is_dropped(postgres_trial: Trial) -> None:
    """A reader of the table stops the drop half-way: the index stays behind, invalid."""
    send(postgres_trial.url, "CREATE INDEX by_plate ON orders (plate)")
    with (
        psycopg.connect(postgres_trial.url) as reader,
        psycopg.connect(postgres_trial.url, autocommit=True) as dropper,
    ):
        reader.execute("SELECT count(*) FROM orders")
        dropper.execute("SET lock_timeout = '50ms'")
        try:
            dropper.execute("DROP INDEX CONCURRENTLY by_plate")
            raise AssertionError("the drop was expected to fail")
        except psycopg.errors.LockNotAvailable:
            pass
    assert postgres_trial.look()[0]["tables"]["orders"]["indexes"]["by_plate"][1] is False
    postgres_trial.script(APPLY)
    postgres_trial.apply()
    assert "by_plate" not in postgres_trial.look()[0]["tables"]["orders"]["indexes"]
