"""The command line of one project, with what every command promises checked at each call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.support.commands import CommandLine
from tests.support.projects import Project
from tests.support.snapshots import events, ledger, snapshot

Words = str | tuple[str, ...]


@dataclass(frozen=True)
class ProjectCommands:
    """Calls ``nonstop`` with the project's folder, in its environment.

    ``run("status")`` gives the finished process as it is. The methods ask for JSON, which has to be one document
    whatever happens, and check the exit code; those for failures check what a user is told, and what was left alone.
    """

    cli: CommandLine
    project: Project
    folder: Path
    environment: Mapping[str, str]

    @classmethod
    def of(cls, project: Project, cli: CommandLine) -> ProjectCommands:
        return cls(cli, project, project.migrations, project.environment)

    def with_url(self, url: str) -> ProjectCommands:
        """The same project on another address; what is compared is still the project's own database."""
        return replace(self, environment={**self.environment, "DATABASE_URL": url})

    def __call__(self, *arguments: str | Path) -> CompletedProcess[str]:
        return self.cli(*arguments, "--dir", self.folder, env=self.environment)

    def succeeds(self, *arguments: str | Path) -> dict[str, Any]:
        """The document of a command that ends with 0."""
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return document(done)

    def fails(
        self, *arguments: str | Path, exit_code: int, says: Words, next_step: Words = ()
    ) -> dict[str, Any]:
        """The error of a command that ends with ``exit_code``.

        ``says`` are parts of its message or its details, ``next_step`` parts of the sentence that helps.
        """
        done = self(*arguments, "--json")
        assert done.returncode == exit_code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return error_in(done, says, next_step)

    def refuses(
        self, *arguments: str | Path, exit_code: int, says: Words, next_step: Words = ()
    ) -> dict[str, Any]:
        """The same for a command that must not leave a trace: no table, no row, no event, no file."""
        before = snapshot(self.project.url)
        error = self.fails(*arguments, exit_code=exit_code, says=says, next_step=next_step)
        assert snapshot(self.project.url) == before
        return error

    def undoes(
        self, *arguments: str | Path, exit_code: int, says: Words, next_step: Words = ()
    ) -> dict[str, Any]:
        """The same for a script that ran and failed: all as before, but for one event that tells of it."""
        before, events_before = self._without_events(), events(self.project.url)
        error = self.fails(*arguments, exit_code=exit_code, says=says, next_step=next_step)
        assert self._without_events() == before
        assert len(events(self.project.url)) == len(events_before) + 1
        return error

    def _without_events(self) -> tuple[Any, ...]:
        found = snapshot(self.project.url)
        kept = {name: rows for name, rows in ledger(self.project.url).items() if not name.endswith("_events")}
        # The first run makes the ledger, also when its script fails: empty tables count as none.
        return (
            found["schema"],
            found["rows"],
            {name: rows for name, rows in kept.items() if rows and name != "nonstop_ledger"},
        )


def document(done: CompletedProcess[str]) -> dict[str, Any]:
    """The one JSON document that standard output consists of."""
    parsed: dict[str, Any] = json.loads(done.stdout)
    assert parsed["schema"] == 1
    return parsed


def error_in(done: CompletedProcess[str], says: Words = (), next_step: Words = ()) -> dict[str, Any]:
    """The error in a failed command's document; it names the exit code and the next step."""
    error: dict[str, Any] = document(done)["error"]
    assert error["exit_code"] == done.returncode
    assert error["next_step"], error
    text = "\n".join([error["message"], *error["details"]])
    for part in _each(says):
        assert part in text
    for part in _each(next_step):
        assert part in error["next_step"]
    return error


def told(done: CompletedProcess[str], exit_code: int) -> str:
    """What a person reads of a failure: an error and the next step, on standard error, and no traceback."""
    assert done.returncode == exit_code, done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert any(line.startswith("Error: ") for line in lines), done.stderr
    assert lines[-1].startswith("Next: "), done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def _each(words: Words) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else words
