"""What a script does to others, measured: the locks of its sessions, sampled, and clients of the application beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nonstop.check import traffic
from nonstop.check.code import CodeSource
from nonstop.check.observations import HeldLock, Measured, Traffic, held_locks
from nonstop.check.rehearsal import Theatre
from nonstop.check.stage import Running
from nonstop.databases import open_database
from nonstop.databases.rehearsal import Scratch
from nonstop.descriptions.activity import LockSample, LockSampler
from nonstop.descriptions.scripts import Direction, Script

SAMPLED_EVERY = 0.004
"""Seconds between two looks at the locks."""


def measure(
    theatre: Theatre, scratch: Scratch, script: Script, direction: Direction,
    codes: Sequence[tuple[str, CodeSource]], rows: dict[str, int],
) -> Measured:  # fmt: skip
    """Run the script once, beside clients of each of ``codes`` (``old``, ``new``), and sample its locks meanwhile."""
    clients = [(code, theatre.stage.start(traffic.play, source, scratch.url)) for code, source in codes]
    at_work = [(code, running) for code, running in clients if running.is_ready()]
    with sampled_locks(scratch) as locks:
        ran = theatre.run(scratch, script, direction)
    assert ran is not None
    told = [_told(code, direction, running) for code, running in at_work]
    return Measured(direction, ran, rows, tuple(locks), tuple(one for one in told if one is not None))


def _told(code: str, direction: Direction, running: Running) -> Traffic | None:
    running.finish()
    ended = running.wait()
    if ended.answer is None:
        return None
    transactions, longest_ms, errors = ended.answer
    return Traffic(code, direction, transactions, longest_ms, errors)


@contextmanager
def sampled_locks(scratch: Scratch) -> Iterator[list[HeldLock]]:
    """The locks of the sessions of runs on a scratch database in the block; the list is complete at its end."""
    found: list[HeldLock] = []
    sampler = open_database(scratch.url).lock_sampler()
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
