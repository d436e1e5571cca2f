"""Whether the target is after a rehearsal as it was before it, and who came near it meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from nonstop.databases.base import Database


class TargetState(NamedTuple):
    """The target at one moment, as names and checksums. Rows of a server's tables are not among them: others write them."""

    traces: Mapping[str, str] = MappingProxyType({})


def target_state(database: Database) -> TargetState:
    """How the target is now."""
    return TargetState(database.rehearsals.traces())


def changes(before: TargetState, after: TargetState) -> tuple[str, ...]:
    """What differs, in words."""
    names = sorted(before.traces.keys() | after.traces.keys())
    told = [(name, _difference(before.traces.get(name), after.traces.get(name))) for name in names]
    return tuple(f"{name} {difference}" for name, difference in told if difference)


def _difference(before: str | None, after: str | None) -> str:
    if before == after:
        return ""
    if before is None:
        return "is new"
    return "is gone" if after is None else "has changed"


class TargetWatch:
    """Watches the target from its making on; ``mark`` is what the rehearsal's sessions are called (``Ground.mark``)."""

    def __init__(self, database: Database, mark: str) -> None:
        self._database = database
        self._before = target_state(database)
        self._sessions = database.rehearsals.watch_sessions(mark)

    def finish(self) -> tuple[str, ...]:
        """End it. What changed since, and the rehearsal's sessions that were seen there, in words; empty where all is well."""
        seen = self._sessions.close() if self._sessions is not None else ()
        return (*changes(self._before, target_state(self._database)), *seen)
