"""Commands in real processes of their own that start in milliseconds, for tests that need hundreds of them.

The command line of ``tests.support.commands`` pays for Python's start and for SQLAlchemy's import each time. Here a
server process has paid once: every command is a fork of it, with nothing of the test's process in it.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.support.commands import clean_environment

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ended:
    """How a command ended. ``returncode`` is negative for a signal; ``output`` is both streams in one."""

    returncode: int
    output: str

    @property
    def was_killed(self) -> bool:
        """Whether SIGKILL ended it."""
        return self.returncode == -signal.SIGKILL


class Forked:
    """A command at work."""

    def __init__(self, server: ForkServer, pid: int, output: Path) -> None:
        self.pid = pid
        self._server = server
        self._output = output

    def kill(self) -> None:
        """End it with SIGKILL; ``wait`` has still to be called for it."""
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> Ended:
        """Wait for its end."""
        code = self._server.ask({"do": "wait", "pid": self.pid})
        return Ended(code, self._output.read_text(encoding="utf-8", errors="replace"))


class ForkServer:
    """Starts commands. ``folder`` takes their output and is their home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server"],
            cwd=ROOT,
            env=clean_environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def start(
        self,
        *arguments: str | Path,
        env: Mapping[str, str],
        kill_at: int | None = None,
        gate: Path | None = None,
    ) -> Forked:
        """Start ``nonstop`` with these arguments; a first argument that ends in ``.py`` is run as that script.

        ``kill_at`` is the point at which it kills itself (see ``nonstop.check.disturbance``); ``gate`` a file as in
        ``closed_gate``.
        """
        output = self._folder / f"output-{next(self._numbers)}"
        pid = self._start(
            arguments,
            folder=str(self._folder),
            environment=clean_environment(self._folder, **env),
            input=os.devnull,
            stdout=str(output),
            stderr=str(output),
            kill_at=kill_at,
            gate=None if gate is None else str(gate),
        )
        return Forked(self, pid, output)

    def run(self, *arguments: str | Path, env: Mapping[str, str], kill_at: int | None = None) -> Ended:
        """Run a command to its end."""
        return self.start(*arguments, env=env, kill_at=kill_at).wait()

    def complete(
        self, arguments: Sequence[str | Path], environment: Mapping[str, str], cwd: Path, input: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, as ``subprocess.run`` would: ``environment`` is all of it, both streams are text."""
        number = next(self._numbers)
        given, stdout, stderr = (self._folder / f"{name}-{number}" for name in ("input", "stdout", "stderr"))
        given.write_text(input, encoding="utf-8")
        pid = self._start(
            arguments,
            folder=str(cwd),
            environment=dict(environment),
            input=str(given),
            stdout=str(stdout),
            stderr=str(stderr),
            kill_at=None,
            gate=None,
        )
        code = self.ask({"do": "wait", "pid": pid})
        return subprocess.CompletedProcess(
            [*arguments], code, stdout.read_text(encoding="utf-8"), stderr.read_text(encoding="utf-8")
        )

    def _start(self, arguments: Sequence[str | Path], **request: Any) -> int:
        command = [str(argument) for argument in arguments]
        program = [] if command[:1] and command[0].endswith(".py") else ["nonstop"]
        return self.ask({"do": "start", "arguments": [*program, *command], **request})

    def ask(self, request: dict[str, Any]) -> int:
        """Send one request and return the number that answers it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the fork server has ended with {self._process.wait()}"
        return int(answer)

    def close(self) -> None:
        """End the server. Commands still at work are not waited for."""
        self._process.communicate()


@contextmanager
def closed_gate(path: Path) -> Iterator[Path]:
    """A gate for ``start``: nobody passes before the end of the block."""
    path.touch()
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield path
