"""All clients together: started before a run, stopped after it, and what they have noted."""

from __future__ import annotations

import math
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from benchmarks.traffic import clients
from benchmarks.traffic.clients import START_LIMIT, Brief, Sample

STOP_LIMIT = 120.0  # seconds that the clients have to catch up with what was due


class Recording(NamedTuple):
    """What all clients have noted, in order of when it was due."""

    samples: list[Sample]
    errors: list[tuple[float, str]]


class Load:
    """Clients at work for the length of a ``with`` block.

    ``rate`` is transactions per second of all ``paced`` clients together; ``long`` more clients hold one order after
    the other. ``folder`` is where each writes what it has noted. Raises RuntimeError where a client dies.
    """

    def __init__(self, url: str, rows: int, rate: float, paced: int, long: int, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        most = max(paced, long)
        self._briefs = [
            *(Brief(number, most, url, rows, rate / paced, folder) for number in range(paced)),
            *(Brief(number, most, url, rows, None, folder) for number in range(long)),
        ]
        # The server that children are forked from has SQLAlchemy loaded and no threads.
        context = get_context("forkserver")
        context.set_forkserver_preload([clients.__name__])
        self._ends_at = context.RawValue("d", math.inf)
        self._gate = context.Barrier(len(self._briefs) + 1)
        self._processes = [
            context.Process(target=clients.run, args=(brief, self._gate, self._ends_at), daemon=True)
            for brief in self._briefs
        ]

    def __enter__(self) -> Load:
        for process in self._processes:
            process.start()
        self._gate.wait(START_LIMIT)
        return self

    def stop(self, at: float) -> Recording:
        """Let the clients do what is due before ``at`` (as ``time.monotonic()`` says), and collect their notes."""
        self._ends_at.value = at
        for process in self._processes:
            process.join(STOP_LIMIT)
        if any(process.exitcode != 0 for process in self._processes):
            raise RuntimeError("a client of the load has died, or does not come to an end")
        samples = [sample for brief in self._briefs for sample in clients.samples_of(brief)]
        errors = [error for brief in self._briefs for error in clients.errors_of(brief)]
        return Recording(sorted(samples, key=lambda sample: sample.due), sorted(errors))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self._processes:
            if process.is_alive():
                process.kill()
            process.join()
