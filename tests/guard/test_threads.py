"""The threads of a script are guarded as the script is, and have ended before it has."""

from __future__ import annotations

import pytest

from tests.guard.conftest import Scene
from tests.support.sessions import queued_for, until_it_looks, until_old
from tests.support.waiting import until

ASLEEP = "SELECT true FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
UPDATE_ONE = "UPDATE cars SET note = 'by the application' WHERE id = 1"
STARTS = {
    "a thread": "thread = threading.Thread(target=work)\nthread.start()\nthread.join()",
    "a pool": "with ThreadPoolExecutor() as threads:\n    threads.submit(work).result()",
    "a timer": "thread = threading.Timer(0, work)\nthread.start()\nthread.join()",
    "nobody waits": "threading.Thread(target=work).start()",
    "a bare thread": "_thread.start_new_thread(lambda: (work(), ended.set()), ())\nended.wait()",
}


def in_thread(*statements: str, start: str = STARTS["a thread"]) -> str:
    """The lines of a script whose thread sends ``statements`` in one transaction."""
    sends = "\n".join(f"        connection.execute(text({statement!r}))" for statement in statements)
    return f"""
import _thread, threading
from concurrent.futures import ThreadPoolExecutor
ended = threading.Event()
def work():
    with app.app_context(), db.engine.begin() as connection:
{sends}
{start}
"""


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_a_lock_of_a_thread_waits_outside_the_queue(scene: Scene, start: str) -> None:
    scene.script(in_thread("ALTER TABLE cars ADD COLUMN colour TEXT", start=start))
    with scene.session() as reader:
        reader.execute("SELECT count(*) FROM cars")
        until_old(scene.url, reader.info.backend_pid)
        runner = scene.start()
        until_it_looks(scene.url)
        assert queued_for(scene.url, "cars") == 0
        reader.rollback()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.has_column("cars", "colour")
    assert scene.attempts == 1


@pytest.mark.parametrize("start", [STARTS["a thread"], STARTS["nobody waits"]], ids=["joined", "not joined"])
def test_a_thread_that_blocks_the_application_is_canceled_and_not_run_again(scene: Scene, start: str) -> None:
    scene.script(in_thread("UPDATE cars SET note = 'by the script'", "SELECT pg_sleep(600)", start=start))
    with scene.session() as application:
        runner = scene.start()
        until(lambda: scene.value(ASLEEP))
        application.execute(UPDATE_ONE)  # within its lock_timeout, which is less than the budget
        application.commit()
        end = runner.wait()
    assert end.returncode == 5, end.output
    assert "was undone completely" in end.output
    assert scene.attempts == 1
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'by the script'") == 0


def test_a_thread_that_goes_on_after_its_script_has_failed_sends_nothing_more(scene: Scene) -> None:
    scene.script("""
import threading
begun, go_on = threading.Event(), threading.Event()
def work():
    with app.app_context(), db.engine.connect() as connection:
        connection.execute(text("UPDATE cars SET note = 'by the script'"))
        begun.set()
        try:
            connection.execute(text("SELECT pg_sleep(600)"))
        except Exception:
            connection.rollback()
        connection.execute(text("UPDATE cars SET note = 'too late'"))
        connection.commit()
threading.Thread(target=work).start()
begun.wait()
raise ValueError("no more")
""")
    end = scene.start().wait()
    assert end.returncode == 1, end.output
    assert "ValueError: no more" in end.output
    assert scene.value("SELECT count(*) FROM cars WHERE note <> ''") == 0


def test_a_thread_that_loses_data_is_refused(scene: Scene) -> None:
    scene.script(in_thread("DELETE FROM cars WHERE id = 1"))
    end = scene.start().wait()
    assert end.returncode == 8, end.output
    assert "this would lose data: cars: 1 row" in end.output
    assert scene.value("SELECT count(*) FROM cars") == 3


def test_an_index_of_a_thread_is_built_online_and_in_place_when_it_has_committed(online: Scene) -> None:
    online.script(
        in_thread("CREATE INDEX ix ON cars (note)")
        + """
with db.engine.connect() as connection:
    assert connection.execute(text("SELECT to_regclass('ix')")).scalar()
"""
    )
    end = online.start().wait()
    assert end.returncode == 0, end.output
    assert "done online: CREATE INDEX CONCURRENTLY ix ON cars (note)" in end.output


def test_a_session_of_another_thread_is_waited_for(scene: Scene) -> None:
    """It ends by itself: that is no script that waits for itself."""
    scene.script("""
import threading
holds, waits = threading.Event(), threading.Event()
def work():
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("SELECT * FROM cars"))
        holds.set()
        waits.wait()
        connection.execute(text("SELECT pg_sleep(1)"))
threading.Thread(target=work).start()
holds.wait()
waits.set()
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE cars ADD COLUMN colour TEXT"))
""")
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert scene.has_column("cars", "colour")


@pytest.mark.parametrize(
    "lines",
    [
        "thread = threading.Thread(target=lambda: op.drop_index('ix', 'cars'))\nthread.start()\nthread.join()",
        "end = threading.Event()\nthreading.Thread(target=end.wait).start()\ntry:\n    op.drop_index('ix', 'cars')\nfinally:\n    end.set()",
    ],
    ids=["in a thread", "beside a thread"],
)
def test_op_in_or_beside_a_thread_is_refused(scene: Scene, lines: str) -> None:
    scene.script(f"import threading\n{lines}", "bare")
    end = scene.start().wait()
    assert end.returncode == 2, end.output
    assert "op was called while a thread of the script is at work" in end.output


def test_a_daemon_thread_at_work_fails_its_script(scene: Scene) -> None:
    """The end of a process would cut it off in the middle of its transaction."""
    scene.script("""
import threading
begun = threading.Event()
def work():
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE cars SET note = 'x'"))
        begun.set()
        connection.execute(text("SELECT pg_sleep(600)"))
threading.Thread(target=work, daemon=True, name="the clerk").start()
begun.wait()
""")
    end = scene.start().wait()
    assert end.returncode == 1, end.output
    assert "apply() returned while a thread of it works on the database: the clerk" in end.output
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'x'") == 0
