"""Run whole processes, in turns, and keep how long each took."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.commands import clean_environment

LIMIT = 600.0  # seconds: a tool that hangs must not hang the others


class Command(NamedTuple):
    """One process: what is called, in which folder, with which variables besides those of a new machine."""

    arguments: Sequence[str | Path]
    folder: Path
    variables: Mapping[str, str] = {}


class Contestant(NamedTuple):
    """One tool in a scenario. ``before`` runs before each process and is not measured."""

    name: str
    command: Command
    before: Callable[[], None] = lambda: None


class Timing(NamedTuple):
    """How long one tool took, in seconds, run by run."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def fastest(self) -> float:
        return min(self.seconds)


def in_turns(contestants: Sequence[Contestant], runs: int) -> dict[str, Timing]:
    """Each contestant once to warm up, then ``runs`` rounds of A B C, so that noise hits all of them alike.

    Raises RuntimeError where a command fails: a process that does not do its work is quick.
    """
    taken: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for number in range(runs + 1):
        for contestant in contestants:
            contestant.before()
            seconds = timed(contestant.command)
            if number > 0:
                taken[contestant.name].append(seconds)
    return {name: Timing(tuple(seconds)) for name, seconds in taken.items()}


class Ended(NamedTuple):
    """A process that has ended; the times are those of ``time.monotonic()``, ``output`` is the end of both streams."""

    returncode: int
    started: float
    ended: float
    output: str

    @property
    def seconds(self) -> float:
        return self.ended - self.started


def timed(command: Command) -> float:
    """Run one process to its end and return its seconds. Raises RuntimeError where it does not end with 0."""
    ended = run(command)
    if ended.returncode != 0:
        raise RuntimeError(f"{command.arguments} ended with {ended.returncode}:\n{ended.output}")
    return ended.seconds


def run(command: Command, limit: float = LIMIT) -> Ended:
    """Run one process to its end; it is killed after ``limit`` seconds."""
    with tempfile.TemporaryFile() as output:  # a pipe would have to be emptied while the clock runs
        environment = clean_environment(command.folder, **command.variables)
        started = time.monotonic()
        process = subprocess.Popen(
            [str(argument) for argument in command.arguments],
            cwd=command.folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
        # Waiting with a timeout would poll, every 50 ms in the end, and measure that.
        killer = threading.Timer(limit, process.kill)
        killer.start()
        returncode = process.wait()
        ended = time.monotonic()
        killer.cancel()
        output.seek(0)
        return Ended(returncode, started, ended, output.read().decode(errors="replace")[-2000:])
