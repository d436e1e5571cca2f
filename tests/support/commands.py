"""The real command line, as a child process in a clean environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

# Nothing else of the developer's environment gets in: no DATABASE_URL, PG*, NONSTOP_*, FLASK_*, PYTHON*.
# Coverage of child processes is asked for through its own variables.
PASSED_ON = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
LIMIT = 240.0  # seconds: a command that hangs must not hang the suite


def clean_environment(home: Path, **variables: str) -> dict[str, str]:
    """The environment of a child process: what a new machine has, and ``variables``."""
    inherited = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**inherited, "HOME": str(home), "LC_ALL": "C.UTF-8", **variables}


class Forks(Protocol):
    """What starts commands as forks of a process that has imported everything already."""

    def complete(
        self, arguments: Sequence[str | Path], environment: Mapping[str, str], cwd: Path, input: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""


class CommandLine:
    """Calls like ``cli("apply", "--dir", folder, env={"DATABASE_URL": url})``.

    The answer has ``returncode``, ``stdout`` and ``stderr`` (text). The command sees no terminal. With ``forks``, commands
    and Python files start as forks, a tenth of the cost of a new interpreter; ``python("-c", …)``, ``python("-m", …)`` and
    ``start`` always get one.
    """

    def __init__(self, home: Path, folder: Path, forks: Forks | None = None) -> None:
        self.home = home
        self.folder = folder
        self._forks = forks

    def __call__(
        self,
        *arguments: str | Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        input: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run ``nonstop`` with these arguments to its end."""
        if self._forks is None:
            return self.python("-m", "nonstop", *arguments, env=env, cwd=cwd, input=input)
        return self._forked(self._forks, arguments, env, cwd, input)

    def python(
        self,
        *arguments: str | Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        input: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run Python itself with these arguments to its end, such as a migration file."""
        if self._forks is not None and str(arguments[0]).endswith(".py"):
            return self._forked(self._forks, arguments, env, cwd, input)
        return subprocess.run(
            self._command(arguments),
            env=clean_environment(self.home, **(env or {})),
            cwd=cwd or self.folder,
            input=input,
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT,
        )

    def start(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.Popen[str]:
        """Start ``nonstop`` and come back at once: to send it a signal, or to run several at a time.

        The caller ends it, best with ``with`` or ``communicate(timeout=…)``.
        """
        return subprocess.Popen(
            self._command(("-m", "nonstop", *arguments)),
            env=clean_environment(self.home, **(env or {})),
            cwd=cwd or self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def _forked(
        self,
        forks: Forks,
        arguments: Sequence[str | Path],
        env: Mapping[str, str] | None,
        cwd: Path | None,
        input: str,
    ) -> subprocess.CompletedProcess[str]:
        environment = clean_environment(self.home, **(env or {}))
        return forks.complete(arguments, environment, cwd or self.folder, input)

    @staticmethod
    def _command(arguments: tuple[str | Path, ...]) -> list[str]:
        return [sys.executable, *map(str, arguments)]
