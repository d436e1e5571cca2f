"""Which failures of running code break a promise, and which ones only depend on what the code writes."""

from __future__ import annotations

from collections.abc import Iterable

from nonstop.check.running_code import probe_results as actions
from nonstop.check.running_code.models import RunningCode
from nonstop.check.running_code.probe_results import Failure
from nonstop.databases.base import Violation
from nonstop.descriptions.promises import Evidence

STRUCTURE = {
    Violation.NO_SUCH_TABLE,
    Violation.NO_SUCH_COLUMN,
    Violation.BAD_VALUE,
    Violation.TOO_LONG,
    Violation.OUT_OF_RANGE,
    Violation.OTHER_STRUCTURE,
}
"""What no code can live with that reads and writes its tables as it always did."""
ORDER = (
    actions.READ,
    actions.INSERT,
    actions.INSERT_REQUIRED,
    actions.INSERT_ALIKE,
    actions.INSERT_VALUE,
    actions.UPDATE,
    actions.REWRITE,
    actions.DELETE_NEW,
    actions.DELETE,
)
SAID_BY = {
    actions.INSERT_REQUIRED: actions.INSERT,
    actions.INSERT_ALIKE: actions.INSERT,
    actions.INSERT_VALUE: actions.INSERT,
    actions.REWRITE: actions.UPDATE,
    actions.DELETE_NEW: actions.INSERT,
}
"""Actions that need not be told where another one fails in the same way."""


def judge(failures: Iterable[Failure], code: RunningCode) -> list[Evidence]:
    """One fact for each thing that is wrong, however many actions meet it; those that break come first."""
    groups: dict[tuple[object, ...], list[Failure]] = {}
    for failure in failures:
        same = (failure.who, failure.table, failure.column, failure.violation, _breaks(failure, code))
        groups.setdefault(same, []).append(failure)
    found = [_evidence(group, code) for group in groups.values()]
    return sorted(found, key=lambda evidence: not evidence.breaks)


def _breaks(failure: Failure, code: RunningCode) -> bool:
    violation = failure.violation
    if violation in STRUCTURE:
        return True
    if violation is Violation.NOT_NULL:
        return code.is_explicit or not _knows(code, failure)
    if violation is Violation.UNIQUE:
        return code.is_explicit
    return violation is None and failure.action == actions.READ  # the code can't make anything of the rows


def _knows(code: RunningCode, failure: Failure) -> bool:
    """Whether the code may give the column a value at all."""
    return any(
        failure.column in model.table.columns
        for model in code.models
        if model.label == failure.who and model.table.key == failure.table
    )


def _evidence(group: list[Failure], code: RunningCode) -> Evidence:
    first = group[0]
    breaks = _breaks(first, code)
    failing = {failure.action for failure in group}
    told = [action for action in ORDER if action in failing and SAID_BY.get(action) not in failing - {action}]
    value = next((failure.value for failure in group if failure.value), "")
    with_value = f", with {value}" if value and told == [actions.INSERT_VALUE] else ""
    who = f"{first.who} ({first.table})" if first.who != first.table else first.table
    verb = "fails" if len(told) == 1 else "fail"
    text = f"{who}: {_listed(told)} {verb}{with_value}: {first.message} ({first.code})"
    if not breaks:
        text += _why_not(first)
    return Evidence(
        text,
        breaks=breaks,
        facts={
            "who": first.who,
            "table": first.table,
            "column": first.column,
            "action": ", ".join(told),
            "sqlstate": first.code,
            "violation": first.violation.name.lower() if first.violation else None,
            "value": value,
        },
    )


def _why_not(failure: Failure) -> str:
    if failure.violation is None:
        return "; this is no matter of the schema"
    return "; whether that happens depends on what the code writes"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
