"""A strong lock is waited for outside the queue: nobody has to wait behind us for somebody else (C1)."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from nonstop.databases import open_database
from nonstop.errors import LockNotObtained
from nonstop.guard.patience import Allowance, Patience
from tests.guard.conftest import Scene
from tests.support.scripts import sql
from tests.support.sessions import queued_for, until_it_looks

OP = 'op.add_column("cars", Column("colour", String(20)))'
COLOUR = "ALTER TABLE cars ADD COLUMN colour VARCHAR(20)"
DEADLINE = "6s"
"""Longer than a command needs on an overloaded machine before it waits for a lock: it counts from the start of the run."""


@pytest.fixture(params=["op", "raw"])
def waiting_scene(request: pytest.FixtureRequest, scene: Scene) -> Scene:
    """With a script that needs ``cars`` for itself for a moment, written in either way."""
    if request.param == "op":
        scene.script(OP, "op")
    else:
        scene.script(sql(COLOUR))
    return scene


def test_c01_nobody_queues_behind_us_for_an_old_reader(waiting_scene: Scene) -> None:
    scene = waiting_scene
    with scene.session() as reader, scene.session() as application:
        application.autocommit = True
        # Time in a queue is all that is bounded: a machine that is busy must not fail this.
        application.execute("SET lock_timeout = '200ms'")
        reader.execute("SELECT * FROM cars")
        runner = scene.start()
        for number in range(10):
            until_it_looks(scene.url)
            assert queued_for(scene.url, "cars") == 0
            application.execute("SELECT * FROM cars")
            application.execute("UPDATE cars SET note = %s WHERE id = 2", [str(number)])
        reader.rollback()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.has_column("cars", "colour")
    assert scene.attempts == 1


def test_c01_readers_and_writers_meet_no_timeout_of_theirs(waiting_scene: Scene) -> None:
    """As they would if our ALTER TABLE stood in the queue for as long as the old reader reads."""
    scene = waiting_scene
    with scene.session() as reader, scene.session() as application:
        application.autocommit = True
        application.execute("SET statement_timeout = '600ms'")
        reader.execute("SELECT * FROM cars")
        runner = scene.start()
        until_it_looks(scene.url, times=2)
        for _ in range(5):
            until_it_looks(scene.url, times=20)
            application.execute("UPDATE cars SET note = note WHERE id = 3")
            application.execute("SELECT * FROM cars")
        reader.rollback()
        assert runner.wait().returncode == 0


def test_the_deadline_names_who_held_the_lock(waiting_scene: Scene) -> None:
    scene = waiting_scene
    with scene.session() as reader:
        reader.execute("SELECT count(*) AS told FROM cars")
        end = scene.start("--deadline", DEADLINE).wait()
        assert end.returncode == 1
        assert "the deadline of 6 s has passed" in end.output
        assert f"pid {reader.info.backend_pid}" in end.output
        assert "SELECT count(*) AS told FROM cars" in end.output
        assert "was undone completely" in end.output
    assert not scene.has_column("cars", "colour")


def test_it_gives_up_after_its_time_and_names_who_held_the_lock(scene: Scene) -> None:
    """Without a deadline too; in a run that is after ten minutes."""
    database = open_database(scene.url)
    observer = database.observer()
    assert observer is not None
    patience = Patience(observer, 0.2, lambda: None, database.is_lock_conflict)
    try:
        with scene.session() as reader:
            reader.execute("SELECT * FROM cars")
            with pytest.raises(LockNotObtained, match=r"no lock on cars within 0\.2 s") as caught:
                patience.run(["cars"], [], Allowance(0, 50, 50), lambda timeout_ms, behind_autovacuum: None)
            assert f"pid {reader.info.backend_pid}" in str(caught.value)
    finally:
        observer.close()
    assert caught.value.exit_code == 5


def test_a_prepared_transaction_is_waited_for_and_named(waiting_scene: Scene) -> None:
    scene = waiting_scene
    gid = f"held_{scene.value('SELECT current_database()')}"
    with scene.session() as application:
        application.execute("UPDATE cars SET note = 'held' WHERE id = 1")
        application.execute(f"PREPARE TRANSACTION '{gid}'")
        application.commit()
        application.autocommit = True
        try:
            end = scene.start("--deadline", DEADLINE).wait()
            assert end.returncode == 1
            assert "1 prepared transaction(s), see pg_prepared_xacts" in end.output
            runner = scene.start()
            until_it_looks(scene.url)
            assert queued_for(scene.url, "cars") == 0
        finally:
            application.execute(f"ROLLBACK PREPARED '{gid}'")
    assert runner.wait().returncode == 0
    assert scene.has_column("cars", "colour")


@pytest.mark.repetitive(1)
def test_a_plain_role_sees_enough(waiting_scene: Scene, postgres_role: Callable[..., str]) -> None:
    """Without pg_monitor the beginning and the query of others' transactions are hidden."""
    others = waiting_scene
    scene = others.as_role(postgres_role())
    with others.session() as reader, others.session() as application:
        application.autocommit = True
        reader.execute("SELECT * FROM cars")
        end = scene.start("--deadline", DEADLINE).wait()
        assert end.returncode == 1
        assert f"pid {reader.info.backend_pid}, user postgres" in end.output
        runner = scene.start()
        until_it_looks(others.url, times=60)  # by now its age has been seen
        for _ in range(5):
            until_it_looks(others.url)
            application.execute("UPDATE cars SET note = note WHERE id = 3")
        reader.rollback()
        assert runner.wait().returncode == 0
    assert scene.has_column("cars", "colour")


def test_c01_steady_traffic_does_not_starve_us(waiting_scene: Scene, meanwhile: Callable[..., Any]) -> None:
    runs_under_steady_traffic(waiting_scene, meanwhile)


def test_c01_steady_traffic_does_not_end_a_script_that_has_committed(
    scene: Scene, meanwhile: Callable[..., Any]
) -> None:
    """It can't begin anew: its next lock is tried again by itself, in a transaction that stays as it was."""
    scene.script(f"""
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE wheels (note TEXT)"))
with db.engine.begin() as connection:
    connection.execute(text("SET LOCAL app.note = 'kept'"))
    connection.execute(text({COLOUR!r}))
    connection.execute(text("INSERT INTO wheels VALUES (current_setting('app.note'))"))
""")
    runs_under_steady_traffic(scene, meanwhile)
    assert scene.attempts == 1
    assert scene.value("SELECT note FROM wheels") == "kept"


def test_a_table_of_a_new_name_waits_for_nobody(scene: Scene) -> None:
    scene.script(sql("CREATE TABLE wheels (id INTEGER)", "CREATE INDEX ix_wheels ON wheels (id)"))
    with scene.session() as reader:
        reader.execute("SELECT * FROM cars")
        assert scene.start().wait().returncode == 0


def test_the_allowance_grows_up_to_its_share_of_the_budget() -> None:
    allowance = Allowance.of(500)
    assert (allowance.old_ms, allowance.timeout_ms, allowance.most_ms) == (30, 50, 300)
    allowance.grow_older()
    assert (allowance.old_ms, allowance.timeout_ms) == (45, 50)
    allowance.grow()
    assert (allowance.old_ms, allowance.timeout_ms) == (67.5, 75)
    for _ in range(20):
        allowance.grow()
    assert (allowance.old_ms, allowance.timeout_ms) == (300, 300)


@pytest.mark.parametrize(("budget_ms", "most"), [(20, 4), (80, 40), (100, 60), (500, 300)])
def test_waiting_leaves_time_for_holding_the_lock(budget_ms: int, most: float) -> None:
    """And bounds the first try too."""
    allowance = Allowance.of(budget_ms)
    assert allowance.old_ms <= allowance.timeout_ms <= most
    for _ in range(20):
        allowance.grow()
    assert (allowance.old_ms, allowance.timeout_ms) == (most, most)


def runs_under_steady_traffic(scene: Scene, meanwhile: Callable[..., Any]) -> None:
    """Transactions of 100 ms that overlap: the table is never free, and none of them is young for long."""
    is_over = Event()

    def traffic(first: float) -> int:
        transactions = 0
        with scene.session() as session:
            session.execute("SELECT pg_sleep(%s)", [first])
            while not is_over.is_set():
                session.execute("UPDATE cars SET note = note WHERE false")
                session.execute("SELECT pg_sleep(0.1)")
                session.commit()
                transactions += 1
        return transactions

    clients = [meanwhile(traffic, number * 0.025) for number in range(4)]
    try:
        end = scene.start().wait()
    finally:
        is_over.set()
    assert end.returncode == 0, end.output
    assert all(client.result() > 1 for client in clients)  # no client met its lock_timeout
