"""What ``check`` finds out, as values: facts first, then verdicts, and what to write instead. Reports only render them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

Fact = str | int | float | bool | None


class Promise(StrEnum):
    """What a script promises; the value is its name in JSON."""

    ADDITIVE = "additive"
    NULLABLE = "nullable_at_first"
    COMPATIBLE = "compatible_with_running_code"
    REVERSIBLE = "can_be_rolled_back"
    IDEMPOTENT = "idempotent"
    CRASH_SAFE = "survives_a_crash"
    NO_DOWNTIME = "no_downtime"
    DOCUMENTED = "documented"

    @property
    def words(self) -> str:
        """For people: ``nullable at first``."""
        return self.value.replace("_", " ")


class Evidence(NamedTuple):
    """One fact that was found, as a sentence, and in ``facts`` as names and numbers (ms, rows).

    ``breaks``: the promise is broken by it. ``line`` is the script's, 0 where the fact belongs to none; ``sql`` is the
    statement that it is about.
    """

    text: str
    breaks: bool = False
    line: int = 0
    sql: str = ""
    facts: Mapping[str, Fact] = {}


class Verdict(NamedTuple):
    """One promise of one script. ``holds`` is None where it is not claimed or could not be tried; ``reason`` says why."""

    promise: Promise
    holds: bool | None
    evidence: tuple[Evidence, ...] = ()
    reason: str = ""

    @property
    def is_claimed(self) -> bool:
        """False where the script itself does not promise it; such a reason begins with ``not claimed``."""
        return not self.reason.startswith("not claimed")

    @property
    def breaking(self) -> tuple[Evidence, ...]:
        """What breaks the promise."""
        return tuple(evidence for evidence in self.evidence if evidence.breaks)

    @property
    def supporting(self) -> tuple[Evidence, ...]:
        """What was found besides."""
        return tuple(evidence for evidence in self.evidence if not evidence.breaks)


class Cell(NamedTuple):
    """One field of the matrix: ``code`` (old, new) on ``schema`` (before, after). ``meaning`` is for the deployment."""

    code: str
    schema: str
    holds: bool | None
    evidence: tuple[Evidence, ...] = ()
    meaning: str = ""


class CorrectedScript(NamedTuple):
    """A whole migration file to write instead, under the name ``file``."""

    file: str
    text: str


class Correction(NamedTuple):
    """The scripts to write instead of a refused one, in order.

    ``first`` is what has to be deployed before all of them, ``between[n]`` what after ``scripts[n]`` and before the next
    one; empty where nothing has to.
    """

    scripts: tuple[CorrectedScript, ...]
    between: tuple[str, ...] = ()
    first: str = ""


class ScriptCheck(NamedTuple):
    """What was found out about one script.

    ``error`` says why it could not be rehearsed to its end; it counts like a broken promise. ``matrix`` has up to four cells.
    """

    number: int
    label: str
    path: Path
    verdicts: tuple[Verdict, ...]
    matrix: tuple[Cell, ...] = ()
    correction: Correction | None = None
    error: str = ""
    error_line: int = 0
    duration_ms: int = 0

    @property
    def name(self) -> str:
        """The label without its number: ``add_car_number_column``."""
        return self.label.partition("_")[2]

    @property
    def is_refused(self) -> bool:
        """Whether the script should not go into production as it is."""
        return bool(self.error) or any(verdict.holds is False for verdict in self.verdicts)


class Place(NamedTuple):
    """Where the rehearsal was held. ``is_isolated``: the target could not be reached from it, whatever a script tried."""

    kind: str
    server: str
    is_isolated: bool
    how: str


class CheckResult(NamedTuple):
    """The whole of ``check``. ``against`` names the running code; ``target_changes`` is what differs in the target."""

    database: str
    place: Place
    against: str
    scripts: tuple[ScriptCheck, ...]
    target_changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    duration_ms: int = 0

    @property
    def is_refused(self) -> bool:
        return bool(self.target_changes) or any(script.is_refused for script in self.scripts)
