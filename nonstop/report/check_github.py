"""What ``check`` found out, as annotations of a GitHub workflow: they stand beside the line in the pull request.

Each is one line, ``::error file=…,line=…,title=…::message``; what would end it, or a property of it, is escaped.
"""

from __future__ import annotations

from pathlib import Path

from nonstop.descriptions.promises import CheckResult, ScriptCheck, Verdict
from nonstop.report import check_text

IN_MESSAGES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
IN_PROPERTIES = {**IN_MESSAGES, ":": "%3A", ",": "%2C"}


def lines(result: CheckResult, root: Path) -> list[str]:
    """An annotation for each thing that breaks a promise or that is open, then a plain line.

    ``root`` is the top of the repository, as absolute as the paths of the scripts.
    """
    found: list[str] = []
    for check in result.scripts:
        found += script(check, root)
    found += [
        annotation("error", change, title="check has changed the target") for change in result.target_changes
    ]
    found += [annotation("notice", note, title="check") for note in result.notes]
    return [*found, f"{check_text.summary(result)}."]


def script(check: ScriptCheck, root: Path) -> list[str]:
    """The annotations of one script, and what to write instead as a group that can be folded."""
    file = _below(check.path, root)
    found = []
    if check.error:
        title = f"{check.label} could not be rehearsed to its end"
        found.append(annotation("error", check.error, file, check.error_line, title))
    for verdict in check.verdicts:
        found += _verdict(verdict, file, check.label)
    if check.correction is not None:
        instead = check_text.correction(check.correction)
        found += [f"::group::{check.label}: what to write instead", *instead, "::endgroup::"]
    return found


def annotation(kind: str, message: str, file: str = "", line: int = 0, title: str = "") -> str:
    """One workflow command. ``kind`` is "error", "warning" or "notice"; what is empty or 0 is left out."""
    given = {"file": file, "line": str(line or ""), "title": title}
    properties = ",".join(
        f"{name}={_escaped(value, IN_PROPERTIES)}" for name, value in given.items() if value
    )
    return f"::{kind}{' ' if properties else ''}{properties}::{_escaped(message, IN_MESSAGES)}"


def _verdict(verdict: Verdict, file: str, label: str) -> list[str]:
    promise = verdict.promise.words
    if verdict.holds is None:
        kind = "warning" if verdict.is_claimed else "notice"
        return [annotation(kind, verdict.reason, file, title=f"{label}: {promise}")]
    title = f"{label} breaks: {promise}"
    if verdict.holds is False and not verdict.breaking:
        return [annotation("error", verdict.reason, file, title=title)]
    found = []
    for evidence in verdict.breaking:
        statement = f"\n{check_text.statement(evidence.sql)}" if evidence.sql else ""
        found.append(annotation("error", evidence.text + statement, file, evidence.line, title))
    return found


def _below(path: Path, root: Path) -> str:
    """The path as the repository knows it; one from elsewhere as it is."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _escaped(text: str, replacements: dict[str, str]) -> str:
    return "".join(replacements.get(character, character) for character in text)
