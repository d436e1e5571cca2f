"""Runs that are killed and run again: each point once, and from the same state not twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nonstop import scripts
from nonstop.check.acts import Ran, Setting
from nonstop.check.disturbed_runs import DisturbedRuns, Outcome, Outcomes, finish
from nonstop.check.observations import Killed, Observations, Step
from nonstop.check.rehearsal import Left, Rehearsal, Theatre
from nonstop.check.stage import Stage
from nonstop.databases import open_database
from nonstop.databases.fingerprint import Snapshot
from nonstop.databases.rehearsal import Scratch
from nonstop.descriptions.history import Progress
from nonstop.descriptions.scripts import Direction, Script

BOXES = "CREATE TABLE boxes (id INTEGER PRIMARY KEY)"
TWO_STEPS = '''\
"""
Migration 001: boxes get a shelf and a colour.

Why: they were never found again.
"""

from sqlalchemy import Column, String

from nonstop import op


def apply():
    op.add_column("boxes", Column("shelf", String(9)))
    op.add_column("boxes", Column("colour", String(9)))


def rollback():
    op.drop_column("boxes", "colour")
    op.drop_column("boxes", "shelf")
'''
TWICE_AS_MANY = '''\
"""
Migration 001: each box gets a twin.

Why: two were always needed.
"""

import os

from sqlalchemy import create_engine, text


def apply():
    with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
        for _ in range(2):
            connection.execute(text("INSERT INTO boxes (id) SELECT coalesce(max(id), 0) + 1 FROM boxes"))
            connection.commit()


def rollback():
    pass
'''


@dataclass(frozen=True)
class RecordingTheatre(Theatre):
    """Notes what was run to its end."""

    steps: list[Step] = field(default_factory=list)

    def step(self, scratch: Scratch, script: Script, direction: Direction) -> Step:
        self.steps.append(super().step(scratch, script, direction))
        return self.steps[-1]


@pytest.fixture
def theatre(database_url: str, migrations: Path) -> Iterator[RecordingTheatre]:
    """A place to rehearse for a database of boxes."""
    database = open_database(database_url)
    with database.engine().begin() as connection:
        connection.exec_driver_sql(BOXES)
    with (
        database.rehearsals.ground(None) as ground,
        Stage(ground) as stage,
        ThreadPoolExecutor(2) as beside,
    ):
        yield RecordingTheatre(ground, stage, Setting(migrations, "nonstop", None, 500, 60.0), beside)


def disturbed(theatre: RecordingTheatre, migrations: Path, text: str) -> Observations:
    """What is seen of the script's disturbed runs."""
    path = migrations / "001_boxes.py"
    path.write_text(text, encoding="utf-8")
    script = scripts.read(path)
    rehearsal, base = Rehearsal(theatre, script), theatre.ground.base()
    with theatre.copy(base) as alone, theatre.copy(base) as applied:
        seen = rehearsal.on_schema(alone)
        rehearsal.apply(seen, applied)
        with theatre.copy(applied) as there:
            rehearsal.and_back(seen, there)
        theatre.steps.clear()
        finish(DisturbedRuns(theatre, seen).begin(base, applied))
    return seen


def points(killed: list[Killed], direction: Direction) -> list[int]:
    return sorted(one.point for one in killed if one.direction is direction)


def test_each_point_once_and_from_the_same_state_not_twice(
    theatre: RecordingTheatre, migrations: Path
) -> None:
    seen = disturbed(theatre, migrations, TWO_STEPS)
    assert seen.apply is not None
    assert seen.rollback is not None
    assert points(seen.killed, Direction.APPLY) == [*range(1, seen.apply.ran.points + 1)]
    assert points(seen.killed, Direction.ROLLBACK) == [*range(1, seen.rollback.ran.points + 1)]
    assert not any(one.again.failure or one.differences for one in seen.killed)
    undisturbed = {id(seen.apply.ran), id(seen.rollback.ran)}
    assert len({id(one.again) for one in seen.killed} - undisturbed) == len(theatre.steps)
    # A kill after a statement leaves what the one after the commit before it has left.
    assert len(theatre.steps) < len(seen.killed)


def test_what_is_done_twice_is_seen(theatre: RecordingTheatre, migrations: Path) -> None:
    seen = disturbed(theatre, migrations, TWICE_AS_MANY)
    astray = [one.point for one in seen.killed if one.differences]
    assert astray, seen.killed


def left(rows: int, *steps: tuple[str, str, str]) -> Left:
    return Left(Snapshot({}, {"boxes": (rows, "")}, {}), Progress(is_applied=False, steps=steps))


def test_what_the_ledger_knows_is_part_of_the_state() -> None:
    """A statement that was deferred to the commit shows nowhere else, and the next run takes it up."""
    outcome = Outcome(Ran(None, None, 1), ())
    outcomes = Outcomes(left(1), outcome)
    assert outcomes.of(left(1), lambda: pytest.fail("is known")) is outcome
    other = Outcome(Ran(None, None, 2), ("differs",))
    deferred = left(1, ("apply", "deferred", "CREATE INDEX"))
    assert outcomes.of(deferred, lambda: other) is other
    assert outcomes.of(deferred, lambda: pytest.fail("is known")) is other


def test_an_error_comes_to_all_who_wait_for_it() -> None:
    outcomes = Outcomes(left(1), Outcome(Ran(None, None, 1), ()))

    def fails() -> Outcome:
        raise LookupError("no such act")

    for _ in range(2):
        with pytest.raises(LookupError):
            outcomes.of(left(2), fails)
