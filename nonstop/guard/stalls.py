"""Measures for how long a script was the one writer, where a database has no more than one at a time."""

from __future__ import annotations

import time

from nonstop.databases.base import DBAPIConnection


class Stalls:
    """``longest``: the longest time between taking the write lock and giving it back, in seconds.

    That is how long another writer may have had to wait in one go: between two transactions it gets its turn.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._since: dict[int, float] = {}

    def begins(self, connection: DBAPIConnection) -> None:
        """``connection`` holds the write lock, since now unless that was known already."""
        self._since.setdefault(id(connection), time.monotonic())

    def ends(self, connection: DBAPIConnection) -> None:
        """Its transaction, if it had one, is over."""
        since = self._since.pop(id(connection), None)
        if since is not None:
            self.longest = max(self.longest, time.monotonic() - since)
