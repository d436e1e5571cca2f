"""Results as plain lines: what is printed when the output is piped, and the wording of everything."""

from __future__ import annotations

from nonstop.descriptions.history import Event
from nonstop.descriptions.results import (
    ChangeResult,
    MigrationStatus,
    PlanResult,
    RunResult,
    ScriptOutcome,
    State,
    StatementRecord,
    StatusResult,
)
from nonstop.descriptions.scripts import Direction
from nonstop.errors import NonstopError


def status(result: StatusResult, program: str) -> list[str]:
    """The table of ``status``, the problems, and the next command."""
    lines = [f"Database  {result.database}"]
    width = max((len(row.name) for row in result.migrations), default=0)
    lines += [
        f"  {row.digits:>3}  {row.name:<{width}}  {row.state.value:<12}  {facts(row)}".rstrip()
        for row in result.migrations
    ]
    lines += problems(result)
    lines.append(summary(result, program))
    return lines


def facts(row: MigrationStatus) -> str:
    """When, by whom, how long, and the note of one row."""
    parts = []
    if row.applied_at is not None:
        parts.append(f"{row.applied_at:%Y-%m-%d %H:%M:%S} UTC")
        parts.append(f"{row.applied_by}@{row.host}")
    if row.duration_ms is not None and row.state is not State.BASELINE:
        parts.append(duration(row.duration_ms))
    if row.note:
        parts.append(f"({row.note})" if parts else row.note)
    return "  ".join(parts)


def problems(result: StatusResult) -> list[str]:
    return [f"Problem: {problem.message}. Next: {problem.next_step}" for problem in result.problems]


def summary(result: StatusResult, program: str) -> str:
    """The count of each kind and what to do now."""
    if not result.migrations:
        return f'No migrations yet.  Next: {program} new "add a column"'
    pending = len(result.pending)
    applied = len(result.migrations) - pending
    text = f"{applied} applied, {pending} pending"
    if result.problems:
        count = len(result.problems)
        return f"{text}, {count} problem{'' if count == 1 else 's'}."
    return f"{text}.  Next: {program} apply" if pending else f"{text}. Nothing to do."


def plan(result: PlanResult) -> list[str]:
    """What would run, in order, with its SQL where that was asked for."""
    lines = [f"-- {note}" if _shows_sql(result) else f"Note: {note}" for note in result.notes]
    if not result.scripts:
        return [*lines, f"Nothing to {_verb(result)} on {result.database}."]
    if not _shows_sql(result):
        return [*lines, f"Would {_verb(result)} on {result.database}:"] + [
            f"  {s.label}" for s in result.scripts
        ]
    for script in result.scripts:
        lines.append(f"-- {script.label}: {script.direction.value}")
        lines += script.sql or ()
        if script.unknown_after:
            lines.append(f"-- {script.unknown_after}")
    return lines


def _shows_sql(result: PlanResult) -> bool:
    return any(script.sql is not None for script in result.scripts)


def _verb(result: PlanResult | RunResult) -> str:
    return "roll back" if result.direction is Direction.ROLLBACK else "apply"


def outcome(result: ScriptOutcome, verbose: bool = False) -> list[str]:
    """One script that has ended well; ``verbose`` adds its statements."""
    line = f"  {result.label}: {result.direction.done} in {duration(result.duration_ms)}"
    statements = [line for record in result.statements for line in statement(record)] if verbose else []
    return [line, *statements, *(f"    note: {note}" for note in result.notes)]


def statement(record: StatementRecord) -> list[str]:
    """One statement of a script, and below it what it did to others."""
    sql = " ".join((record.sent or record.sql).split())
    rows = "" if record.rows is None else f", {record.rows} row{'' if record.rows == 1 else 's'}"
    at = f"line {record.line}: " if record.line else ""
    lines = [f"    {at}{sql}  ({duration(record.duration_ms)}{rows})"]
    if record.sent:
        lines.append(f"      for: {' '.join(record.sql.split())}")
    if record.waited_for:
        lines.append(f"      waited {duration(record.waited_ms)} for: {'; '.join(record.waited_for)}")
    if record.locks:
        lines.append(f"      locked: {', '.join(record.locks)}")
    if record.rewritten:
        lines.append(f"      rewrote: {', '.join(record.rewritten)}")
    for blocked in record.blocked:
        name = f", {blocked.application}" if blocked.application else ""
        lines.append(f"      kept waiting for {duration(blocked.waited_ms)}: pid {blocked.pid}{name}")
    if record.error:
        lines.append(f"      failed: {record.error.strip().partition(chr(10))[0]}")
    return lines


def run(result: RunResult) -> list[str]:
    """The end of an apply or a rollback: what was done, and in total."""
    lines = [f"Note: {note}" for note in result.notes]
    done = len(result.done)
    if result.error is None and not result.outcomes:
        return [*lines, f"Nothing to {_verb(result)} on {result.database}."]
    if result.error is None:
        total = duration(result.duration_ms)
        return [*lines, f"Done: {done} {result.direction.done} in {total}. Run {result.run_id}."]
    return lines


def failure(error: NonstopError, result: RunResult | None = None) -> list[str]:
    """What failed, the state that the database is in, and the next step."""
    lines = [f"Error: {error.message}", *(f"  {detail}" for detail in error.details)]
    if result is not None and result.error is error:
        if result.done:
            labels = ", ".join(outcome.label for outcome in result.done)
            lines.append(f"  State: of this run, {labels} stay{'s' if len(result.done) == 1 else ''}"
                         f" {result.direction.done}.")  # fmt: skip
        if len(result.not_started) > 1:
            lines.append(f"  State: not started: {', '.join(result.not_started[1:])}.")
        lines.append(f"  Run {result.run_id}; see it again with: log {result.run_id}")
    if error.next_step:
        lines.append(f"Next: {error.next_step}")
    return lines


def changes(result: ChangeResult) -> list[str]:
    """What a maintenance command did, or would do."""
    lines = [f"Note: {note}" for note in result.notes]
    if not result.changes:
        return [*lines, f"Nothing to {result.command}."]
    return [*lines, *(f"  {change.label}: {change.action}" for change in result.changes)]


def log(events: list[Event]) -> list[str]:
    """The events, oldest first."""
    if not events:
        return ["Nothing has happened yet."]
    lines = []
    for event in events:
        what = f"{event.number:03d}_{event.name}" if event.number is not None else ""
        detail = f"  {event.detail}" if event.detail else ""
        lines.append(
            f"{event.at:%Y-%m-%d %H:%M:%S} UTC  {event.kind:<12}  {what}  {event.by}@{event.host}"
            f"  run {event.run_id}{detail}"
        )
    return lines


def duration(milliseconds: int) -> str:
    """``48 ms``, ``1.2 s`` or ``3 min 20 s``."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds // 60_000} min {milliseconds % 60_000 // 1000} s"


def answers(database: str) -> list[str]:
    """The end of ``wait``."""
    return [f"{database} answers."]
