"""The documents for programs, exactly: a field that changes here changes for them."""

from __future__ import annotations

import json

from nonstop.descriptions.history import Event
from nonstop.descriptions.results import Change, ChangeResult, PlannedScript, PlanResult, StatusResult
from nonstop.descriptions.scripts import Direction
from nonstop.errors import Interruption, MigrationFailed, Stopped
from nonstop.report import as_json
from tests.support.facts import FIRST_APPLY
from tests.unit.test_report_text import APPLIED, PENDING, PROBLEM, outcome, run


def test_a_document_is_one_object_with_its_schema_and_readable_letters() -> None:
    document = as_json.document("status", {"name": "заказы"}, lambda text: text)
    assert "заказы" in document
    assert json.loads(document) == {"schema": 1, "command": "status", "name": "заказы"}


def test_a_password_is_taken_out_of_every_value_and_breaks_nothing() -> None:
    content = {"a": 'x"x', "b": ['x"x', {"c": 'say x"x', "n": 1, "none": None}]}
    document = as_json.document("log", content, lambda text: text.replace('"', "***"))
    assert json.loads(document) == {
        "schema": 1,
        "command": "log",
        "a": "x***x",
        "b": ["x***x", {"c": "say x***x", "n": 1, "none": None}],
    }


def test_status() -> None:
    assert as_json.status(StatusResult("db", (APPLIED, PENDING), (PROBLEM,))) == {
        "database": "db",
        "migrations": [
            {
                "number": 1,
                "name": "add_plate",
                "state": "applied",
                "applied_at": "2026-01-01T12:00:00+00:00",
                "applied_by": "olga",
                "host": "workshop",
                "duration_ms": 48,
                "run_id": "run-1",
                "checksum": "sha256:1",
                "note": None,
            },
            {
                "number": 2,
                "name": "add_catalogue",
                "state": "pending",
                "applied_at": None,
                "applied_by": None,
                "host": None,
                "duration_ms": None,
                "run_id": None,
                "checksum": None,
                "note": None,
            },
        ],
        "pending": 1,
        "problems": [
            {"number": 3, "message": "003_x.py was changed after it was applied", "next_step": "restore it"}
        ],
    }


def test_plan() -> None:
    scripts = (
        PlannedScript(1, "001_x", Direction.APPLY),
        PlannedScript(2, "002_y", Direction.APPLY, ("SELECT 1;",), "the rest is unknown"),
    )
    assert as_json.plan(PlanResult("db", Direction.APPLY, scripts, ("mind this",))) == {
        "database": "db",
        "direction": "apply",
        "migrations": [
            {"number": 1, "label": "001_x", "sql": None, "unknown_after": None},
            {"number": 2, "label": "002_y", "sql": ["SELECT 1;"], "unknown_after": "the rest is unknown"},
        ],
        "notes": ["mind this"],
    }


def test_run() -> None:
    error = MigrationFailed("oh no", details=("at line 7",), next_step="correct it")
    assert as_json.run(
        run(outcome(notes=("slow",)), not_started=("002_y",), notes=("mind this",), error=error)
    ) == {
        "database": "sqlite:///felix.db",
        "direction": "apply",
        "run_id": "run-1",
        "migrations": [
            {
                "number": 1,
                "label": "001_add_plate",
                "done": True,
                "duration_ms": 1234,
                "statements": [
                    {
                        "sql": "CREATE INDEX ix ON cars (id)",
                        "sent": "ALTER TABLE cars ADD COLUMN x TEXT",
                        "line": 12,
                        "duration_ms": 48,
                        "rows": None,
                        "waited_ms": 1200,
                        "waited_for": ["pid 7, user shop", "pid 8"],
                        "locks": ["cars ACCESS EXCLUSIVE"],
                        "rewritten": ["cars"],
                        "blocked": [
                            {"pid": 9, "application": "shop", "waited_ms": 31},
                            {"pid": 10, "application": "", "waited_ms": 5},
                        ],
                        "error": "no\nlock",
                    },
                    {
                        "sql": "SELECT\n  1",
                        "sent": None,
                        "line": None,
                        "duration_ms": 1,
                        "rows": 1,
                        "waited_ms": 0,
                        "waited_for": [],
                        "locks": [],
                        "rewritten": [],
                        "blocked": [],
                        "error": None,
                    },
                ],
                "output": "",
                "notes": ["slow"],
                "writers_waited_ms": None,
            }
        ],
        "not_done": ["002_y"],
        "notes": ["mind this"],
        "duration_ms": 61_000,
        "error": {
            "type": "MigrationFailed",
            "message": "oh no",
            "details": ["at line 7"],
            "next_step": "correct it",
            "exit_code": 1,
        },
    }
    assert as_json.run(run())["error"] is None


def test_a_script_that_sent_nothing_is_done_all_the_same() -> None:
    (migration,) = as_json.run(run(outcome()._replace(statements=())))["migrations"]
    assert (migration["done"], migration["statements"]) == (True, [])


def test_the_exit_code_of_a_signal_is_the_signal_s() -> None:
    assert as_json.error(Stopped(Interruption("SIGTERM", 143)))["exit_code"] == 143


def test_changes() -> None:
    assert as_json.changes(
        ChangeResult("repair", (Change("001_x", "accepted"),), done=False, notes=("n",))
    ) == {
        "done": False,
        "changes": [{"label": "001_x", "action": "accepted"}],
        "notes": ["n"],
    }


def test_log() -> None:
    event = Event(
        id=5,
        at=FIRST_APPLY,
        kind="apply",
        number=None,
        name="",
        run_id="r",
        by="o",
        host="h",
        tool_version="1",
        detail="",
    )
    assert as_json.log([event]) == {
        "events": [
            {
                "id": 5,
                "at": "2026-01-01T12:00:00+00:00",
                "kind": "apply",
                "number": None,
                "name": "",
                "run_id": "r",
                "by": "o",
                "host": "h",
                "tool_version": "1",
                "detail": "",
            }
        ]
    }
