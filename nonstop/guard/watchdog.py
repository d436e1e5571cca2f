"""Watches, from a connection of its own, whom our sessions block, and interrupts ours before the budget is used up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from nonstop.descriptions.activity import Observer, Waiter
from nonstop.errors import MadeWay

LOOK_EVERY = 0.02
"""Seconds between two looks."""
CANCEL_AT = 0.6
"""The share of the blocking budget at which our session is interrupted: canceling takes time too."""
CANCEL_TAKES = 0.15
"""The share of the blocking budget after which a session that still blocks is terminated.

A session in a COPY waits for its client and does not notice that it is canceled, and a function may catch the error.
"""
IDLE = "the application waited for a transaction in which the script did nothing"
NOT_CANCELED = "the application waited for a statement that did not end when it was canceled"


class Watchdog:
    """A thread for the length of a ``with`` block.

    ``ours`` gives the process ids of our sessions at this moment; the observer adds the script's other clients.
    ``interrupted`` lists who waited for a session of ours that was canceled or terminated, ``interrupted_clients`` the same
    of those other clients; ``termination`` is what the script has to be told where a session of ours was terminated.
    ``noticed`` is told of all who wait, however short.
    """

    def __init__(
        self,
        observer: Observer,
        budget_ms: float,
        ours: Callable[[], frozenset[int]],
        noticed: Callable[[list[Waiter]], None] = lambda waiters: None,
    ) -> None:
        self._observer = observer
        self._limit_ms = budget_ms * CANCEL_AT
        self._cancel_takes = budget_ms * CANCEL_TAKES / 1000
        self._ours = ours
        self._noticed = noticed
        self._first_canceled: dict[int, float] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="nonstop watchdog", daemon=True)
        self.interrupted: list[Waiter] = []
        self.interrupted_clients: list[Waiter] = []
        self.termination: MadeWay | None = None
        self.error: Exception | None = None
        """Why it stopped watching, if it had to: then nothing may go on under a budget that nobody watches."""

    def __enter__(self) -> Watchdog:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        self._observer.close()

    def _watch(self) -> None:
        try:
            while not self._end.wait(LOOK_EVERY):
                self._act(self._observer.waiters(self._ours()))
        except Exception as error:
            self.error = error

    def _act(self, waiters: list[Waiter]) -> None:
        if waiters:
            self._noticed(waiters)
        late = {waiter.blocker: waiter for waiter in waiters if waiter.waited_ms >= self._limit_ms}
        for session in self._first_canceled.keys() - late.keys():
            del self._first_canceled[session]
        for waiter in late.values():
            self._interrupt(waiter)

    def _interrupt(self, waiter: Waiter) -> None:
        """Cancel the statement of the session that ``waiter`` waits for, or terminate it where that has no effect.

        Noted first, so that whoever meets the error finds its reason.
        """
        (self.interrupted_clients if waiter.blocker_is_client else self.interrupted).append(waiter)
        now = time.monotonic()
        canceled = self._first_canceled.setdefault(waiter.blocker, now)
        if not waiter.blocker_is_idle and now - canceled < self._cancel_takes:
            self._observer.cancel(waiter.blocker)
            return
        if not waiter.blocker_is_client:
            self.termination = _idle() if waiter.blocker_is_idle else MadeWay(NOT_CANCELED, broken_off=True)
        self._observer.terminate(waiter.blocker)


def _idle() -> MadeWay:
    return MadeWay(IDLE, broken_off=True, next_step="commit before the script computes or waits")
