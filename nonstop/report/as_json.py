"""Results as JSON documents. ``schema`` grows when a field changes its meaning or goes; new fields may come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nonstop.descriptions.history import Event
from nonstop.descriptions.results import ChangeResult, PlanResult, RunResult, StatementRecord, StatusResult
from nonstop.errors import NonstopError

SCHEMA = 1


def document(command: str, content: dict[str, Any], redact: Callable[[str], str]) -> str:
    """One document, as text. ``redact`` goes over each value, so that no password, whatever it is, breaks the syntax."""
    import json

    whole = {"schema": SCHEMA, "command": command, **_redacted(content, redact)}
    return json.dumps(whole, ensure_ascii=False, indent=2)


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(item, redact) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item, redact) for item in value]
    return value


def status(result: StatusResult) -> dict[str, Any]:
    return {
        "database": result.database,
        "migrations": [
            {
                "number": row.number,
                "name": row.name,
                "state": row.state.value,
                "applied_at": row.applied_at.isoformat() if row.applied_at else None,
                "applied_by": row.applied_by or None,
                "host": row.host or None,
                "duration_ms": row.duration_ms,
                "run_id": row.run_id or None,
                "checksum": row.checksum or None,
                "note": row.note or None,
            }
            for row in result.migrations
        ],
        "pending": len(result.pending),
        "problems": [
            {"number": problem.number, "message": problem.message, "next_step": problem.next_step}
            for problem in result.problems
        ],
    }


def plan(result: PlanResult) -> dict[str, Any]:
    return {
        "database": result.database,
        "direction": result.direction.value,
        "migrations": [
            {
                "number": script.number,
                "label": script.label,
                "sql": None if script.sql is None else list(script.sql),
                "unknown_after": script.unknown_after or None,
            }
            for script in result.scripts
        ],
        "notes": list(result.notes),
    }


def run(result: RunResult) -> dict[str, Any]:
    return {
        "database": result.database,
        "direction": result.direction.value,
        "run_id": result.run_id or None,
        "migrations": [
            {
                "number": outcome.number,
                "label": outcome.label,
                "done": outcome.succeeded,
                "duration_ms": outcome.duration_ms,
                "statements": [statement(record) for record in outcome.statements],
                "output": outcome.output,
                "notes": list(outcome.notes),
                "writers_waited_ms": outcome.writers_waited_ms,
            }
            for outcome in result.outcomes
        ],
        "not_done": list(result.not_started),
        "notes": list(result.notes),
        "duration_ms": result.duration_ms,
        "error": None if result.error is None else error(result.error),
    }


def statement(record: StatementRecord) -> dict[str, Any]:
    return {
        "sql": record.sql,
        "sent": record.sent or None,
        "line": record.line or None,
        "duration_ms": record.duration_ms,
        "rows": record.rows,
        "waited_ms": record.waited_ms,
        "waited_for": list(record.waited_for),
        "locks": list(record.locks),
        "rewritten": list(record.rewritten),
        "blocked": [blocked._asdict() for blocked in record.blocked],
        "error": record.error or None,
    }


def changes(result: ChangeResult) -> dict[str, Any]:
    return {
        "done": result.done,
        "changes": [{"label": change.label, "action": change.action} for change in result.changes],
        "notes": list(result.notes),
    }


def log(events: list[Event]) -> dict[str, Any]:
    return {
        "events": [
            {
                "id": event.id,
                "at": event.at.isoformat(),
                "kind": event.kind,
                "number": event.number,
                "name": event.name,
                "run_id": event.run_id,
                "by": event.by,
                "host": event.host,
                "tool_version": event.tool_version,
                "detail": event.detail,
            }
            for event in events
        ]
    }


def answers(database: str) -> dict[str, Any]:
    return {"database": database}


def error(failure: NonstopError) -> dict[str, Any]:
    return {
        "type": type(failure).__name__,
        "message": failure.message,
        "details": list(failure.details),
        "next_step": failure.next_step,
        "exit_code": failure.exit_code,
    }
