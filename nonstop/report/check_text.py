"""What ``check`` found out, as lines for people: facts first, then the verdict, then what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest

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
from nonstop.report.text import duration

MARKS = {True: "yes", False: "NO", None: "-"}
OUTCOMES = {True: "works", False: "FAILS", None: "-"}
TITLE_WIDTH = max(len(promise.words) for promise in Promise)
MARK_WIDTH = max(map(len, MARKS.values()))
MOST_FACTS = 3
"""So many facts that break nothing are shown of a promise, and of a cell of the matrix."""
MOST_SQL = 100
"""So many characters of a statement are shown."""


def lines(result: CheckResult, verbose: bool = False) -> list[str]:
    """The whole report. ``verbose`` shows every fact, its statement and its numbers, and the matrix of each script."""
    notes = [f"Note: {note}" for note in result.notes]
    if not result.scripts:
        return [*notes, f"Nothing to check on {result.database}.  Next: check --all"]
    body: list[str] = []
    width = max(len(check.label) for check in result.scripts)
    for check in result.scripts:
        body += ["", *script(check, width, verbose)]
    return [*head(result), *notes, *body, "", *_target(result.target_changes), *_end(result, verbose)]


def head(result: CheckResult) -> list[str]:
    """What was rehearsed, where and how far away from the target, and against what."""
    return [
        f"Database   {result.database}",
        f"Rehearsal  {place(result.place)}",
        f"Against    {result.against}",
    ]


def place(place: Place) -> str:
    """One line: kind, server, and whether a script could have reached the target."""
    where = f"{place.kind} ({place.server})" if place.server else place.kind
    isolation = "isolated" if place.is_isolated else "NOT isolated"
    return f"{where}, {isolation}: {place.how}" if place.how else f"{where}, {isolation}"


def script(check: ScriptCheck, width: int = 0, verbose: bool = False) -> list[str]:
    """One script: a line, its promises, and for a refused one the matrix and what to write instead."""
    found = [f"{check.label:<{width}}  {conclusion(check)}  ({duration(check.duration_ms)})"]
    if check.error:
        at = f"line {check.error_line}: " if check.error_line else ""
        first, *more = check.error.splitlines()
        found += [f"  {at}{first}", *(f"    {line}" for line in more)]
    for verdict in check.verdicts:
        found += _verdict(verdict, is_brief=not check.is_refused, verbose=verbose)
    if check.is_refused or verbose:
        found += _matrix(check.matrix, verbose)
    else:
        found += _order_of_deployment(check.matrix)
    if check.correction is not None:
        found += correction(check.correction)
    return found


def conclusion(check: ScriptCheck) -> str:
    """``keeps all promises``, or what it breaks."""
    broken = [verdict.promise.words for verdict in check.verdicts if verdict.holds is False]
    kept = sum(verdict.holds is True for verdict in check.verdicts)
    if broken:
        return f"refused: breaks {', '.join(broken)}"
    if check.error:
        return "refused: could not be rehearsed to its end"
    return "keeps all promises" if kept == len(Promise) else f"keeps {kept} of {len(Promise)} promises"


def correction(instead: Correction) -> list[str]:
    """The scripts whole, and what has to be deployed between them."""
    found = ["", "  Write instead:"]
    if instead.first:
        found += ["", f"    first deploy: {instead.first}"]
    for written, deployed in zip_longest(instead.scripts, instead.between):
        if written is not None:
            text = (f"      {line}".rstrip() for line in written.text.splitlines())
            found += ["", f"    {written.file}", "", *text]
        if deployed:
            found += ["", f"    then deploy: {deployed}"]
    return found


def statement(sql: str) -> str:
    """SQL on one line, shortened."""
    whole = " ".join(sql.split())
    return whole if len(whole) <= MOST_SQL else whole[: MOST_SQL - 1].rstrip() + "…"


def _verdict(verdict: Verdict, is_brief: bool, verbose: bool) -> list[str]:
    """One promise as a row; below it, in the same column, more facts."""
    facts = [verdict.reason] if verdict.reason else []
    for evidence in verdict.breaking:
        facts += _in_full(evidence) if verbose else [_sentence(evidence), *_origin(evidence)]
    also = "also: " if verdict.breaking else ""
    for evidence in verdict.supporting[: _most_shown(bool(facts), is_brief, verbose)]:
        first, *more = _in_full(evidence) if verbose else [_sentence(evidence)]
        facts += [also + first, *more]
    return _row(f"  {verdict.promise.words:<{TITLE_WIDTH}}  {MARKS[verdict.holds]:<{MARK_WIDTH}}  ", facts)


def _most_shown(says_something: bool, is_brief: bool, verbose: bool) -> int | None:
    """How many facts that break nothing are shown of a promise; None: all. A brief one is told in one line."""
    if verbose:
        return None
    if is_brief:
        return 0 if says_something else 1
    return MOST_FACTS


def _row(beginning: str, facts: list[str]) -> list[str]:
    """The facts in one column, the first of them beside the row's beginning."""
    first, *more = facts or [""]
    return [f"{beginning}{first}".rstrip(), *(f"{'':<{len(beginning)}}{line}" for line in more)]


def _in_full(evidence: Evidence) -> list[str]:
    """One fact: its sentence, and below it the statement and the numbers."""
    numbers = ", ".join(f"{name} {value}" for name, value in evidence.facts.items())
    return [_sentence(evidence), *_origin(evidence), *([f"  {numbers}"] if numbers else [])]


def _sentence(evidence: Evidence) -> str:
    return " ".join(evidence.text.split())


def _origin(evidence: Evidence) -> list[str]:
    """Where in the script a fact comes from, if it comes from one place."""
    at = f"line {evidence.line}" if evidence.line else ""
    parts = [part for part in (at, statement(evidence.sql)) if part]
    return [f"  {': '.join(parts)}"] if parts else []


def _matrix(cells: Iterable[Cell], verbose: bool) -> list[str]:
    """The old and the new code on the schema before and after, with what that means for the deployment."""
    found: list[str] = []
    for cell in cells:
        facts = [cell.meaning] if cell.meaning else []
        if verbose:
            facts += [line for evidence in cell.evidence for line in _in_full(evidence)]
        else:
            facts += [_sentence(evidence) for evidence in cell.evidence if evidence.breaks][:MOST_FACTS]
        found += _row(f"    {cell.code:<6}{cell.schema:<8}{OUTCOMES[cell.holds]:<5}  ", facts)
    return ["", "    code  schema", *found] if found else []


def _order_of_deployment(cells: Iterable[Cell]) -> list[str]:
    """What a script that is not refused asks of the deployment: new code that needs it, for instance."""
    return [
        f"  {cell.code} code on the schema {cell.schema} it: fails; {cell.meaning}".rstrip("; ")
        for cell in cells
        if cell.holds is False
    ]


def _target(changes: tuple[str, ...]) -> list[str]:
    if not changes:
        return []
    return ["The target is NOT as it was before the rehearsal:", *(f"  {change}" for change in changes), ""]


def _end(result: CheckResult, verbose: bool) -> list[str]:
    """The count, and what to do now."""
    more = "" if verbose else "  More facts: -v"
    return [f"{summary(result)}, in {duration(result.duration_ms)}.{more}", f"Next: {next_step(result)}"]


def summary(result: CheckResult) -> str:
    """``2 scripts, 1 refused``."""
    count = len(result.scripts)
    refused = sum(check.is_refused for check in result.scripts)
    return f"{count} script{'' if count == 1 else 's'}, {refused or 'none'} refused"


def next_step(result: CheckResult) -> str:
    """What the reader does now, as a sentence without its full stop."""
    if result.target_changes:
        return "find out which script reaches the target by an address of its own, and put right what it has changed there"
    refused = [check for check in result.scripts if check.is_refused]
    if any(check.correction is not None for check in refused):
        return "write the corrected scripts, and run check again"
    if refused:
        return f"correct {', '.join(check.path.name for check in refused)}, and run check again"
    return "apply what is pending, then deploy the new code"
