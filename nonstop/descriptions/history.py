"""What the ledger remembers, as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from nonstop.descriptions.scripts import Script


class AppliedScript(NamedTuple):
    """One row of the migrations table. Times are UTC, durations are milliseconds."""

    number: int
    name: str
    checksum: str
    applied_at: datetime
    duration_ms: int
    applied_by: str
    host: str
    tool_version: str
    run_id: str
    baseline: bool = False

    @property
    def label(self) -> str:
        return f"{self.number:03d}_{self.name}"


class InterruptedScript(NamedTuple):
    """A script that was started and not ended: the runner was killed, or it stopped after a commit.

    ``commits`` counts what it had committed; ``last_statement`` is the last committed statement, if one is known.
    ``deferred`` are the statements that belong to its commits and are still to be carried out.
    """

    number: int
    name: str
    direction: str
    run_id: str
    started_at: datetime
    commits: int
    last_statement: str
    deferred: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.number:03d}_{self.name}"


class Progress(NamedTuple):
    """How far a script is, without times and names of runs: its ``steps`` as (direction, kind, description)."""

    is_applied: bool
    steps: tuple[tuple[str, str, str], ...]


Subject = Script | AppliedScript | InterruptedScript
"""What an event can be about."""


class Event(NamedTuple):
    """One line of the append-only log."""

    id: int
    at: datetime
    kind: str
    number: int | None
    name: str
    run_id: str
    by: str
    host: str
    tool_version: str
    detail: str


class LedgerState(NamedTuple):
    """All that status and planning need to know of a database, read at one moment.

    ``failures`` holds the message of the last failure of each script that is not applied. ``left_out`` are numbers
    that are not applied but known: rolled back alone, passed over by a single file, or failed. A later apply takes
    them up without asking about the order.
    """

    exists: bool = False
    applied: Mapping[int, AppliedScript] = {}
    interrupted: Mapping[int, InterruptedScript] = {}
    failures: Mapping[int, str] = {}
    left_out: frozenset[int] = frozenset()


class RunIdentity(NamedTuple):
    """Who is at work: written into every row of a run."""

    run_id: str
    by: str
    host: str
    tool_version: str

    @property
    def session_name(self) -> str:
        """What the sessions of this run are called on a server that shows names."""
        return f"nonstop {self.run_id}"
