"""Look before you lock: take a strong lock without making the application queue behind us.

A lock that can't be had at once is waited for in a queue, and everyone who comes later queues behind it, readers too
(failure mode C1). So we wait outside: look who holds the table, ask for the lock only when no old transaction does, and
then only for a moment. Steady traffic of middle-sized transactions would starve us for ever, so both what counts as old
and the moment grow with each try, to a share of the blocking budget.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from nonstop.descriptions.activity import Holder, Observer
from nonstop.errors import Interruption, LockNotObtained

FIRST_OLD_MS, FIRST_TIMEOUT_MS, GROWTH = 30.0, 50.0, 1.5
SHARE_OF_BUDGET, LEAST_SHARE = 0.6, 0.2
"""How much of the budget our waiting in the queue may use; the rest is for holding the lock."""
HOLDING_MS = 40.0
"""What holding the lock takes at most: some twenty round trips, each of which may wait for a core.

Measured with a budget of 100 ms: waiting for 40 ms never got through eight clients with transactions of 80 ms, 60 ms did.
"""
PAUSE_MS = 10.0
"""Between two looks; a look takes about a millisecond."""
MOST_NAMED = 5
"""So many of those who were waited for are named in the journal."""
GROW_EVERY = 0.25
"""Seconds of looking in vain after which an older transaction will do: steady traffic never clears the table."""


@dataclass(slots=True)
class Allowance:
    """How old a transaction may be that we wait behind, and for how long; both in ms.

    ``first_seen`` remembers from one try to the next when a transaction was first there: not every server, nor to
    every role, tells how old it is.
    """

    old_ms: float
    timeout_ms: float
    most_ms: float
    first_seen: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, budget_ms: float) -> Allowance:
        most = max(min(budget_ms * SHARE_OF_BUDGET, budget_ms - HOLDING_MS), budget_ms * LEAST_SHARE)
        return cls(min(FIRST_OLD_MS, most), min(FIRST_TIMEOUT_MS, most), most)

    def grow_older(self) -> None:
        """Ask behind older transactions."""
        self.old_ms = min(self.old_ms * GROWTH, self.most_ms)

    def grow(self) -> None:
        """Ask behind older transactions, and wait longer for them."""
        self.grow_older()
        self.timeout_ms = min(self.timeout_ms * GROWTH, self.most_ms)


class Patience:
    """Runs an attempt to lock again and again until it gets through.

    ``checkpoint`` may end it (a signal, the deadline); ``is_conflict`` tells errors that mean "try again" from others;
    ``give_up_after`` is in seconds. ``waited`` is told how many ms a wait has taken, and who was waited for.
    """

    def __init__(
        self,
        observer: Observer,
        give_up_after: float,
        checkpoint: Callable[[], None],
        is_conflict: Callable[[BaseException], bool],
        waited: Callable[[float, Sequence[str]], None] = lambda milliseconds, holders: None,
    ) -> None:
        self._observer = observer
        self._give_up_after = give_up_after
        self._checkpoint = checkpoint
        self._is_conflict = is_conflict
        self._waited = waited

    def run(
        self,
        relations: Sequence[str],
        ours: Collection[int],
        allowance: Allowance,
        attempt: Callable[[int, bool], None],
    ) -> int:
        """Call ``attempt(lock_timeout_ms, behind_autovacuum)`` until it succeeds; the number of attempts comes back.

        ``behind_autovacuum`` asks the attempt to get an ordinary autovacuum out of the way first. Raises
        LockNotObtained, naming who stood in the way, when ``give_up_after`` has passed.
        """
        started = time.monotonic()
        attempts = 0
        while True:
            last_holders = self.wait_outside(relations, ours, allowance, started)
            attempts += 1
            try:
                attempt(round(allowance.timeout_ms), any(holder.is_autovacuum for holder in last_holders))
                return attempts
            except Exception as error:
                if not self._is_conflict(error):
                    raise
            self._check(started, last_holders, relations)
            allowance.grow()
            time.sleep(allowance.timeout_ms / 1000 * random.uniform(0.5, 1.0))

    def wait_outside(
        self, relations: Sequence[str], ours: Collection[int], allowance: Allowance, started: float
    ) -> list[Holder]:
        """Return when only young transactions hold ``relations``; they come back."""
        first_seen = allowance.first_seen
        met: dict[str, str] = {}
        begun = time.monotonic()
        grow_at = begun + GROW_EVERY
        while True:
            now = time.monotonic()
            if now >= grow_at:
                allowance.grow_older()
                grow_at = now + GROW_EVERY
            holders = self._observer.holders(relations, ours)
            for holder in holders:
                first_seen.setdefault(holder.transaction, now)
            old = [
                holder
                for holder in holders
                if not _gives_way(holder)
                and _age_ms(holder, now - first_seen[holder.transaction]) > allowance.old_ms
            ]
            if not old:
                if met:
                    self._waited((now - begun) * 1000, [*met.values()])
                return holders
            for holder in old:
                if holder.transaction not in met and len(met) < MOST_NAMED:
                    met[holder.transaction] = self._observer.describe([holder])
            self._check(started, old, relations)
            time.sleep(PAUSE_MS / 1000 * random.uniform(0.5, 1.5))

    def _check(self, started: float, holders: Sequence[Holder], relations: Sequence[str]) -> None:
        try:
            self._checkpoint()
        except Interruption as interruption:
            interruption.reason += self._who(holders, relations)
            raise
        if time.monotonic() - started > self._give_up_after:
            raise LockNotObtained(
                f"no lock on {', '.join(relations)} within {self._give_up_after:g} s{self._who(holders, relations)}",
                next_step="end that transaction, or run again at a quieter time",
            )

    def _who(self, holders: Sequence[Holder], relations: Sequence[str]) -> str:
        if not holders:
            return ""
        return f"; {', '.join(relations)} held by: {self._observer.describe(holders)}"


def _gives_way(holder: Holder) -> bool:
    """An ordinary autovacuum is cancelled by a waiter after deadlock_timeout; one against wraparound is not (C13, C14)."""
    return holder.is_autovacuum and not holder.prevents_wraparound


def _age_ms(holder: Holder, seen_for: float) -> float:
    return max(holder.age_ms or 0, seen_for * 1000)
