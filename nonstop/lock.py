"""One runner at a time: wait for the lock, say who holds it, and give it back."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nonstop.databases.base import Database, RunnerLock
from nonstop.errors import LockNotObtained

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.5
SAY_EVERY = 10.0


@contextmanager
def hold(
    database: Database,
    name: str,
    owner: str,
    timeout: float,
    on_wait: Callable[[str], None] = lambda line: None,
    checkpoint: Callable[[], None] = lambda: None,
) -> Iterator[RunnerLock]:
    """Hold the lock of the ledger called ``name`` for the length of the block.

    Polls, with growing pauses: a session that waits inside the server holds a snapshot, which deadlocks with
    CREATE INDEX CONCURRENTLY. ``timeout`` is in seconds, 0 tries once. ``on_wait`` gets one line when the waiting
    begins and one every ten seconds; ``checkpoint`` may raise to end the waiting. Raises LockNotObtained.
    """
    lock = database.lock(name, owner)
    try:
        _acquire(lock, timeout, on_wait, checkpoint)
        yield lock
    finally:
        lock.release()


def _acquire(
    lock: RunnerLock, timeout: float, on_wait: Callable[[str], None], checkpoint: Callable[[], None]
) -> None:
    started = time.monotonic()
    pause, next_line = FIRST_PAUSE, 0.0
    while not lock.try_acquire():
        checkpoint()
        waited = time.monotonic() - started
        if waited >= timeout:
            raise LockNotObtained(
                f"another runner holds the lock{_by(lock.holder())}; gave up after {waited:.0f} s",
                next_step="wait until it has ended, or wait longer with --lock-timeout",
            )
        if waited >= next_line:
            on_wait(
                f"another runner holds the lock{_by(lock.holder())}; waiting up to {timeout - waited:.0f} s"
            )
            next_line = waited + SAY_EVERY
        lock.step_back()
        # Jitter keeps ten waiting runners from knocking at the same moment.
        time.sleep(min(pause * random.uniform(0.5, 1.0), max(0.0, timeout - waited)))
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _by(holder: str) -> str:
    return f" ({holder})" if holder else ""
