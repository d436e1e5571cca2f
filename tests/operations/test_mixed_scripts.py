"""Verbs of op beside SQL of the script's own: neither gets into the other's way, and everything is undone or recorded."""

from __future__ import annotations

import pytest

from nonstop.errors import UsageError
from tests.support.operations import Trial, send

MIXED = """
with engine.begin() as connection:
    connection.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)"))
op.add_column("orders", Column("car_number", String(20)))
with engine.begin() as connection:
    connection.execute(text("UPDATE orders SET car_number = plate"))
    connection.execute(text("INSERT INTO notes VALUES (1, '100%')"))
op.create_index("by_car_number", "orders", ["car_number"])
"""
BACK = """
op.drop_index("by_car_number", "orders")
op.drop_column("orders", "car_number")
with engine.begin() as connection:
    connection.execute(text("DROP TABLE notes"))
"""


def test_there_and_back(trial: Trial) -> None:
    trial.raw(MIXED, BACK)
    before = trial.look()
    trial.apply()
    there = trial.look()
    assert there[0]["tables"]["orders"]["columns"].keys() == {"id", "vin", "plate", "car_number"}
    assert there[1]["notes"][0] == 1
    trial.rollback()
    assert trial.look() == before
    trial.apply()
    assert trial.look() == there


def test_an_uncommitted_write_of_the_script_is_refused(trial: Trial) -> None:
    trial.raw(
        """
        with engine.begin() as connection:
            connection.execute(text("UPDATE orders SET vin = 'changed'"))
            op.add_column("orders", Column("car_number", String(20)))
        """
    )
    before = trial.look()
    error = trial.failure()
    assert isinstance(error, UsageError)
    assert (
        "op was called while the script has not committed: UPDATE orders SET vin = 'changed'" in error.message
    )
    assert error.next_step == "commit that transaction before the call of op"
    assert trial.look() == before


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_a_transaction_that_only_read_stands_in_no_one_s_way(trial: Trial, isolation: str) -> None:
    """Its snapshot would stop a concurrent build for ever; so it is ended."""
    if not trial.is_postgresql and isolation != "SERIALIZABLE":
        pytest.skip("SQLite knows one isolation level")
    trial.raw(
        f"""
        with engine.connect().execution_options(isolation_level="{isolation}") as connection:
            assert connection.execute(text("SELECT count(*) FROM orders")).scalar() == 2
            op.create_index("by_plate", "orders", ["plate"])
            assert connection.execute(text("SELECT count(*) FROM orders")).scalar() == 2
        """
    )
    trial.apply()
    assert "by_plate" in trial.look()[0]["tables"]["orders"]["indexes"]


def test_an_inspector_of_the_script_stands_in_no_one_s_way(trial: Trial) -> None:
    trial.raw(
        """
        from sqlalchemy import inspect
        inspector = inspect(engine)
        if "car_number" not in [column["name"] for column in inspector.get_columns("orders")]:
            op.add_column("orders", Column("car_number", String(20)))
        op.create_index("by_car_number", "orders", ["car_number"])
        """
    )
    trial.apply()
    assert "by_car_number" in trial.look()[0]["tables"]["orders"]["indexes"]


def test_a_committed_write_is_kept_when_op_fails_afterwards(trial: Trial) -> None:
    send(trial.url, "ALTER TABLE orders ADD COLUMN car_number INTEGER")
    trial.raw(
        """
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY)"))
        op.add_column("orders", Column("car_number", String(20)))
        """
    )
    error = trial.failure()
    assert error.exit_code == 7
    assert "1 commit of it is permanent" in error.details[-1]
    assert "notes" in trial.look()[0]["tables"]


def test_swallowing_what_op_refuses_does_not_help(trial: Trial) -> None:
    send(trial.url, "ALTER TABLE orders ADD COLUMN car_number INTEGER")
    trial.raw(
        """
        try:
            op.add_column("orders", Column("car_number", String(20)))
        except Exception as error:
            print("swallowed", type(error).__name__)
            return False
        """
    )
    error = trial.failure()
    assert "returned False" in error.message


def test_a_later_failure_does_not_hide_what_an_earlier_run_had_committed(trial: Trial) -> None:
    """The second run does nothing at all; the script is half-way all the same, and a rollback still takes it along."""
    commit = 'with engine.begin() as connection:\n    connection.execute(text("CREATE TABLE IF NOT EXISTS notes (id INTEGER)"))'
    drop = 'with engine.begin() as connection:\n    connection.execute(text("DROP TABLE IF EXISTS notes"))'
    before = trial.look()
    trial.raw(f"{commit}\nraise RuntimeError('first')", drop)
    assert trial.failure().exit_code == 7
    trial.raw("raise RuntimeError('second')", drop)
    error = trial.failure()
    assert error.exit_code == 7
    assert (
        "this run is undone; an earlier run made 1 permanent commit, the last with: CREATE TABLE"
        in error.details[-1]
    )
    (row,) = trial.runner.status().migrations
    assert (row.state.value, row.note.startswith("apply stopped after CREATE TABLE")) == ("interrupted", True)
    trial.rollback()
    assert trial.look() == before
    assert trial.runner.status().migrations[0].state.value == "pending"
