"""What the runner gives back. The report turns these values into text or JSON; nothing here prints."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from nonstop.descriptions.scripts import Direction, Problem
from nonstop.errors import NonstopError


class State(StrEnum):
    """Where one migration stands; the values are what ``status`` shows."""

    PENDING = "pending"
    APPLIED = "applied"
    BASELINE = "baseline"
    EDITED = "edited"
    MISSING = "missing file"
    OUT_OF_ORDER = "out of order"
    INTERRUPTED = "interrupted"
    RUNNING = "running"
    FAILED = "failed"
    BROKEN = "broken"

    @property
    def is_pending(self) -> bool:
        """Whether an ``apply`` still has to run it."""
        return self in (State.PENDING, State.OUT_OF_ORDER, State.INTERRUPTED, State.FAILED, State.BROKEN)


class MigrationStatus(NamedTuple):
    """One row of ``status``; ``note`` explains a state that needs words."""

    number: int
    digits: str
    name: str
    state: State
    applied_at: datetime | None = None
    duration_ms: int | None = None
    applied_by: str = ""
    host: str = ""
    run_id: str = ""
    checksum: str = ""
    note: str = ""

    @property
    def label(self) -> str:
        return f"{self.digits}_{self.name}"


class StatusResult(NamedTuple):
    """The whole of ``status``: rows in order of number, and every problem found."""

    database: str
    migrations: tuple[MigrationStatus, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def pending(self) -> tuple[MigrationStatus, ...]:
        return tuple(row for row in self.migrations if row.state.is_pending)


class PlannedScript(NamedTuple):
    """One script of a plan. ``sql`` is None unless asked for; ``unknown_after`` tells why the SQL ends early."""

    number: int
    label: str
    direction: Direction
    sql: tuple[str, ...] | None = None
    unknown_after: str = ""


class PlanResult(NamedTuple):
    """What an ``apply`` or a ``rollback`` would run, in order."""

    database: str
    direction: Direction
    scripts: tuple[PlannedScript, ...]
    notes: tuple[str, ...] = ()


class Blocked(NamedTuple):
    """A session of the application that waited for us."""

    pid: int
    application: str
    waited_ms: int


class StatementRecord(NamedTuple):
    """One statement of a script, as the journal has it.

    ``sent`` is what went to the database in its place, empty where that is the statement itself. ``line`` is the
    script's, 0 where it is not known. ``duration_ms`` is the statement's own; ``waited_ms`` is what we waited before,
    outside every queue, and ``waited_for`` whom. ``locks`` (table and mode, SHARE UPDATE EXCLUSIVE and stronger) were
    held when it had ended; ``rewritten`` are the tables with new files, ``scanned`` those that were read from end to end,
    ``changed`` those with updated or deleted rows and how many.
    ``blocked`` are the sessions that waited for us from this statement to the next. Where a database has no such locks,
    those are empty. Statements with the same ``transaction`` were sent in one.
    """

    sql: str
    sent: str
    line: int
    duration_ms: int
    rows: int | None
    waited_ms: int = 0
    waited_for: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    rewritten: tuple[str, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    error: str = ""
    scanned: tuple[str, ...] = ()
    changed: tuple[tuple[str, int], ...] = ()
    transaction: int = 0


class AllowedToBlock(NamedTuple):
    """A statement that can only block, and was let through. ``tables`` are those that it blocks (empty: it may be any).

    ``reason`` says what is blocked and for whom, ``correction`` what does not block; empty where nothing is known.
    """

    sql: str
    tables: tuple[str, ...]
    reason: str
    correction: str


class ScriptOutcome(NamedTuple):
    """One script that a run executed. ``output`` is what it printed, ``notes`` what we have to say of it.

    ``statements`` are those of the attempt that succeeded, ``allowed`` those of its statements that were allowed to block.
    ``writers_waited_ms``: the longest time that it made other
    writers wait, if there were any; None where it is no matter of the whole database (PostgreSQL).
    """

    number: int
    label: str
    direction: Direction
    succeeded: bool
    duration_ms: int
    statements: tuple[StatementRecord, ...] = ()
    output: str = ""
    notes: tuple[str, ...] = ()
    writers_waited_ms: int | None = None
    allowed: tuple[AllowedToBlock, ...] = ()


class RunResult(NamedTuple):
    """A whole ``apply`` or ``rollback``. ``error`` is None when everything that was planned is done."""

    database: str
    direction: Direction
    run_id: str
    outcomes: tuple[ScriptOutcome, ...]
    not_started: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    duration_ms: int = 0
    error: NonstopError | None = None

    @property
    def done(self) -> tuple[ScriptOutcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.succeeded)


class Change(NamedTuple):
    """One thing that a maintenance command (baseline, repair, new, renumber) did or would do."""

    label: str
    action: str


class ChangeResult(NamedTuple):
    """The outcome of a maintenance command; ``done`` is False where it only showed what it would do."""

    command: str
    changes: tuple[Change, ...]
    done: bool = True
    notes: tuple[str, ...] = ()
