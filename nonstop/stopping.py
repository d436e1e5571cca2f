"""Ending a run from outside: Ctrl-C, TERM and the deadline, seen between two statements."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from nonstop.errors import Interruption


class Stop:
    """Asks a run to end. :meth:`checkpoint` raises the Interruption at the next good moment.

    ``deadline`` is the number of seconds that the whole run may take, None for no bound.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self._ends_at = None if deadline is None else time.monotonic() + deadline
        self._deadline = deadline
        self._signal: int | None = None

    @property
    def seconds_left(self) -> float | None:
        """Until the deadline; None where there is none."""
        return None if self._ends_at is None else self._ends_at - time.monotonic()

    def checkpoint(self) -> None:
        """Raise Interruption if a signal came or the deadline has passed."""
        if self._signal is not None:
            raise Interruption(signal.Signals(self._signal).name, 128 + self._signal)
        if self._ends_at is not None and time.monotonic() > self._ends_at:
            raise Interruption(f"the deadline of {self._deadline:g} s has passed", 1)

    @contextmanager
    def breaking_off(self, cancel: Callable[[], None]) -> Iterator[None]:
        """Call ``cancel``, on a thread of its own, if the deadline passes inside the block: a statement may be long."""
        if self._ends_at is None:
            yield
            return
        timer = threading.Timer(max(0.0, self._ends_at - time.monotonic()), cancel)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM for the length of the block: the first asks, a second one breaks off."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before: dict[int, Any] = {number: signal.signal(number, self._receive) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._signal is not None:
            raise KeyboardInterrupt
        self._signal = number


_SIGNALS = (signal.SIGINT, signal.SIGTERM)
