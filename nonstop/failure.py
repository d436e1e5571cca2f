"""What is told of a script that failed: what happened, where, how things stand, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from nonstop.databases.base import Database
from nonstop.databases.wording import one_line
from nonstop.descriptions.scripts import Direction, Script
from nonstop.errors import (
    Interruption,
    MadeWay,
    MigrationFailed,
    NonstopError,
    Refused,
    Stopped,
    StoppedPartWay,
)
from nonstop.guard.journal import Journal


@dataclass(frozen=True)
class Remains:
    """What a failed script has left. ``commits`` has a line for each of this run, ``earlier`` for each of the interrupted
    runs before it; others may be ``unseen``.

    ``broken_off_at`` is a step outside transactions that may have left something; ``not_undone`` says what went wrong
    while undoing; ``discarded`` are notes on data that was given up.
    """

    commits: tuple[str, ...]
    unseen: bool
    earlier: tuple[str, ...]
    broken_off_at: str
    not_undone: str
    discarded: tuple[str, ...]

    @property
    def is_part_way(self) -> bool:
        return bool(self.broken_off_at or self.commits or self.unseen or self.earlier)


@dataclass(frozen=True)
class Failure:
    """The failure of ``script`` in one direction; ``journal`` has its statements."""

    script: Script
    direction: Direction
    database: Database
    journal: Journal

    def as_error(self, error: BaseException, remains: Remains) -> NonstopError:
        """The error to end with: StoppedPartWay where something stays, else Stopped, the script's own, or
        MigrationFailed.
        """
        details = (
            *self._where(error),
            *((f"while undoing: {remains.not_undone}",) if remains.not_undone else ()),
        )
        if remains.is_part_way:
            return self._part_way(error, details, remains)
        details += (f"State: {self.script.label} was undone completely.",)
        if isinstance(error, MadeWay) and error.broken_off:
            advice = "do it with op, or in batches: the statement keeps the application waiting for too long"
            return Stopped(error, details=details, next_step=error.next_step or advice)
        if isinstance(error, Interruption):
            advice = error.next_step or f"run {self.direction.value} again"
            return Stopped(error, details=details, next_step=advice)
        if isinstance(error, KeyboardInterrupt):
            return Stopped(Interruption("interrupted", 130), details=details, next_step="run it again")
        if isinstance(error, NonstopError):
            return type(error)(error.message, details=(*error.details, *details), next_step=error.next_step)
        message, next_step = self._in_words(error)
        return MigrationFailed(message, details=details, next_step=next_step)

    def _part_way(self, error: BaseException, details: tuple[str, ...], remains: Remains) -> StoppedPartWay:
        message, remedy = self._in_words(error)
        own = error.details if isinstance(error, NonstopError) else ()
        remedy = f"{remedy}," if isinstance(error, Refused) else "correct what failed"
        number, verb = self.script.number, self.direction.value
        state = f"State: {self.script.label} stopped part-way; {self._what_stays(remains)}."
        done = "applied" if self.direction is Direction.APPLY else "pending"
        next_step = (
            f"if that was all of it, run repair --mark-{done} {number}; else make the script idempotent and run {verb} again"
            if remains.earlier and not remains.commits
            else f"{remedy} and run {verb} again (a script must be idempotent for that),"
            f" or settle it by hand: repair --mark-applied {number} or --mark-pending {number}"
        )
        return StoppedPartWay(
            message, details=(*own, *details, *remains.discarded, state), next_step=next_step
        )

    def _what_stays(self, remains: Remains) -> str:
        if remains.broken_off_at:
            return (
                f"it was broken off at: {remains.broken_off_at}; the next run takes up what that left behind"
            )
        if remains.commits:
            count, last = len(remains.commits), remains.commits[-1]
            permanent = (
                "1 commit of it is permanent" if count == 1 else f"{count} commits of it are permanent"
            )
            return permanent + _with(last)
        if remains.unseen:
            return "it worked on a connection of its own, whose commits nobody sees"
        count = len(remains.earlier)
        commits = f"{count} permanent commit{'' if count == 1 else 's'}"
        return f"this run is undone; an earlier run made {commits}{_with(remains.earlier[-1])}"

    def _in_words(self, error: BaseException) -> tuple[str, str]:
        """The message, and the next step."""
        label = self.script.label
        if isinstance(error, NonstopError):
            return f"{label} failed: {error.message}", error.next_step
        if isinstance(error, Interruption):
            return f"{label} was stopped: {error.reason}", error.next_step
        if isinstance(error, SystemExit):
            return f"{label} failed: it called exit({error.code!r})", "return True or False instead"
        original = getattr(error, "orig", None) or error
        reason = str(original).strip().partition("\n")[0]
        message = f"{label} failed: {type(original).__name__}: {reason}"
        return message, "correct the script, then run again"

    def _where(self, error: BaseException) -> tuple[str, ...]:
        """The failing statement, its place in the script, and what the server says of it."""
        lines: list[str] = []
        failed_at = next((s.line for s in reversed(self.journal.statements) if s.error), 0)
        if line := failed_at or self._line_of(error):
            lines.append(f"at {self.script.path}:{line} in {self.direction.value}()")
        statement = getattr(error, "statement", None)
        if statement:
            number = len(self.journal.statements)
            lines.append(f"statement {number}: {one_line(str(statement), 500)}")
        original = getattr(error, "orig", None)
        if original is not None:
            lines.extend(self.database.describe(original))
        return tuple(lines)

    def _line_of(self, error: BaseException) -> int:
        line, traceback = 0, error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == str(self.script.path):
                line = traceback.tb_lineno
            traceback = traceback.tb_next
        return line


def _with(last: str) -> str:
    """What tells the last commit from others; nothing where no statement is known of it."""
    return f", the last with: {last}" if last else ""
