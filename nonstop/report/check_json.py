"""What ``check`` found out, as the content of a JSON document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nonstop.descriptions.promises import (
    Cell,
    CheckResult,
    Correction,
    Evidence,
    Place,
    Promise,
    ScriptCheck,
    Verdict,
)


def content(result: CheckResult) -> dict[str, Any]:
    """Everything that was found out; ``as_json.document`` adds the version of the schema and the command."""
    return {
        "database": result.database,
        "place": place(result.place),
        "against": result.against or None,
        "scripts": [script(check) for check in result.scripts],
        "target_changes": list(result.target_changes),
        "notes": list(result.notes),
        "refused": result.is_refused,
        "duration_ms": result.duration_ms,
    }


def place(place: Place) -> dict[str, Any]:
    return {
        "kind": place.kind,
        "server": place.server or None,
        "isolated": place.is_isolated,
        "how": place.how,
    }


def script(check: ScriptCheck) -> dict[str, Any]:
    """One script, with all eight promises, also where the rehearsal ended before one was tried."""
    untried = Verdict(Promise.ADDITIVE, None, reason="the rehearsal ended before it was tried")
    verdicts = {verdict.promise: verdict for verdict in check.verdicts}
    return {
        "number": check.number,
        "name": check.name,
        "label": check.label,
        "path": str(check.path),
        "refused": check.is_refused,
        "error": check.error or None,
        "promises": {promise.value: promised(verdicts.get(promise, untried)) for promise in Promise},
        "matrix": [cell(each) for each in check.matrix],
        "correction": None if check.correction is None else correction(check.correction),
        "duration_ms": check.duration_ms,
    }


def promised(verdict: Verdict) -> dict[str, Any]:
    return {"holds": verdict.holds, "reason": verdict.reason or None, "evidence": evidence(verdict.evidence)}


def evidence(found: Iterable[Evidence]) -> list[dict[str, Any]]:
    return [
        {
            "text": each.text,
            "breaks": each.breaks,
            "line": each.line or None,
            "sql": each.sql or None,
            "facts": dict(each.facts),
        }
        for each in found
    ]


def cell(tried: Cell) -> dict[str, Any]:
    return {
        "code": tried.code,
        "schema": tried.schema,
        "holds": tried.holds,
        "meaning": tried.meaning or None,
        "evidence": evidence(tried.evidence),
    }


def correction(instead: Correction) -> dict[str, Any]:
    return {
        "scripts": [{"file": written.file, "text": written.text} for written in instead.scripts],
        "between": list(instead.between),
        "first": instead.first,
    }
