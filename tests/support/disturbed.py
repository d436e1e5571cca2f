"""Runs apply and rollback killed at each point in turn, and compares what comes of it with undisturbed runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.fingerprint import fingerprint, rows
from tests.support.forked import Ended, ForkServer
from tests.support.snapshots import applied, ledger


@dataclass
class Disturbed:
    """What became of the runs that were killed.

    ``points`` is the number of them; ``astray`` tells of each that did not converge where it was killed, and how the
    database differs from that of an undisturbed run.
    """

    points: int = 0
    astray: list[str] = field(default_factory=list)


def kill_at_each_point(forks: ForkServer, migrations: Path, url: str, points: Iterable[int]) -> Disturbed:
    """Apply and roll back everything on a database, killed at each of ``points`` in turn (ascending, without end).

    After each kill the same command is run again, which must lead to where it leads undisturbed: same schema, same
    data, same ledger. It ends with the first round in which nothing was killed, for there are no more points.
    """
    return _Rounds(forks, migrations, {"DATABASE_URL": url}, points).run()


@dataclass
class _Rounds:
    forks: ForkServer
    migrations: Path
    environment: Mapping[str, str]
    points: Iterable[int]
    disturbed: Disturbed = field(default_factory=Disturbed)

    def run(self) -> Disturbed:
        self._undisturbed("apply")
        applied_state = self._state()
        self._undisturbed("rollback")
        start = self._state()
        for point in self.points:
            killed = [self._disturb("apply", point, applied_state), self._disturb("rollback", point, start)]
            # What has gone astray is no longer a start for the next point.
            if self.disturbed.astray or not any(killed):
                break
        return self.disturbed

    def _disturb(self, verb: str, point: int, wanted: dict[str, Any]) -> bool:
        """Whether there was such a point, at which ``verb`` was then killed."""
        first = self._command(verb, point)
        last = self._command(verb) if first.was_killed else first
        self.disturbed.points += first.was_killed
        found = self._state()
        if last.returncode != 0 or found != wanted:
            different = {part: (found[part], wanted[part]) for part in wanted if found[part] != wanted[part]}
            story = f"{verb}: {first.output}then {last.returncode}: {last.output}{different}"
            self.disturbed.astray.append(story)
        return first.was_killed

    def _undisturbed(self, verb: str) -> None:
        done = self._command(verb)
        assert done.returncode == 0, done.output

    def _command(self, verb: str, kill_at: int | None = None) -> Ended:
        return self.forks.run(verb, "--dir", self.migrations, env=self.environment, kill_at=kill_at)

    def _state(self) -> dict[str, Any]:
        url = self.environment["DATABASE_URL"]
        return {
            "schema": fingerprint(url),
            "rows": rows(url),
            "applied": applied(url),
            "unfinished": ledger(url)["nonstop_steps"],
        }
