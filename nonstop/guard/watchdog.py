"""Watches, from a connection of its own, whom our sessions block, and breaks ours off before the budget is used up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from nonstop.descriptions.activity import Observer, Waiter

LOOK_EVERY = 0.02
"""Seconds between two looks."""
ACT_AT = 0.6
"""The share of the blocking budget at which our session is broken off: cancelling takes time too."""


class Watchdog:
    """A thread for the length of a ``with`` block.

    ``ours`` gives the process ids of our sessions at this moment; the observer adds the script's other clients.
    ``bites`` lists what was broken off, for whom; ``client_bites`` the same of those other clients. ``noticed``
    is told of all who wait, however short.
    """

    def __init__(
        self,
        observer: Observer,
        budget_ms: float,
        ours: Callable[[], frozenset[int]],
        noticed: Callable[[list[Waiter]], None] = lambda waiters: None,
    ) -> None:
        self._observer = observer
        self._limit_ms = budget_ms * ACT_AT
        self._ours = ours
        self._noticed = noticed
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="nonstop watchdog", daemon=True)
        self.bites: list[Waiter] = []
        self.client_bites: list[Waiter] = []
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
        for waiter in late.values():
            bites = self.client_bites if waiter.blocker_is_client else self.bites
            bites.append(waiter)  # first, so that whoever meets the error finds its reason
            self._observer.interrupt(waiter)
