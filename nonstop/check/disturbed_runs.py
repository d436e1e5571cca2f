"""Runs of a script that are killed at each point and run again, and runs in which a statement fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple

from nonstop.check.acts import Ran
from nonstop.check.observations import Fault, Killed, Observations, Step
from nonstop.check.rehearsal import Left, Theatre
from nonstop.databases.fingerprint import RowChecksums, Snapshot, differences
from nonstop.databases.rehearsal import Scratch
from nonstop.descriptions.history import Progress
from nonstop.descriptions.scripts import Direction

MOST_KILLS = 200
"""So many points of one direction are tried; of more, this number, evenly spread."""


class Outcome(NamedTuple):
    """What came of running a script again after a kill: ``differences`` from where an undisturbed run ends."""

    ran: Ran
    differences: tuple[str, ...]


class Outcomes:
    """What came of running a script again, by what a kill had left: from the same it is not run a second time."""

    def __init__(self, left: Left, outcome: Outcome) -> None:
        """``outcome`` is what is known already to come of ``left``."""
        known: Future[Outcome] = Future()
        known.set_result(outcome)
        self._known = [(left, known)]
        self._looking = threading.Lock()

    def of(self, left: Left, run: Callable[[], Outcome]) -> Outcome:
        """What comes of ``left``, by ``run`` where that is not known; where it is just being tried, that is awaited."""
        with self._looking:
            found = next((future for known, future in self._known if known == left), None)
            if found is None:
                mine: Future[Outcome] = Future()
                self._known.append((left, mine))
        if found is not None:
            return found.result()
        try:
            mine.set_result(run())
        except BaseException as error:
            mine.set_exception(error)
        return mine.result()


class DisturbedRuns:
    """The disturbed runs of one script; what is seen goes into the observations ``seen``."""

    def __init__(self, theatre: Theatre, seen: Observations) -> None:
        self._theatre = theatre
        self._script = seen.script
        self._seen = seen

    def begin(self, before: Scratch, after: Scratch) -> list[Future[None]]:
        """Begin to kill apply (from ``before``) and rollback (from ``after``) after each statement and to run them again,
        and to let statements fail: each of it is one of what comes back."""
        seen = self._seen
        if seen.apply is None:
            return []
        jobs = self._kills(Direction.APPLY, before, seen.before, seen.apply)
        jobs += self._faults(Direction.APPLY, before, seen.apply)
        if seen.rollback is not None and seen.rollback.ran.succeeded:
            jobs += self._kills(Direction.ROLLBACK, after, seen.after, seen.rollback)
        return [self._theatre.beside.submit(job) for job in jobs]

    def _kills(
        self, direction: Direction, start: Scratch, began: Snapshot, undisturbed: Step
    ) -> list[Callable[[], None]]:
        # Where nothing is left, it is as if it had not begun: it was run from there already.
        nothing = Left(began, Progress(is_applied=direction is Direction.ROLLBACK, steps=()))
        outcomes = Outcomes(nothing, Outcome(undisturbed.ran, ()))
        return [
            partial(self._kill, direction, start, undisturbed, outcomes, point)
            for point in _spread(undisturbed.ran.points)
        ]

    def _kill(
        self, direction: Direction, start: Scratch, undisturbed: Step, outcomes: Outcomes, point: int
    ) -> None:
        theatre, script = self._theatre, self._script

        def run_again() -> Outcome:
            again = theatre.step(scratch, script, direction)
            return Outcome(again.ran, self._differences(undisturbed.moment, again.moment))

        with theatre.copy(start) as scratch:
            if theatre.run(scratch, script, direction, kill_at=point) is not None:
                return  # it came to its end before
            outcome = outcomes.of(theatre.left(scratch, script), run_again)
            self._seen.killed.append(Killed(direction, point, *outcome))

    def _faults(self, direction: Direction, start: Scratch, undisturbed: Step) -> list[Callable[[], None]]:
        points = undisturbed.ran.points
        statements = sorted({1, max(1, points - 1)}) if points else []
        return [partial(self._fail, direction, start, undisturbed, statement) for statement in statements]

    def _fail(self, direction: Direction, start: Scratch, undisturbed: Step, statement: int) -> None:
        with self._theatre.copy(start) as scratch:
            ran = self._theatre.run(scratch, self._script, direction, fail_at=statement)
            assert ran is not None
            ends = self._theatre.moment(scratch)
            short = ran.succeeded and self._differences(undisturbed.moment, ends)
            self._seen.faults.append(Fault(direction, statement, bool(short)))

    def _differences(self, wanted: Snapshot, found: Snapshot) -> tuple[str, ...]:
        """Of the tables that vary only the number of rows counts, of the others not what a sequence has numbered."""

        def comparable(moment: Snapshot) -> RowChecksums:
            return {
                table: (n, "" if table in self._seen.varying else sum_)
                for table, (n, sum_) in moment.unnumbered.items()
            }

        return (
            *differences(wanted.schema, found.schema),
            *differences(comparable(wanted), comparable(found), "rows of"),
        )


def finish(begun: Sequence[Future[None]]) -> None:
    """Wait for all of it; the first error is raised."""
    for one in begun:
        one.result()


def _spread(points: int) -> Sequence[int]:
    """All points, or MOST_KILLS of them."""
    if points <= MOST_KILLS:
        return range(1, points + 1)
    return sorted({1 + round(n * (points - 1) / (MOST_KILLS - 1)) for n in range(MOST_KILLS)})
