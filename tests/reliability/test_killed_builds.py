"""A concurrent build that is ended, in whatever phase: the next run builds a good index, and nothing is left (C4)."""

from __future__ import annotations

import os
import signal

import psycopg
import pytest

from tests.guard.conftest import Scene
from tests.reliability.builds import BUILDERS, GATE, Phase, build_in, builder, indexes
from tests.support.scripts import Template, sql
from tests.support.sessions import end_session, sessions_of_runners
from tests.support.snapshots import applied
from tests.support.waiting import until

FORMS: dict[str, tuple[str, Template]] = {
    "op": ('from sqlalchemy import text\nop.create_index("ix_note", "cars", [text("gate(note)")])', "bare"),
    "raw": (
        sql("UPDATE orders SET note = 'x'", "CREATE INDEX IF NOT EXISTS ix_note ON cars ((gate(note)))"),
        "raw",
    ),
}
EACH_PHASE = pytest.mark.parametrize("phase", Phase, ids=lambda phase: phase.value)


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    """How the script is written: with ``op``, or in plain SQL, whose index is built after its commit."""
    return str(request.param)


@pytest.fixture
def gated(scene: Scene, form: str) -> Scene:
    """With a script that builds an index, which can be held up at each row."""
    with psycopg.connect(scene.url) as connection:
        connection.execute(GATE)
    scene.script(*FORMS[form])
    return scene


@pytest.mark.repetitive(4)
@EACH_PHASE
def test_c04_a_build_whose_session_is_terminated_leaves_nothing(
    gated: Scene, form: str, phase: Phase
) -> None:
    with build_in(gated, phase) as runner:
        end_session(gated.url, builder(gated))
    end = runner.wait()
    assert "terminating connection due to administrator command" in end.output
    if form == "op":
        assert end.returncode == 1, end.output
        assert "was undone completely" in end.output
    else:  # the transaction before it is committed
        assert end.returncode == 7, end.output
        assert "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_note" in end.output
    assert indexes(gated) == []
    builds_it(gated)


@pytest.mark.repetitive(4)
@EACH_PHASE
def test_c04_a_build_whose_runner_is_killed_is_built_anew(gated: Scene, phase: Phase) -> None:
    with build_in(gated, phase) as runner:
        runner.kill()
        assert runner.wait().was_killed
        until(lambda: not gated.value(BUILDERS))  # the server has seen that nobody waits for it
    assert [valid for _, valid in indexes(gated)] in ([], [False])
    until(lambda: not sessions_of_runners(gated.url))
    builds_it(gated)


@pytest.mark.repetitive(2)
@pytest.mark.parametrize("phase", [Phase.WRITERS, Phase.BUILD, Phase.SNAPSHOTS])
def test_c04_a_build_that_runs_out_of_time_says_what_it_left(gated: Scene, phase: Phase) -> None:
    """After its deadline nonstop waits for nobody, so it does not drop what is left."""
    with build_in(gated, phase, "--deadline", "4s") as runner:
        end = runner.wait()
    assert end.returncode == 7, end.output
    assert "the deadline of 4 s has passed" in end.output
    assert "it was broken off at: create index ix_note on cars" in end.output
    assert indexes(gated) == [("ix_note", False)]
    builds_it(gated)


def test_c04_a_second_signal_breaks_a_build_off_and_says_what_it_left(gated: Scene) -> None:
    with build_in(gated, Phase.SNAPSHOTS) as runner:
        os.kill(runner.pid, signal.SIGTERM)
        os.kill(runner.pid, signal.SIGINT)
        end = runner.wait()
    assert end.returncode == 7, end.output
    assert "it was broken off at: create index ix_note on cars" in end.output
    assert indexes(gated) == [("ix_note", False)]
    builds_it(gated)


def builds_it(scene: Scene) -> None:
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert indexes(scene) == [("ix_note", True)]
    assert applied(scene.url) == [1]
    assert scene.value("SELECT count(*) FROM orders WHERE note LIKE '%xx'") == 0  # nothing was done twice
