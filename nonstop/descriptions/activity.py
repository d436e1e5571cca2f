"""What other sessions do, as the guard sees it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Holder:
    """A transaction that holds a lock on a table. ``transaction`` identifies it from one look to the next.

    ``age_ms`` is None where the server does not show it to our role. ``pid`` is None for a prepared transaction.
    """

    transaction: str
    pid: int | None
    age_ms: int | None
    is_autovacuum: bool
    prevents_wraparound: bool


@dataclass(frozen=True, slots=True)
class Waiter:
    """A session that waits for one of ours. ``blocker`` is ours; ``waited_ms`` is since its wait began."""

    pid: int
    blocker: int
    waited_ms: int
    blocker_is_idle: bool


class Observer(Protocol):
    """A second pair of eyes: a connection of its own that is never in a transaction."""

    def holders(self, relations: Sequence[str], ours: Collection[int]) -> list[Holder]:
        """Transactions of others that hold any lock on ``relations``; names that don't exist are passed over."""

    def known(self, oids: Collection[int]) -> set[int]:
        """Those of the tables that others can see: what a transaction has made and not committed, nobody uses."""

    def waiters(self, ours: Collection[int]) -> list[Waiter]:
        """Sessions of others that wait for a lock which one of ``ours`` holds or asks for before them."""

    def interrupt(self, waiter: Waiter) -> None:
        """Break off our session that ``waiter`` waits for: its statement, or itself where it sits idle."""

    def describe(self, holders: Sequence[Holder]) -> str:
        """Who they are, in words: pid, user, application, how long, which query."""

    def close(self) -> None:
        """Give the connection back."""
