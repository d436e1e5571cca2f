"""The words for people, exactly."""

from __future__ import annotations

import pytest

from nonstop.descriptions.history import Event
from nonstop.descriptions.results import (
    Blocked,
    Change,
    ChangeResult,
    MigrationStatus,
    PlannedScript,
    PlanResult,
    RunResult,
    ScriptOutcome,
    State,
    StatementRecord,
    StatusResult,
)
from nonstop.descriptions.scripts import Direction, Problem
from nonstop.errors import MigrationFailed, NonstopError
from nonstop.report import text
from tests.support.facts import FIRST_APPLY

APPLIED = MigrationStatus(
    number=1,
    digits="001",
    name="add_plate",
    state=State.APPLIED,
    applied_at=FIRST_APPLY,
    duration_ms=48,
    applied_by="olga",
    host="workshop",
    run_id="run-1",
    checksum="sha256:1",
)
PENDING = MigrationStatus(number=2, digits="002", name="add_catalogue", state=State.PENDING)
EDITED = MigrationStatus(number=3, digits="003", name="x", state=State.EDITED, note="the file was changed")
PROBLEM = Problem(3, "003_x.py was changed after it was applied", "restore it")


RECORD = StatementRecord(
    "CREATE INDEX ix ON cars (id)", "ALTER TABLE cars ADD COLUMN x TEXT", 12, 48, None, 1200,
    ("pid 7, user shop", "pid 8"), ("cars ACCESS EXCLUSIVE",), ("cars",), (Blocked(9, "shop", 31), Blocked(10, "", 5)),
    "no\nlock",
)  # fmt: skip
PLAIN = StatementRecord("SELECT\n  1", "", 0, 1, 1)


def outcome(label: str = "001_add_plate", notes: tuple[str, ...] = ()) -> ScriptOutcome:
    return ScriptOutcome(
        number=1,
        label=label,
        direction=Direction.APPLY,
        succeeded=True,
        duration_ms=1234,
        statements=(RECORD, PLAIN),
        notes=notes,
    )


def run(
    *outcomes: ScriptOutcome,
    direction: Direction = Direction.APPLY,
    not_started: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    error: NonstopError | None = None,
) -> RunResult:
    return RunResult(
        database="sqlite:///felix.db",
        direction=direction,
        run_id="run-1",
        outcomes=outcomes,
        not_started=not_started,
        notes=notes,
        duration_ms=61_000,
        error=error,
    )


# --- status ---------------------------------------------------------------------------------------


def test_status_is_a_table_with_the_next_command() -> None:
    assert text.status(StatusResult("sqlite:///felix.db", (APPLIED, PENDING)), "nonstop") == [
        "Database  sqlite:///felix.db",
        "  001  add_plate      applied       2026-01-01 12:00:00 UTC  olga@workshop  48 ms",
        "  002  add_catalogue  pending",
        "1 applied, 1 pending.  Next: nonstop apply",
    ]


def test_status_names_each_problem() -> None:
    lines = text.status(StatusResult("db", (EDITED,), (PROBLEM,)), "nonstop")
    assert lines[1:] == [
        "  003  x  edited        the file was changed",
        "Problem: 003_x.py was changed after it was applied. Next: restore it",
        "1 applied, 0 pending, 1 problem.",
    ]


@pytest.mark.parametrize(
    ("rows", "problems", "expected"),
    [
        ((), (), 'No migrations yet.  Next: nonstop new "add a column"'),
        ((APPLIED,), (), "1 applied, 0 pending. Nothing to do."),
        ((APPLIED, PENDING), (PROBLEM, PROBLEM), "1 applied, 1 pending, 2 problems."),
    ],
)
def test_the_summary(rows: tuple[MigrationStatus, ...], problems: tuple[Problem, ...], expected: str) -> None:
    assert text.summary(StatusResult("db", rows, problems), "nonstop") == expected


def test_a_baseline_took_no_time_and_a_note_stands_in_brackets() -> None:
    noted = APPLIED._replace(state=State.BASELINE, note="adopted")
    assert text.facts(noted) == "2026-01-01 12:00:00 UTC  olga@workshop  (adopted)"


# --- plan -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "first"),
    [(Direction.APPLY, "Would apply on db:"), (Direction.ROLLBACK, "Would roll back on db:")],
)
def test_a_plan_lists_the_scripts_in_order(direction: Direction, first: str) -> None:
    scripts = tuple(PlannedScript(n, f"00{n}_x", direction) for n in (2, 1))
    assert text.plan(PlanResult("db", direction, scripts, ("mind this",))) == [
        "Note: mind this",
        first,
        "  002_x",
        "  001_x",
    ]


def test_an_empty_plan_says_so() -> None:
    assert text.plan(PlanResult("db", Direction.ROLLBACK, ())) == ["Nothing to roll back on db."]


def test_a_plan_with_sql_can_be_run_as_it_is() -> None:
    script = PlannedScript(
        1, "001_x", Direction.APPLY, ("CREATE TABLE t (id INTEGER);",), "the rest is unknown"
    )
    assert text.plan(PlanResult("db", Direction.APPLY, (script,), ("mind this",))) == [
        "-- mind this",
        "-- 001_x: apply",
        "CREATE TABLE t (id INTEGER);",
        "-- the rest is unknown",
    ]


# --- run ------------------------------------------------------------------------------------------


def test_one_script_that_ended_well() -> None:
    assert text.outcome(outcome(notes=("is so already",))) == [
        "  001_add_plate: applied in 1.2 s",
        "    note: is so already",
    ]


def test_the_end_of_a_run() -> None:
    assert text.run(run(outcome(), notes=("mind this",))) == [
        "Note: mind this",
        "Done: 1 applied in 1 min 1 s. Run run-1.",
    ]


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        (Direction.APPLY, "Nothing to apply on sqlite:///felix.db."),
        (Direction.ROLLBACK, "Nothing to roll back on sqlite:///felix.db."),
    ],
)
def test_a_run_with_nothing_to_do(direction: Direction, expected: str) -> None:
    assert text.run(run(direction=direction)) == [expected]


def test_a_failure_says_what_stays_what_is_not_started_and_what_to_do() -> None:
    error = MigrationFailed("002_y failed: oh no", details=("at 002_y.py:7",), next_step="correct it")
    failed = run(outcome(), not_started=("002_y", "003_z", "004_w"), error=error)
    assert text.run(failed) == []
    assert text.failure(error, failed) == [
        "Error: 002_y failed: oh no",
        "  at 002_y.py:7",
        "  State: of this run, 001_add_plate stays applied.",
        "  State: not started: 003_z, 004_w.",
        "  Run run-1; see it again with: log run-1",
        "Next: correct it",
    ]


def test_two_scripts_stay() -> None:
    error = MigrationFailed("oh no")
    assert "  State: of this run, 001_a, 002_b stay applied." in text.failure(
        error, run(outcome("001_a"), outcome("002_b"), not_started=("003_c",), error=error)
    )


def test_a_failure_outside_a_run_is_short() -> None:
    assert text.failure(NonstopError("oh no")) == ["Error: oh no"]


# --- the rest -------------------------------------------------------------------------------------


def test_changes() -> None:
    changes = (Change("001_x", "accepted as it is now"),)
    assert text.changes(ChangeResult("repair", changes, notes=("mind this",))) == [
        "Note: mind this",
        "  001_x: accepted as it is now",
    ]
    assert text.changes(ChangeResult("repair", ())) == ["Nothing to repair."]


def test_the_log() -> None:
    event = Event(
        id=1,
        at=FIRST_APPLY,
        kind="apply",
        number=1,
        name="add_plate",
        run_id="run-1",
        by="olga",
        host="workshop",
        tool_version="0.1.0",
        detail="it was slow",
    )
    assert text.log([event]) == [
        "2026-01-01 12:00:00 UTC  apply         001_add_plate  olga@workshop  run run-1  it was slow"
    ]
    assert text.log([]) == ["Nothing has happened yet."]


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1000, "1.0 s"),
        (59_900, "59.9 s"),
        (60_000, "1 min 0 s"),
        (200_500, "3 min 20 s"),
    ],
)
def test_a_duration(milliseconds: int, expected: str) -> None:
    assert text.duration(milliseconds) == expected


def test_the_statements_of_a_script_are_shown_where_they_are_asked_for() -> None:
    assert text.outcome(outcome()) == ["  001_add_plate: applied in 1.2 s"]
    assert text.outcome(outcome(notes=("slow",)), verbose=True) == [
        "  001_add_plate: applied in 1.2 s",
        "    line 12: ALTER TABLE cars ADD COLUMN x TEXT  (48 ms)",
        "      for: CREATE INDEX ix ON cars (id)",
        "      waited 1.2 s for: pid 7, user shop; pid 8",
        "      locked: cars ACCESS EXCLUSIVE",
        "      rewrote: cars",
        "      kept waiting for 31 ms: pid 9, shop",
        "      kept waiting for 5 ms: pid 10",
        "      failed: no",
        "    SELECT 1  (1 ms, 1 row)",
        "    note: slow",
    ]
