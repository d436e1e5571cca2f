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


def timed(command: Command) -> float:
    """Run one process to its end and return its seconds. Raises RuntimeError where it does not end with 0."""
    with tempfile.TemporaryFile() as output:  # a pipe would have to be emptied while the clock runs
        environment = clean_environment(command.folder, **command.variables)
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(argument) for argument in command.arguments],
            cwd=command.folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
        # Waiting with a timeout would poll, every 50 ms in the end, and measure that.
        limit = threading.Timer(LIMIT, process.kill)
        limit.start()
        returncode = process.wait()
        seconds = time.perf_counter() - started
        limit.cancel()
        if returncode != 0:
            output.seek(0)
            said = output.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{command.arguments} ended with {returncode}:\n{said}")
    return seconds
