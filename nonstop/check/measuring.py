"""What a script does to others, measured: the locks of its sessions, sampled, and clients of the application beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nonstop.check import traffic
from nonstop.check.observations import HeldLock, Measured, Traffic, held_locks
from nonstop.check.rehearsal import Theatre
from nonstop.check.running_code.source import CodeSource
from nonstop.databases import open_database
from nonstop.databases.rehearsal import Scratch
from nonstop.descriptions.activity import LockSample, LockSampler
from nonstop.descriptions.scripts import Direction, Script

SAMPLED_EVERY = 0.01
"""Seconds between two looks at the locks."""


def measure(
    theatre: Theatre, scratch: Scratch, script: Script, directions: Sequence[Direction],
    codes: Sequence[tuple[str, CodeSource]], rows: dict[str, int],
) -> list[Measured]:  # fmt: skip
    """Run the script in one direction after the other, beside clients of each of ``codes`` (``old``, ``new``), and sample
    its locks meanwhile. The first direction that fails is the last."""
    clients = [(code, theatre.stage.start(traffic.play, source, scratch.url)) for code, source in codes]
    at_work = [(code, running) for code, running in clients if running.is_ready()]
    found: list[Measured] = []
    for direction in directions:
        if found:
            for _, running in at_work:
                running.tell()
        with sampled_locks(scratch) as locks:
            ran = theatre.run(scratch, script, direction, is_alone=False)
        assert ran is not None
        found.append(Measured(direction, ran, rows, tuple(locks), ()))
        if not ran.succeeded:
            break
    for code, running in at_work:
        running.finish()
        phases = running.wait().answer or []
        found = [
            measured._replace(traffic=(*measured.traffic, Traffic(code, measured.direction, *phase)))
            for measured, phase in zip(found, phases, strict=False)
        ]
    return found


@contextmanager
def sampled_locks(scratch: Scratch) -> Iterator[list[HeldLock]]:
    """The locks of the sessions of runs on a scratch database in the block; the list is complete at its end."""
    found: list[HeldLock] = []
    sampler = open_database(scratch.url).rehearsals.lock_sampler()
    if sampler is None:
        yield found
        return
    samples: list[tuple[float, list[LockSample]]] = []
    end = threading.Event()
    thread = threading.Thread(target=_sample, args=(sampler, samples, end))
    thread.start()
    try:
        yield found
    finally:
        end.set()
        thread.join()
        sampler.close()
        found.extend(held_locks(samples))


def _sample(
    sampler: LockSampler, samples: list[tuple[float, list[LockSample]]], end: threading.Event
) -> None:
    while not end.wait(SAMPLED_EVERY):
        at = time.monotonic()
        samples.append((at, sampler.sample()))
