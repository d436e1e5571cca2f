"""Compares what ``check`` says of an example with what is known about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nonstop.descriptions.promises import CheckResult, CorrectedScript, Correction, Promise, ScriptCheck
from tests.check.corpus.checking import check
from tests.check.corpus.deployment import deploy
from tests.check.corpus.examples import Example
from tests.check.corpus.shop import RUNNING_CODE, write
from tests.support.projects import Project


@dataclass(frozen=True)
class Judgement:
    """One example on one database. ``corrected`` is what ``check`` says of its correction; None where there is none."""

    example: Example
    database: str
    found: ScriptCheck
    corrected: tuple[CheckResult, ...] | None

    @property
    def broken(self) -> tuple[Promise, ...]:
        """The promises that ``check`` says are broken."""
        return broken_promises(self.found)

    @property
    def names_the_promise(self) -> bool:
        """Whether a bad script was refused for what is wrong with it."""
        return self.example.breaks in self.broken or (self.example.fails and bool(self.found.error))

    @property
    def is_right(self) -> bool:
        """Whether the verdict is: a good one passes, a bad one is refused for its promise."""
        return (
            not self.found.is_refused
            if self.example.breaks is None
            else self.found.is_refused and self.names_the_promise
        )

    @property
    def correction_passes(self) -> bool:
        """Whether a bad script came with a correction that ``check`` lets pass."""
        return self.corrected is not None and not any(result.is_refused for result in self.corrected)


@dataclass(frozen=True)
class Score:
    """How many of what was refused is bad (``precision``), and how many of the bad ones are caught (``recall``)."""

    precision: float
    recall: float
    corrected: float


def judge(example: Example, database: str, project: Project) -> Judgement:
    """Check an example in a fresh shop, then its correction in its place."""
    against = RUNNING_CODE if example.is_against_code else None
    path = write(project, example)
    (found,) = check(project.migrations, project.url, against).scripts
    if example.breaks is None or found.correction is None:
        return Judgement(example, database, found, None)
    path.unlink()
    return Judgement(example, database, found, _checked(found.correction, project, against))


def score(judgements: Sequence[Judgement]) -> Score:
    """Precision, recall, and the share of the bad ones that came with a correction which passes; 1.0 of nothing."""
    refused = [one for one in judgements if one.found.is_refused]
    bad = [one for one in judgements if one.example.breaks is not None]
    return Score(
        _share(sum(one.example.breaks is not None for one in refused), len(refused)),
        _share(sum(one.is_right for one in bad), len(bad)),
        _share(sum(one.correction_passes for one in bad), len(bad)),
    )


def broken_promises(found: ScriptCheck) -> tuple[Promise, ...]:
    """The promises that do not hold, in their order."""
    return tuple(verdict.promise for verdict in found.verdicts if verdict.holds is False)


def _checked(correction: Correction, project: Project, against: Path | None) -> tuple[CheckResult, ...]:
    """Check the scripts up to the first deployment against the code that runs; then deploy, and check the others without it."""
    deployed = [0] if correction.first else [n for n, what in enumerate(correction.between, 1) if what]
    early = min(deployed, default=len(correction.scripts))
    found = []
    if correction.scripts[:early]:
        _write(correction.scripts[:early], project.migrations)
        found.append(check(project.migrations, project.url, against))
        if found[0].is_refused:
            return tuple(found)
    if correction.scripts[early:]:
        if early:
            deploy(project)
        _write(correction.scripts[early:], project.migrations)
        found.append(check(project.migrations, project.url, None))
    return tuple(found)


def _write(scripts: Sequence[CorrectedScript], folder: Path) -> None:
    for script in scripts:
        (folder / script.file).write_text(script.text, encoding="utf-8")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
