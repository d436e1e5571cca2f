"""Whatever a script does, the application does not wait for it longer than the budget."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.guard.conftest import Scene
from tests.reliability.builds import builder
from tests.support.rendezvous import Rendezvous
from tests.support.scripts import write_script
from tests.support.sessions import at_work, end_session, until_blocked
from tests.support.snapshots import applied
from tests.support.waiting import until

UPDATE_ONE = "UPDATE cars SET note = 'by the application' WHERE id = 1"
SLEEP = "SELECT pg_sleep(20)"
ASLEEP = "SELECT true FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
LONG_STATEMENT = f"""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'by the script'"))
    if attempt == 1:
        connection.execute(text("{SLEEP}"))
"""
BLOCK = LONG_STATEMENT.replace(SLEEP, "DO $$ BEGIN PERFORM pg_sleep(20); END $$")


SWALLOWING_BLOCK = LONG_STATEMENT.replace(
    SLEEP,
    "DO $$ BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep(60); END $$",
)


@pytest.mark.parametrize(
    "lines", [LONG_STATEMENT, BLOCK, SWALLOWING_BLOCK], ids=["a query", "a block", "a block that swallows it"]
)
def test_a_statement_that_blocks_the_application_is_cancelled(scene: Scene, lines: str) -> None:
    scene.script(lines)
    with scene.session() as application:
        runner = scene.start()
        until(lambda: scene.value(ASLEEP))
        application.execute(UPDATE_ONE)  # within its lock_timeout, which is less than the budget
        application.commit()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.attempts == 2
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'by the script'") == 3


def test_a_transaction_in_which_the_script_does_nothing_is_ended(
    scene: Scene, rendezvous: Rendezvous
) -> None:
    """Nothing can be cancelled there: the script computes, or asks somebody else."""
    scene.script(f"""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'by the script'"))
    if attempt == 1:
        {rendezvous.line}
    connection.execute(text("SELECT 1"))
""")
    application_is_served(scene, rendezvous)
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'by the script'") == 3


def test_a_commit_that_comes_too_late_is_tried_again(scene: Scene, rendezvous: Rendezvous) -> None:
    scene.script(f"""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'by the script'"))
    if attempt == 1:
        {rendezvous.line}
""")
    application_is_served(scene, rendezvous)
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'by the script'") == 3


def test_a_script_that_swallows_the_end_of_its_session_has_not_succeeded(
    scene: Scene, rendezvous: Rendezvous
) -> None:
    scene.script(f"""
try:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE cars SET note = 'by the script'"))
        if attempt == 1:
            {rendezvous.line}
except Exception:
    pass
""")
    application_is_served(scene, rendezvous)
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'by the script'") == 3


@pytest.mark.parametrize(
    ("copy", "moves"),
    [
        ("COPY orders (id, note) FROM STDIN", "copy.write_row((10, 'by the script'))"),
        ("COPY (SELECT repeat('x', 1000) FROM generate_series(1, 100000)) TO STDOUT", "copy.read()"),
    ],
    ids=["in", "out"],
)
def test_a_copy_that_stalls_is_ended(scene: Scene, rendezvous: Rendezvous, copy: str, moves: str) -> None:
    """Its session waits for the script, and does not notice that it is canceled."""
    scene.script(f"""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'by the script'"))
    if attempt == 1:
        with connection.connection.cursor() as cursor, cursor.copy({copy!r}) as copy:
            {moves}
            {rendezvous.line}
            {moves}
""")
    application_is_served(scene, rendezvous)
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'by the script'") == 3
    assert scene.value("SELECT count(*) FROM orders WHERE note = 'by the script'") == 0


@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_a_script_that_swallows_the_cancel_of_a_cursor_of_the_driver_has_not_succeeded(
    scene: Scene, ending: str
) -> None:
    scene.script(f"""
with db.engine.connect() as connection:
    connection.execute(text("UPDATE cars SET note = 'by the script'"))
    if attempt == 1:
        try:
            connection.connection.cursor().execute("{SLEEP}")
        except Exception:
            connection.{ending}()
    connection.commit()
""")
    runner = scene.start()
    until(lambda: at_work(scene.url, SLEEP))
    with scene.session() as application:
        application.execute(UPDATE_ONE)
    end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.attempts == 2
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'by the script'") == 3


def test_a_copy_that_stalls_after_a_commit_says_how_things_stand(
    scene: Scene, rendezvous: Rendezvous
) -> None:
    scene.script(f"""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE orders SET note = 'first'"))
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'second'"))
    with connection.connection.cursor() as cursor, cursor.copy("COPY orders (id, note) FROM STDIN") as copy:
        copy.write_row((10, 'third'))
        {rendezvous.line}
""")
    runner = scene.start()
    rendezvous.wait()
    with scene.session() as application:
        application.execute(UPDATE_ONE)
    rendezvous.let_go()
    end = runner.wait()
    assert end.returncode == 7, end.output
    assert "the application waited for a statement that did not end when it was canceled" in end.output
    assert "1 commit of it is permanent" in end.output
    assert scene.attempts == 1
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'second'") == 0


def application_is_served(scene: Scene, rendezvous: Rendezvous) -> None:
    """While a script sits in its transaction; it then comes to its end at the second attempt."""
    runner = scene.start()
    rendezvous.wait()
    with scene.session() as application:
        application.execute(UPDATE_ONE)
    rendezvous.let_go()
    end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.attempts == 2
    assert applied(scene.url) == [1]


def test_a_script_that_swallows_the_cancel_has_not_succeeded(scene: Scene) -> None:
    scene.script(f"""
with db.engine.connect() as connection:
    connection.execute(text("UPDATE cars SET note = 'by the script'"))
    if attempt == 1:
        try:
            connection.execute(text("{SLEEP}"))
        except Exception:
            connection.rollback()
    connection.commit()
""")
    runner = scene.start()
    until(lambda: at_work(scene.url, SLEEP))
    with scene.session() as application:
        application.execute(UPDATE_ONE)
    end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.attempts == 2
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'by the script'") == 3


def test_what_was_committed_before_is_said(scene: Scene) -> None:
    """The whole can't be tried again then: exit code 7, and the state."""
    scene.script(f"""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE orders SET note = 'first'"))
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'second'"))
    connection.execute(text("{SLEEP}"))
""")
    runner = scene.start()
    until(lambda: at_work(scene.url, SLEEP))
    with scene.session() as application:
        application.execute(UPDATE_ONE)
    end = runner.wait()
    assert end.returncode == 7, end.output
    assert "1 commit of it is permanent" in end.output
    assert "stopped part-way" in end.output
    assert scene.attempts == 1
    assert scene.value("SELECT count(*) FROM orders WHERE note = 'first'") == 3
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'second'") == 0


def test_a_session_that_nobody_waits_for_is_left_alone(scene: Scene, rendezvous: Rendezvous) -> None:
    scene.script(f"""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'by the script'"))
    {rendezvous.line}
""")
    with scene.session() as holder, scene.session() as application:
        holder.execute("UPDATE orders SET note = 'held'")
        runner = scene.start()
        rendezvous.wait()
        with pytest.raises(psycopg.errors.LockNotAvailable):  # waits for somebody else, for as long as it may
            application.execute("UPDATE orders SET note = 'mine'")
    rendezvous.let_go()
    assert runner.wait().returncode == 0
    assert scene.attempts == 1


def test_without_a_watchdog_nothing_goes_on(scene: Scene, rendezvous: Rendezvous) -> None:
    scene.script(f"""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'by the script'"))
    {rendezvous.line}
    connection.execute(text("UPDATE orders SET note = 'by the script'"))
""")
    runner = scene.start()
    rendezvous.wait()
    watcher = scene.value("SELECT pid FROM pg_stat_activity WHERE application_name = 'nonstop observer'"
                          " AND datname = current_database()")  # fmt: skip
    assert isinstance(watcher, int)
    end_session(scene.url, watcher)
    rendezvous.let_go()
    end = runner.wait()
    assert end.returncode == 6, end.output
    assert "nobody watches any longer whom we block" in end.output
    assert "was undone completely" in end.output
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'by the script'") == 0


def test_a_long_build_of_op_is_not_felt(scene: Scene, meanwhile: Callable[..., Any]) -> None:
    """It waits for old transactions for as long as it takes, and nobody waits for it."""
    write_script(
        scene.project.migrations, "001_index.py", 'op.create_index("ix_note", "cars", ["note"])', template="bare"
    )  # fmt: skip
    with scene.session() as old, scene.session() as application:
        old.execute("UPDATE cars SET note = 'old' WHERE id = 3")
        runner = scene.start()
        until_blocked(scene.url, builder(scene))
        application.execute(UPDATE_ONE)
        application.commit()
        old.commit()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_note'::regclass") is True


def test_a_step_of_op_that_was_canceled_is_tried_again_by_itself(scene: Scene) -> None:
    """Its rollback is no interruption of the script, which goes on behind it."""
    with psycopg.connect(scene.url) as connection:
        connection.execute("CREATE SEQUENCE tries")
    scene.script(
        "op.execute(\"UPDATE cars SET note = 'by the script'; SELECT CASE nextval('tries') WHEN 1 THEN pg_sleep(600) END\")\n"
        'op.add_column("cars", Column("size", Integer))',
        "op",
    )
    with scene.session() as application:
        runner = scene.start()
        until(lambda: scene.value(ASLEEP))
        application.execute("UPDATE cars SET note = 'by the application' WHERE id = 1")
        application.commit()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.attempts == 1
    assert scene.value("SELECT last_value FROM tries") == 2
    assert scene.has_column("cars", "size")
