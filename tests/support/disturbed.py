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

    ``points`` is the number of them, ``told`` that of those where the second run failed as interrupted and named what
    the first had committed; ``astray`` tells of each that did not converge where it was killed, and how the database
    differs from that of an undisturbed run.
    """

    points: int = 0
    told: int = 0
    astray: list[str] = field(default_factory=list)


def kill_at_each_point(
    forks: ForkServer,
    migrations: Path,
    url: str,
    points: Iterable[int],
    last_commits: Mapping[str, str] | None = None,
) -> Disturbed:
    """Apply and roll back everything on a database, killed at each of ``points`` in turn (ascending, without end).

    After each kill the same command is run again, which must lead to where it leads undisturbed: same schema, same
    data, same ledger. It ends with the first round in which nothing was killed, for there are no more points.

    ``last_commits`` is for scripts of one transaction that can't be done twice: the statement that ends it, by command.
    A second run that fails has to name it; that all of it is there is then shown by marking the script as done.
    """
    return _Rounds(forks, migrations, {"DATABASE_URL": url}, points, last_commits or {}).run()


@dataclass
class _Rounds:
    forks: ForkServer
    migrations: Path
    environment: Mapping[str, str]
    points: Iterable[int]
    last_commits: Mapping[str, str]
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
        if last.returncode == 7 and self.last_commits.get(verb, "nothing") in last.output:
            last = self._settle(verb)
            self.disturbed.told += 1
        found = self._state()
        if last.returncode != 0 or found != wanted:
            different = {part: (found[part], wanted[part]) for part in wanted if found[part] != wanted[part]}
            story = f"{verb}: {first.output}then {last.returncode}: {last.output}{different}"
            self.disturbed.astray.append(story)
        return first.was_killed

    def _settle(self, verb: str) -> Ended:
        """Mark the interrupted script as what its commit has made of it, and go on."""
        [number] = {step[0] for step in ledger(self.environment["DATABASE_URL"])["nonstop_steps"]}
        mark = "--mark-applied" if verb == "apply" else "--mark-pending"
        settled = self.forks.run(
            "repair", mark, str(number), "--yes", "--dir", self.migrations, env=self.environment
        )
        return self._command(verb) if settled.returncode == 0 else settled

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
