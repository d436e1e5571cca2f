"""Indexes come and go beside readers and writers, whatever else is open on the server (C3, C5, C6, C7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.guard.conftest import Scene, Session
from tests.reliability.builds import PHASE, Phase, indexes
from tests.support.scripts import Template, sql
from tests.support.sessions import at_work, queued_for, until_blocked, until_it_looks, until_old
from tests.support.snapshots import applied
from tests.support.waiting import until

CREATE = 'op.create_index("ix_note", "cars", ["note"])'
DROP = 'op.drop_index("ix_note", "cars")'
CREATES: dict[str, tuple[str, Template]] = {
    "op": (CREATE, "bare"),
    "raw": (sql("ALTER TABLE cars ADD COLUMN size INTEGER", "CREATE INDEX ix_note ON cars (note)"), "raw"),
}
WRITE = "UPDATE cars SET note = 'by the application' WHERE id = 1"
LONG_READ = "SELECT count(*), pg_sleep(600) FROM orders"


@pytest.fixture(params=CREATES)
def building(request: pytest.FixtureRequest, scene: Scene) -> Scene:
    """With a script that builds an index on ``cars``, written in either way."""
    scene.script(*CREATES[request.param])
    return scene


@pytest.mark.parametrize(
    "statement", ["SELECT * FROM orders", "UPDATE orders SET note = 'x'"], ids=["read", "written"]
)
def test_c03_an_idle_transaction_elsewhere_holds_no_build_up(building: Scene, statement: str) -> None:
    scene = building
    with scene.session() as other:
        other.execute(statement.encode())
        end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert indexes(scene) == [("ix_note", True)]


def test_c03_a_build_waits_for_an_idle_snapshot_elsewhere_and_nobody_for_it(
    building: Scene, busy_application: Session
) -> None:
    scene = building
    with scene.session() as other:
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        other.execute("SELECT * FROM orders")
        runner = scene.start()
        until(lambda: scene.value(PHASE) == Phase.SNAPSHOTS)
        busy_application.execute(WRITE)
        other.rollback()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert indexes(scene) == [("ix_note", True)]
    assert scene.attempts == 1


def test_c03_a_build_waits_for_a_long_read_elsewhere_and_nobody_for_it(
    building: Scene, busy_application: Session, meanwhile: Callable[..., Any]
) -> None:
    scene = building
    with scene.session() as other:
        read = meanwhile(other.execute, LONG_READ)
        until(lambda: at_work(scene.url, LONG_READ))
        runner = scene.start()
        until(lambda: scene.value(PHASE) == Phase.SNAPSHOTS)
        busy_application.execute(WRITE)
        other.cancel()
        assert isinstance(read.exception(), psycopg.errors.QueryCanceled)
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert indexes(scene) == [("ix_note", True)]
    assert scene.attempts == 1


def test_c05_each_concurrent_statement_stands_outside_transactions(scene: Scene) -> None:
    """Between other steps, in one script, and after a transaction of the script's own."""
    scene.script(
        f"""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE orders SET note = 'by the script'"))
op.add_column("cars", Column("colour", String(20)))
{CREATE}
op.create_index("ix_colour", "cars", ["colour"], unique=True)
{DROP}
""",
        "op",
    )
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert indexes(scene) == [("ix_colour", True)]


def test_c05_concurrently_in_a_transaction_is_undone_with_it(scene: Scene) -> None:
    """The server does not take it there; without the word it would be built after the commit."""
    scene.script(
        sql("ALTER TABLE cars ADD COLUMN size INTEGER", "CREATE INDEX CONCURRENTLY ix_note ON cars (note)")
    )
    end = scene.start().wait()
    assert end.returncode == 1, end.output
    assert "CREATE INDEX CONCURRENTLY cannot run inside a transaction block" in end.output
    assert "was undone completely" in end.output
    assert indexes(scene) == []
    assert not scene.has_column("cars", "size")


def test_c05_concurrently_among_other_statements_in_one_text(scene: Scene) -> None:
    """The server would not take that; the guard takes the text apart."""
    scene.script("""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(text("CREATE INDEX CONCURRENTLY ix_note ON cars (note); UPDATE cars SET note = 'x'"))
""")
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert indexes(scene) == [("ix_note", True)]
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'x'") == 3


@pytest.fixture
def indexed(scene: Scene) -> Scene:
    """With an index on ``cars``, and a script of ``op`` that drops it."""
    with psycopg.connect(scene.url) as connection:
        connection.execute("CREATE INDEX ix_note ON cars (note)")
    scene.script(DROP, "bare")
    return scene


def test_c07_a_drop_waits_for_readers_of_the_table_and_nobody_for_it(
    indexed: Scene, busy_application: Session
) -> None:
    """Also for those who do not use the index at all."""
    with indexed.session() as reader:
        reader.execute("SELECT count(*) FROM cars")
        runner = indexed.start()
        until_blocked(indexed.url, until_dropping(indexed))
        assert queued_for(indexed.url, "cars") == 0
        busy_application.execute("SELECT * FROM cars")
        busy_application.execute(WRITE)
        reader.rollback()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert indexes(indexed) == []


def test_c07_a_plain_drop_waits_outside_the_queue_and_nobody_for_it(
    scene: Scene, busy_application: Session
) -> None:
    with psycopg.connect(scene.url) as connection:
        connection.execute("CREATE INDEX ix_note ON cars (note)")
    scene.script(sql("DROP INDEX ix_note"))
    with scene.session() as reader:
        reader.execute("SELECT count(*) FROM cars")
        until_old(scene.url, reader.info.backend_pid)
        runner = scene.start()
        until_it_looks(scene.url)
        assert queued_for(scene.url, "cars") == 0
        busy_application.execute("SELECT * FROM cars")
        busy_application.execute(WRITE)
        reader.rollback()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert indexes(scene) == []


@pytest.mark.repetitive(1)
def test_c06_a_drop_that_runs_out_of_time_says_what_it_left_and_is_finished_by_the_next(
    indexed: Scene,
) -> None:
    with indexed.session() as reader:
        reader.execute("SELECT count(*) FROM cars")
        runner = indexed.start("--deadline", "4s")
        until_dropping(indexed)
        end = runner.wait()
        assert end.returncode == 7, end.output
        assert "the deadline of 4 s has passed" in end.output
        assert "it was broken off at: drop index ix_note" in end.output
    assert indexes(indexed) == [("ix_note", False)]
    end = indexed.start().wait()
    assert end.returncode == 0, end.output
    assert indexes(indexed) == []
    assert applied(indexed.url) == [1]


def test_c06_a_cancelled_drop_is_tried_again(indexed: Scene) -> None:
    with indexed.session() as reader:
        reader.execute("SELECT count(*) FROM cars")
        runner = indexed.start()
        dropper = until_dropping(indexed)
        until_blocked(indexed.url, dropper)
        indexed.value(f"SELECT pg_cancel_backend({dropper})")
        reader.rollback()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert indexes(indexed) == []


def until_dropping(scene: Scene) -> int:
    """The process id of the session that drops the index, as soon as it does."""
    statement = "DROP INDEX CONCURRENTLY ix_note"
    until(lambda: at_work(scene.url, statement))
    (pid,) = at_work(scene.url, statement)
    return pid
