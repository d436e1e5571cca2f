"""Decide what runs, and in which order, or say precisely why not. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from nonstop.descriptions.history import AppliedScript, InterruptedScript, LedgerState
from nonstop.descriptions.results import MigrationStatus, State
from nonstop.descriptions.scripts import Direction, Edit, Problem, Script, ScriptFolder
from nonstop.errors import Refused, UsageError, ValidationError

TIMESTAMP_LIKE = 1_000_000
"""Numbers from here on are dates, not a sequence, and gaps between them mean nothing."""


class Request(NamedTuple):
    """What the user asked for. ``only`` and ``to`` are numbers; None everywhere means: all."""

    direction: Direction
    to: int | None = None
    steps: int | None = None
    only: int | None = None
    last_run: bool = False
    out_of_order: bool = False
    allow_edited: bool = False
    allow_blocking: str | None = None
    """Why plain SQL may block the application; None: it may not."""
    discard_data: bool = False


@dataclass(frozen=True)
class Facts:
    """What planning looks at. The callables judge one script's text and are asked only where it matters.

    What follows from the facts is worked out once: there may be ten thousand scripts.
    """

    folder: ScriptFolder
    ledger: LedgerState
    edits: Mapping[int, Edit] = field(default_factory=dict)
    examine: Callable[[Script], Problem | None] = lambda script: None
    can_roll_back: Callable[[Script], bool] = lambda script: True
    depends_on: Callable[[Script], Sequence[int]] = lambda script: ()

    @cached_property
    def scripts(self) -> dict[int, Script]:
        return {script.number: script for script in self.folder.scripts}

    @cached_property
    def pending(self) -> list[Script]:
        """Scripts that an apply has still to run: not applied, or stopped in the middle of either direction."""
        return [
            script
            for script in self.folder.scripts
            if script.number not in self.ledger.applied or script.number in self.ledger.interrupted
        ]

    @property
    def without_file(self) -> list[AppliedScript | InterruptedScript]:
        """What the ledger knows, applied or stopped in the middle, and the folder does not."""
        known: dict[int, AppliedScript | InterruptedScript] = {
            **self.ledger.interrupted,
            **self.ledger.applied,
        }
        return [row for number, row in sorted(known.items()) if number not in self.scripts]

    @cached_property
    def broken(self) -> dict[int, Problem]:
        """The pending scripts that can't run, by number."""
        found = ((script.number, self.examine(script)) for script in self.pending)
        return {number: problem for number, problem in found if problem is not None}

    @cached_property
    def last_applied(self) -> int:
        """The highest number that is applied, 0 where none is."""
        return max(self.ledger.applied, default=0)


class Plan(NamedTuple):
    """The scripts to run, in order, and what should be said before."""

    direction: Direction
    scripts: tuple[Script, ...]
    notes: tuple[str, ...] = ()


# --- status ---------------------------------------------------------------------------------------------------


def review(facts: Facts) -> tuple[MigrationStatus, ...]:
    """One row for every number that has a file or a ledger row, in order."""
    rows = [_status_of(script, facts) for script in facts.folder.scripts]
    rows += [_missing(row, facts) for row in facts.without_file]
    return tuple(sorted(rows, key=lambda row: (row.number, row.name)))


def _status_of(script: Script, facts: Facts) -> MigrationStatus:
    state, note = _state_of(script, facts)
    row = facts.ledger.applied.get(script.number)
    if row is None:
        return MigrationStatus(
            script.number, script.digits, script.name, state, checksum=script.checksum, note=note
        )
    return MigrationStatus(
        script.number, script.digits, script.name, state, row.applied_at, row.duration_ms, row.applied_by,
        row.host, row.run_id, row.checksum, note,
    )  # fmt: skip


def _state_of(script: Script, facts: Facts) -> tuple[State, str]:
    number, ledger = script.number, facts.ledger
    if number in ledger.interrupted:
        interrupted = ledger.interrupted[number]
        after = f" after {interrupted.last_statement}" if interrupted.last_statement else ""
        to_do = f"; still to be done: {', '.join(interrupted.deferred)}" if interrupted.deferred else ""
        return State.INTERRUPTED, f"{interrupted.direction} stopped{after}{to_do}"
    if number in ledger.applied:
        row = ledger.applied[number]
        if row.name != script.name:
            return State.EDITED, f"was applied as {row.label}"
        edit = facts.edits.get(number)
        if edit is Edit.REAL:
            return State.EDITED, "the file was changed after it was applied"
        note = "edited since (comments or formatting only)" if edit is Edit.COSMETIC else ""
        return (State.BASELINE if row.baseline else State.APPLIED), note
    if number in facts.broken:
        return State.BROKEN, facts.broken[number].message
    if number in ledger.failures:
        return State.FAILED, ledger.failures[number]
    if number < facts.last_applied and number not in ledger.left_out:
        return State.OUT_OF_ORDER, f"{facts.last_applied:03d} is applied already"
    return State.PENDING, ""


def _missing(row: AppliedScript | InterruptedScript, facts: Facts) -> MigrationStatus:
    if isinstance(row, InterruptedScript) or row.number in facts.ledger.interrupted:
        direction = facts.ledger.interrupted[row.number].direction
        note = f"{direction} stopped, and its file is gone"
        return MigrationStatus(row.number, f"{row.number:03d}", row.name, State.INTERRUPTED, note=note)
    return MigrationStatus(
        row.number, f"{row.number:03d}", row.name, State.MISSING, row.applied_at, row.duration_ms, row.applied_by,
        row.host, row.run_id, row.checksum, "applied, but its file is gone",
    )  # fmt: skip


def problems(facts: Facts) -> tuple[Problem, ...]:
    """Everything that ``status`` warns of: bad names, duplicates, gaps, broken, edited and missing files."""
    return (
        *facts.folder.problems, *_gaps(facts), *_edited(facts), *_missing_files(facts), *facts.broken.values(),
    )  # fmt: skip


def _gaps(facts: Facts) -> list[Problem]:
    """Numbers that lie between the scripts and belong to none of them, where a pending script comes after."""
    numbers = sorted({*facts.scripts, *facts.ledger.applied})
    last_pending = max((script.number for script in facts.pending), default=0)
    found = []
    for before, after in pairwise(numbers):
        if after - before > 1 and after < TIMESTAMP_LIKE and last_pending >= after:
            gap = f"{before + 1:03d}" if after - before == 2 else f"{before + 1:03d} to {after - 1:03d}"
            found.append(
                Problem(
                    after,
                    f"there is no script {gap} between {before:03d} and {after:03d}",
                    "add what is missing, renumber the later script, or pass --out-of-order to go on with the gap",
                )
            )
    return found


def _edited(facts: Facts) -> list[Problem]:
    found = []
    for script in facts.folder.scripts:
        row = facts.ledger.applied.get(script.number)
        if row is not None and (row.name != script.name or facts.edits.get(script.number) is Edit.REAL):
            what = (
                "was changed after it was applied"
                if row.name == script.name
                else f"was applied as {row.label}.py"
            )
            found.append(
                Problem(
                    script.number,
                    f"{script.path.name} {what}",
                    "restore it and write a new script, pass --allow-edited once, or accept it for good: repair",
                )
            )
    return found


def _missing_files(facts: Facts) -> list[Problem]:
    return [
        Problem(
            row.number,
            f"{row.label} is {'applied' if isinstance(row, AppliedScript) else 'interrupted'}, but its file is gone",
            "bring the file back (git log --diff-filter=D), or forget the row: repair",
        )
        for row in facts.without_file
    ]


# --- apply ----------------------------------------------------------------------------------------------------


def plan_apply(request: Request, facts: Facts) -> Plan:
    """What an apply runs. Raises ValidationError or UsageError, with every reason, before anything runs."""
    notes = [note for problem in _missing_files(facts) if (note := problem.message)]
    if request.only is not None:
        return _apply_one(request, facts)
    blocking = [*facts.folder.problems]
    blocking += [] if request.allow_edited else _edited(facts)
    blocking += [] if request.out_of_order else [*_gaps(facts), *_out_of_order(facts)]
    chosen = _up_to(request, facts)
    blocking += [facts.broken[script.number] for script in chosen if script.number in facts.broken]
    _raise(blocking)
    _check_dependencies(chosen, facts)
    return Plan(Direction.APPLY, tuple(chosen), (*notes, *_cosmetic_notes(facts)))


def _up_to(request: Request, facts: Facts) -> list[Script]:
    chosen = facts.pending
    if request.to is not None:
        script_with(request.to, facts)
        chosen = [script for script in chosen if script.number <= request.to]
    if request.steps is not None:
        chosen = chosen[: request.steps]
    return chosen


def _apply_one(request: Request, facts: Facts) -> Plan:
    """A single script acts alone: only what concerns itself can stop it."""
    assert request.only is not None
    script = script_with(request.only, facts)
    concerned = [problem for problem in facts.folder.problems if problem.number == script.number]
    if not request.allow_edited:
        concerned += [problem for problem in _edited(facts) if problem.number == script.number]
    if script not in facts.pending:
        _raise(concerned)
        return Plan(Direction.APPLY, (), (f"{script.label} is applied already",))
    _raise([*concerned, *([facts.broken[script.number]] if script.number in facts.broken else [])])
    _check_dependencies([script], facts)
    return Plan(Direction.APPLY, (script,), _later_notes(script.number, facts))


def _out_of_order(facts: Facts) -> list[Problem]:
    last = facts.last_applied
    return [
        Problem(
            script.number,
            f"{script.path.name} is pending, but {last:03d} is applied already",
            f"check that the order does not matter and pass --out-of-order, or: renumber {script.path.name}",
        )
        for script in facts.pending
        if script.number < last
        and script.number not in {*facts.ledger.applied, *facts.ledger.interrupted, *facts.ledger.left_out}
    ]


def _check_dependencies(chosen: Sequence[Script], facts: Facts) -> None:
    available = {*facts.ledger.applied} - {*facts.ledger.interrupted}
    for script in chosen:
        lacking = [number for number in facts.depends_on(script) if number not in available]
        if lacking:
            raise ValidationError(
                f"{script.label} depends on {_numbers(lacking)}, not applied",
                next_step=f"apply {_numbers(lacking)} first, or all: apply",
            )
        available.add(script.number)


# --- rollback -------------------------------------------------------------------------------------------------


def plan_rollback(request: Request, facts: Facts) -> Plan:
    """What a rollback runs, newest first. Raises before the first runs where any of them can't be undone."""
    chosen = _to_undo(request, facts)
    blocking = [problem for problem in facts.folder.problems if problem.number in chosen]
    blocking += [problem for problem in _missing_files(facts) if problem.number in chosen]
    if not request.allow_edited:
        blocking += [problem for problem in _edited(facts) if problem.number in chosen]
    _raise(blocking)
    planned = [facts.scripts[number] for number in chosen]
    _raise([problem for script in planned if (problem := facts.examine(script)) is not None])
    for script in planned:
        if not facts.can_roll_back(script):
            raise Refused(
                f"{script.label} has no rollback(): there is no way back",
                next_step=f"keep it (rollback --to {script.number}), or write its rollback()",
            )
    _check_dependents(planned, facts)
    notes = _later_notes(chosen[0], facts) if request.only is not None and chosen else ()
    return Plan(Direction.ROLLBACK, tuple(planned), notes)


def _to_undo(request: Request, facts: Facts) -> list[int]:
    """The numbers to roll back, newest first: applied ones, and those whose apply stopped part-way."""
    candidates = sorted({*facts.ledger.applied, *facts.ledger.interrupted}, reverse=True)
    if request.only is not None:
        if request.only not in facts.ledger.applied:
            script_with(request.only, facts)
        return [number for number in candidates if number == request.only]
    if request.last_run:
        runs = [row for row in facts.ledger.applied.values() if not row.baseline]
        last = max(runs, key=lambda row: (row.applied_at, row.number)).run_id if runs else None
        return [number for number in candidates if number in facts.ledger.applied
                and facts.ledger.applied[number].run_id == last]  # fmt: skip
    if request.to is not None:
        if request.to != 0 and request.to not in facts.ledger.applied:
            script_with(request.to, facts)
        candidates = [number for number in candidates if number > request.to]
    return candidates if request.steps is None else candidates[: request.steps]


def _check_dependents(planned: Sequence[Script], facts: Facts) -> None:
    leaving = {script.number for script in planned}
    for script in facts.folder.scripts:
        if script.number in facts.ledger.applied and script.number not in leaving:
            needed = sorted(leaving.intersection(facts.depends_on(script)))
            if needed:
                raise ValidationError(
                    f"{script.label} is applied and depends on {_numbers(needed)}",
                    next_step=f"roll back {script.label} first",
                )


# --- shared ---------------------------------------------------------------------------------------------------


def script_with(number: int, facts: Facts) -> Script:
    """The script that has ``number``. Raises UsageError where there is none."""
    if number in facts.scripts:
        return facts.scripts[number]
    known = ", ".join(script.digits for script in facts.folder.scripts[-5:]) or "none"
    raise UsageError(
        f"there is no script with the number {number} in {facts.folder.path}",
        next_step=f"choose one of those that status lists (the last ones: {known})",
    )


def _later_notes(number: int, facts: Facts) -> tuple[str, ...]:
    later = sorted(other for other in facts.ledger.applied if other > number)
    return (f"{_numbers(later)} {'is' if len(later) == 1 else 'are'} applied already",) if later else ()


def _cosmetic_notes(facts: Facts) -> tuple[str, ...]:
    return tuple(
        f"{facts.scripts[number].path.name} was edited since it was applied (comments or formatting only)"
        for number, edit in sorted(facts.edits.items())
        if edit is Edit.COSMETIC and number in facts.scripts
    )


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(f"{number:03d}" for number in numbers)


def _raise(blocking: Sequence[Problem]) -> None:
    if not blocking:
        return
    first, *others = dict.fromkeys(blocking)
    raise ValidationError(
        first.message,
        details=tuple(f"{problem.message}. Next: {problem.next_step}" for problem in others),
        next_step=first.next_step,
    )
