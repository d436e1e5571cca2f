"""What one script sees of others before it takes locks: from one connection of its own, opened at the first look."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock

from nonstop.databases.base import Database
from nonstop.descriptions.activity import Observer
from nonstop.descriptions.operations import LockClass
from nonstop.guard.patience import Allowance, Patience
from nonstop.guard.standbys import Standbys

GIVE_UP_AFTER = 600.0
"""Seconds after which a lock that is never free ends a script; ``--deadline`` may come before."""


class Lookout:
    """For the script and its threads; the watchdog has its own. Close it when the script has ended.

    ``allowance`` is the script's, from one attempt to the next; ``ours`` gives the process ids of the
    calling thread's sessions.
    ``checkpoint`` may end the waiting, ``say`` takes a note for the report, ``waited`` how long we waited
    and whom for.
    """

    def __init__(
        self,
        database: Database,
        budget_ms: int,
        allowance: Allowance,
        ours: Callable[[], frozenset[int]],
        checkpoint: Callable[[], None],
        say: Callable[[str], None],
        waited: Callable[[float, Sequence[str]], None],
    ) -> None:
        self._database = database
        self._budget_ms = budget_ms
        self._allowance = allowance
        self._ours = ours
        self._checkpoint = checkpoint
        self._say = say
        self._waited = waited
        self._standbys = Standbys(say, checkpoint)
        self._opening = Lock()
        self._opened: Observer | None = None

    def lock_patiently(
        self, relations: Sequence[str], lock: LockClass, attempt: Callable[[int, bool], None]
    ) -> None:
        """Call ``attempt(lock_timeout_ms, past_autovacuum)`` until it had its lock, see :class:`Patience`."""
        observer = self._observer()
        if observer is None:
            attempt(0, False)
            return
        self._wait_for_standbys(observer, relations, lock)
        attempts = self._patience(observer).run(
            relations, self._ours(), Allowance.of(self._budget_ms), attempt
        )
        if attempts > 1:
            self._say(f"the lock on {', '.join(relations)} was had at attempt {attempts}")

    def wait_outside(self, relations: Sequence[str], lock: LockClass) -> bool:
        """Wait until no old transaction holds ``relations``; whether an autovacuum is in the way comes back."""
        observer = self._observer()
        if observer is None:
            return False
        self._wait_for_standbys(observer, relations, lock)
        holders = self._patience(observer).wait_outside(
            relations, self._ours(), self._allowance, time.monotonic()
        )
        return any(holder.is_autovacuum for holder in holders)

    def own_holders(self, session: int, relations: Sequence[str], lock: LockClass) -> set[int]:
        """Other sessions of the script that keep ``session`` from locking ``relations``: they will not end meanwhile."""
        others = self._ours() - {session}
        observer = self._observer() if others and relations else None
        return observer.conflicting(relations, lock, others) if observer is not None else set()

    def known(self, oids: Sequence[int]) -> set[int]:
        """Which of these tables others can see."""
        observer = self._observer() if oids else None
        return observer.known(oids) if observer is not None else set()

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _observer(self) -> Observer | None:
        with self._opening:
            if self._opened is None:
                self._opened = self._database.observer()
            return self._opened

    def _patience(self, observer: Observer) -> Patience:
        return Patience(
            observer, GIVE_UP_AFTER, self._checkpoint, self._database.is_lock_conflict, self._waited
        )

    def _wait_for_standbys(self, observer: Observer, relations: Sequence[str], lock: LockClass) -> None:
        if relations and lock is LockClass.ACCESS_EXCLUSIVE:  # the only lock that they replay
            self._standbys.wait(observer)
