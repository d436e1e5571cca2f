"""A lock that is never free is asked for again and again, each time for a moment only; no attempt is without a limit (C41)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.guard.conftest import Scene
from tests.support.scripts import Template, sql
from tests.support.sessions import queued_for
from tests.support.tiers import times
from tests.support.waiting import until

ATTEMPTS = times(quick=8, thorough=50)
COLOUR = "ALTER TABLE cars ADD COLUMN colour VARCHAR(20)"
FORMS: dict[str, tuple[str, Template]] = {
    "op": ('op.add_column("cars", Column("colour", String(20)))', "op"),
    "raw": (sql(COLOUR), "raw"),
    "raw after a commit": (sql("CREATE TABLE wheels (id INTEGER)", COLOUR, transactions="each"), "raw"),
}


@pytest.fixture(params=FORMS)
def waiting_scene(request: pytest.FixtureRequest, scene: Scene) -> Scene:
    """With a script that needs ``cars`` for itself for a moment."""
    scene.script(*FORMS[request.param])
    return scene


def hold_on(scene: Scene, is_enough: Callable[[int], bool]) -> int:
    """Keep ``cars`` from ever being free: a young transaction takes over from the one before, or waits for us to give up.

    Nobody stands behind us, and nobody lets us through: it is our own limit alone that takes us out of the queue.
    ``is_enough`` gets the number of attempts that were seen to end so; the last of them comes back.
    """
    attempts = 0
    with scene.session() as first, scene.session() as second:
        holder, successor = first, second
        holder.execute("SELECT * FROM cars")
        while not is_enough(attempts):
            if queued_for(scene.url, "cars"):
                until(lambda: not queued_for(scene.url, "cars"))
                attempts += 1
            else:
                successor.execute("SELECT * FROM cars")
                holder.rollback()
                holder, successor = successor, holder
    return attempts


def test_c41_every_attempt_ends_by_itself(waiting_scene: Scene) -> None:
    """And there is no last one: as soon as the lock is free, the next attempt has it."""
    runner = waiting_scene.start("--blocking-budget", "100ms", "--deadline", "5min")
    hold_on(waiting_scene, lambda attempts: attempts >= ATTEMPTS)
    end = runner.wait()
    assert end.returncode == 0, end.output
    assert waiting_scene.has_column("cars", "colour")


def test_c41_at_the_deadline_it_ends_without_the_lock(
    waiting_scene: Scene, meanwhile: Callable[..., Any]
) -> None:
    runner = waiting_scene.start("--blocking-budget", "100ms", "--deadline", "2s")
    ending = meanwhile(runner.wait)
    hold_on(waiting_scene, lambda attempts: ending.done())
    end = ending.result()
    assert end.returncode in {1, 7}, end.output
    assert "the deadline of 2 s has passed" in end.output
    assert not waiting_scene.has_column("cars", "colour")
