"""For how long the application has waited for one script, over all its attempts; a script that goes on so is stopped."""

from __future__ import annotations

from collections.abc import Sequence

from nonstop.descriptions.activity import Waiter
from nonstop.errors import StalledTooOften

LIMIT_IN_BUDGETS = 8
"""The promise is ten: one more stall may be under way when the limit is reached, and the end of each is not seen."""
COUNTED_FROM = 0.1
"""As a share of the budget. Shorter waits are what the sessions of any application cause each other."""


class StallLimit:
    """The sum of a script's stalls. A stall is a time in which somebody waits for the script, however many they are.

    ``note`` is called by the watchdog's thread, the rest by the script's.
    """

    def __init__(self, budget_ms: float) -> None:
        self._limit_ms = LIMIT_IN_BUDGETS * budget_ms
        self._counted_from_ms = COUNTED_FROM * budget_ms
        self._counted_up_to_ms = 0.0
        self.total_ms = 0.0

    def note(self, waiters: Sequence[Waiter], now_ms: float) -> None:
        """Count how long the ``waiters`` have waited by ``now_ms``, as far as it was not counted at an earlier look."""
        longest_ms = max((waiter.waited_ms for waiter in waiters), default=0)
        if longest_ms < self._counted_from_ms:
            return
        self.total_ms += now_ms - max(now_ms - longest_ms, self._counted_up_to_ms)
        self._counted_up_to_ms = now_ms

    @property
    def is_reached(self) -> bool:
        """Whether one more stall could break the promise."""
        return self.total_ms >= self._limit_ms

    def check(self) -> None:
        """Raise StalledTooOften if the limit is reached."""
        if self.is_reached:
            raise StalledTooOften(
                f"the application has waited for this script for {self.total_ms / 1000:.1f} s in all,"
                f" and {self._limit_ms / 1000:g} s is the limit"
            )
