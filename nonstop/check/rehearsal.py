"""One script on scratch databases: everything that the proofs need to see, in the order in which it is done."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nonstop import scripts
from nonstop.check import acts
from nonstop.check.acts import Failure, Ran, Setting
from nonstop.check.observations import Observations, Step
from nonstop.check.stage import Ended, Stage
from nonstop.databases import open_database
from nonstop.databases.base import Database
from nonstop.databases.fingerprint import Snapshot, ValueCounts
from nonstop.databases.rehearsal import Ground, Scratch
from nonstop.descriptions.history import Progress
from nonstop.descriptions.scripts import Direction, Script
from nonstop.errors import ValidationError
from nonstop.runner import Runner, new_identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from nonstop.check.running_code.source import CodeSource

AT_A_TIME = min(4, os.cpu_count() or 2)
"""What is done side by side."""


class Left(NamedTuple):
    """What a run has left that did not come to its end: in the database, and in the ledger."""

    moment: Snapshot
    progress: Progress


class CanNotBeRehearsed(ValidationError):
    """The script fails on a scratch database that has the target's schema."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message, details=failure.details, next_step=failure.next_step)
        self.failure = failure


class Asked(NamedTuple):
    """What is the same for every script of a check.

    ``rows`` is the size of the tables that locks are measured on; ``old`` is the code that runs now (None: derived from
    the schema), ``new`` the one that is deployed next; ``sampled`` is the database whose rows are sampled; ``own`` are
    the ledger's tables.
    """

    rows: int
    old: CodeSource | None
    new: CodeSource | None
    sampled: Database | None
    own: frozenset[str]


@dataclass(frozen=True)
class Theatre:
    """What every rehearsal of a check shares."""

    ground: Ground
    stage: Stage
    setting: Setting
    beside: ThreadPoolExecutor
    """For what can be done at the same time as something else of the same script."""

    # --- scratch databases ------------------------------------------------------------------------------------

    @contextmanager
    def copy(self, scratch: Scratch) -> Iterator[Scratch]:
        """Another database like ``scratch``, for the length of the block."""
        made = self.ground.copy(scratch)
        try:
            yield made
        finally:
            self.ground.drop(made)

    @contextmanager
    def engine(self, scratch: Scratch) -> Iterator[Engine]:
        """An engine on a scratch database, for the length of the block."""
        engine = open_database(scratch.url).engine()
        try:
            yield engine
        finally:
            engine.dispose()

    def moment(self, scratch: Scratch) -> Snapshot:
        """What the database looks like now, and what is in it."""
        database = open_database(scratch.url)
        with closing(database.connect_reading()) as connection:
            return database.rehearsals.snapshot(connection, self.setting.own_prefix)

    def left(self, scratch: Scratch, script: Script) -> Left:
        """What a killed run of the script has left."""
        database = open_database(scratch.url)
        ledger = self._runner(database).ledger()
        with closing(database.connect_reading()) as connection:
            moment = database.rehearsals.snapshot(connection, self.setting.own_prefix)
            return Left(moment, ledger.progress(connection, script))

    def values(self, scratch: Scratch) -> ValueCounts:
        """How many values each column has now."""
        database = open_database(scratch.url)
        with closing(database.connect_reading()) as connection:
            return database.rehearsals.value_counts(connection, self.setting.own_prefix)

    # --- runs -------------------------------------------------------------------------------------------------

    def run(
        self, scratch: Scratch, script: Script, direction: Direction,
        kill_at: int | None = None, fail_at: int | None = None, is_alone: bool = True,
    ) -> Ran | None:  # fmt: skip
        """Run a script in one direction; None where it was killed."""
        ended = self.stage.perform(
            acts.run, self.setting, scratch.url, script.number, direction, kill_at, fail_at, is_alone
        )
        if ended.was_killed and kill_at is not None:
            return None
        return self._ran(ended, script)

    def _ran(self, ended: Ended, script: Script) -> Ran:
        if isinstance(ended.answer, Ran):
            return ended.answer
        what = ended.error or "its process ended without a word: was it killed, or did it call os._exit()?"
        return Ran(None, Failure("Ended", f"{script.label}: {what}", (), "", 1, 0), 0)

    def try_out(self, scratch: Scratch, script: Script) -> Ran:
        """Apply a script that fails otherwise with each of its statements committed by itself."""
        ended = self.stage.perform(acts.try_out, self.setting, scratch.url, script.number)
        return self._ran(ended, script)

    def step(self, scratch: Scratch, script: Script, direction: Direction) -> Step:
        """Run it undisturbed and look at what it made."""
        ran = self.run(scratch, script, direction)
        assert ran is not None
        return Step(ran, self.moment(scratch))

    def again(self, scratch: Scratch, script: Script, direction: Direction) -> Step:
        """Call the same function once more, as if the ledger knew of nothing."""
        self.pretend(scratch, script, is_applied=direction is Direction.ROLLBACK)
        return self.step(scratch, script, direction)

    def pretend(self, scratch: Scratch, script: Script, *, is_applied: bool) -> None:
        """Make the ledger say that a script is applied, or that it is not, whatever the schema is."""
        database = open_database(scratch.url)
        runner = self._runner(database)
        ledger = runner.ledger()
        with closing(database.connect()) as connection, runner.writing(ledger, connection):
            ledger.forget(connection, script.number)
            if is_applied:
                ledger.record_baseline(connection, script, new_identity())

    def _runner(self, database: Database) -> Runner:
        return Runner(database, self.setting.folder, self.setting.ledger_table, self.setting.ledger_schema)


class Rehearsal:
    """One script on scratch databases that its caller makes; what is seen goes into the observations."""

    def __init__(self, theatre: Theatre, script: Script) -> None:
        self._theatre = theatre
        self._script = script

    def on_schema(self, scratch: Scratch) -> Observations:
        """Apply the script on the schema alone, in ``scratch``, which has then the schema after it.

        Raises CanNotBeRehearsed where it fails there.
        """
        before = self._theatre.moment(scratch)
        step = self._theatre.step(scratch, self._script, Direction.APPLY)
        if step.ran.failure is not None:
            raise CanNotBeRehearsed(step.ran.failure)
        sent = [record.sql for record in step.ran.outcome.statements] if step.ran.outcome else []
        self._theatre.stage.preload(step.ran.imports, scratch.url, sent)
        return Observations(
            self._script,
            scripts.is_contract(self._script),
            scripts.discards_data(self._script),
            scripts.can_roll_back(self._script),
            self._theatre.setting.budget_ms,
            step.ran,
            tuple(one for text in step.ran.unguarded for one in open_database(scratch.url).needs_of(text)),
            before,
            step.moment,
        )

    def apply(self, seen: Observations, scratch: Scratch) -> None:
        """Apply on some rows, looking before and after."""
        before, values = self._theatre.moment(scratch), self._theatre.values(scratch)
        apply = self._theatre.step(scratch, self._script, Direction.APPLY)
        if apply.ran.failure is not None:
            seen.fails_on_rows = apply.ran.failure
            return
        seen.before, seen.after, seen.apply = before, apply.moment, apply
        seen.values_before, seen.values_after = values, self._theatre.values(scratch)

    def and_back(self, seen: Observations, scratch: Scratch) -> None:
        """From there: apply once more, roll back, roll back once more, apply; looking each time."""
        theatre, script = self._theatre, self._script
        seen.apply_again = theatre.again(scratch, script, Direction.APPLY)
        if not seen.apply_again.ran.succeeded:
            theatre.pretend(scratch, script, is_applied=True)
        if not seen.has_rollback:
            return
        seen.rollback = theatre.step(scratch, script, Direction.ROLLBACK)
        if not seen.rollback.ran.succeeded:
            return
        seen.rollback_again = theatre.again(scratch, script, Direction.ROLLBACK)
        if not seen.rollback_again.ran.succeeded:
            theatre.pretend(scratch, script, is_applied=False)
        seen.apply_back = theatre.step(scratch, script, Direction.APPLY)

    def note_what_varies(self, seen: Observations, before: Scratch) -> None:
        """Two undisturbed runs may leave different values: where they do, that is no failure of a disturbed one."""
        back, again = seen.rollback, seen.apply_back
        is_like_the_first = back is not None and back.moment.unnumbered == seen.before.unnumbered
        if again is None or not again.ran.succeeded or not is_like_the_first:
            with self._theatre.copy(before) as scratch:
                again = self._theatre.step(scratch, self._script, Direction.APPLY)
        rows, others = again.moment.unnumbered, seen.after.unnumbered
        seen.varying = frozenset(table for table in rows if rows[table] != others.get(table))


def touched_tables(seen: Observations) -> list[str]:
    """The tables of the schema before that the script's statements lock strongly, rewrite, or name."""
    text = "\n".join(
        " ".join((record.sql, record.sent, *record.locks, *record.rewritten)) for record in seen.statements
    )
    words = set(re.findall(r"\w+", text.lower()))
    return [table for table in seen.before.schema["tables"] if table.rpartition(".")[2].lower() in words]


def columns_changed(seen: Observations) -> list[str]:
    """The tables of the schema before that have other columns after."""
    after = seen.after.schema["tables"]
    return [
        table
        for table, definition in seen.before.schema["tables"].items()
        if table in after and after[table]["columns"] != definition["columns"]
    ]
