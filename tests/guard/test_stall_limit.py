"""A script that keeps the application waiting again and again is stopped, and not repeated for minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

from nonstop.descriptions.activity import Waiter
from nonstop.errors import StalledTooOften
from nonstop.guard.stall_limit import StallLimit
from tests.guard.conftest import Scene

SHORT_BUDGET = ("--blocking-budget", "200ms", "--deadline", "25s")
UPDATE_ONE = "UPDATE cars SET note = 'by the application' WHERE id = 1"
IDLE = """
import select
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'by the script'"))
    select.select([connection.connection.dbapi_connection.fileno()], [], [])  # until the session is terminated
    connection.execute(text("SELECT 1"))
"""
SWALLOWS = """
import select
for number in range(1000):
    try:
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE cars SET note = 'by the script'"))
            select.select([connection.connection.dbapi_connection.fileno()], [], [])
            connection.execute(text("SELECT 1"))
    except Exception:
        pass
"""
LONG_UPDATE = "op.execute(\"UPDATE cars SET note = 'by op' WHERE id = 1 RETURNING pg_sleep(20)\")"


@contextmanager
def busy_application(scene: Scene, meanwhile: Callable[..., Any]) -> Iterator[None]:
    """One that changes the same row again and again, and waits for it no longer than it may."""
    ended = Event()

    def work() -> None:
        with scene.session() as application:
            while not ended.is_set():
                application.execute(UPDATE_ONE)
                application.commit()

    working = meanwhile(work)
    try:
        yield
    finally:
        ended.set()
    working.result()


@pytest.mark.parametrize("lines", [IDLE, SWALLOWS], ids=["once", "again and again"])
def test_a_script_that_sits_idle_in_each_attempt_is_stopped(
    scene: Scene, meanwhile: Callable[..., Any], lines: str
) -> None:
    """Also one that catches the errors of its statements and begins again by itself."""
    scene.script(lines)
    with busy_application(scene, meanwhile):
        end = scene.start(*SHORT_BUDGET).wait()
    assert end.returncode == 5, end.output
    assert "the application waited for a transaction in which the script did nothing" in end.output
    assert "was undone completely" in end.output
    assert "Next: commit before the script computes or waits" in end.output
    assert scene.attempts == 6


def test_a_statement_of_op_that_takes_too_long_at_each_attempt_is_stopped(
    scene: Scene, meanwhile: Callable[..., Any]
) -> None:
    scene.script(LONG_UPDATE, "bare")
    with busy_application(scene, meanwhile):
        end = scene.start(*SHORT_BUDGET).wait()
    assert end.returncode == 5, end.output
    assert "the application has waited for this script for" in end.output
    assert "1.6 s is the limit" in end.output
    assert "was undone completely" in end.output
    assert "Next: commit before the script computes or waits" in end.output
    assert scene.attempts == 1
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'by op'") == 0


def waits(*milliseconds: int) -> list[Waiter]:
    return [Waiter(pid, 1, ms, False, False, "") for pid, ms in enumerate(milliseconds, 2)]


def test_a_stall_counts_once_however_many_wait_and_however_often_it_is_seen() -> None:
    limit = StallLimit(500)
    limit.note(waits(90, 100), 1000)
    limit.note(waits(190, 200), 1100)
    assert limit.total_ms == 200
    limit.note(waits(60), 2000)
    assert limit.total_ms == 260


def test_what_sessions_of_any_application_wait_does_not_count() -> None:
    limit = StallLimit(500)
    limit.note(waits(49, 20), 1000)
    limit.note([], 1020)
    assert limit.total_ms == 0


def test_the_limit_leaves_room_for_two_more_stalls() -> None:
    limit = StallLimit(500)
    for number in range(1, 14):
        limit.check()
        limit.note(waits(310), number * 1000)
    assert 4000 <= limit.total_ms <= 10 * 500 - 2 * 310
    with pytest.raises(StalledTooOften) as stopped:
        limit.check()
    assert stopped.value.exit_code == 5
