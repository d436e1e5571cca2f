"""What other sessions do, as the guard sees it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nonstop.descriptions.operations import LockClass


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
    """A session that waits for one of ours. ``blocker`` is ours; ``waited_ms`` is since its wait began.

    ``blocker_is_client`` tells that it is not one that the guard has prepared, but another client of the script's.
    """

    pid: int
    blocker: int
    waited_ms: int
    blocker_is_idle: bool
    blocker_is_client: bool
    application: str
    """What the session that waits calls itself."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a strong statement did. ``locks`` are tables with the mode that our session held after it.

    ``rewritten`` are tables that have a new file, for themselves or for an index; ``scanned`` were read from end to end.
    ``changed`` are tables with the number of their rows that were updated or deleted, by whatever it has set off.
    """

    locks: tuple[str, ...] = ()
    rewritten: tuple[str, ...] = ()
    scanned: tuple[str, ...] = ()
    changed: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Standby:
    """A standby that streams from our server. ``is_hidden``: our role may not see how far it is."""

    pid: int
    """Of the server's process that sends to it: a standby that comes back is another one."""
    name: str
    behind_bytes: int | None
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class LockSample:
    """A lock on a table, held or waited for at one moment by a session of a run, with the statement that runs in it."""

    pid: int
    relation: str
    mode: str
    is_held: bool
    statement: str


class LockSampler(Protocol):
    """Looks at the locks of a whole database, from a connection of its own."""

    def sample(self) -> list[LockSample]:
        """The locks at this moment that keep readers, writers or other migrations waiting."""

    def close(self) -> None:
        """Give the connection back."""


class Observer(Protocol):
    """A second pair of eyes: a connection of its own that is never in a transaction."""

    def holders(self, relations: Sequence[str], ours: Collection[int]) -> list[Holder]:
        """Transactions of others that hold any lock on ``relations``; names that don't exist are passed over."""

    def conflicting(self, relations: Sequence[str], lock: LockClass, among: Collection[int]) -> set[int]:
        """Those sessions of ``among`` that hold a lock on one of ``relations`` which conflicts with ``lock``."""

    def known(self, oids: Collection[int]) -> set[int]:
        """Those of the tables that others can see: what a transaction has made and not committed, nobody uses."""

    def waiters(self, ours: Collection[int]) -> list[Waiter]:
        """Sessions of others that wait for a lock which one of ours holds or asks for before them.

        Ours are ``ours``, and the script's other clients.
        """

    def cancel(self, session: int) -> None:
        """Cancel the statement of ``session``. It has no effect on one that is idle, or waits for its client."""

    def terminate(self, session: int) -> None:
        """End ``session``, whatever it does: its transaction is rolled back, its client meets an error."""

    def describe(self, holders: Sequence[Holder]) -> str:
        """Who they are, in words: pid, user, application, how long, which query."""

    def written_up_to(self) -> str:
        """The position in the server's log that it has written up to."""

    def standbys_behind(self, position: str, flushed_will_do: bool) -> list[Standby]:
        """Standbys that have not replayed up to ``position``, or of which our role can't know it.

        ``flushed_will_do`` asks only for what was flushed by now: nothing else is sent to them.
        """

    def close(self) -> None:
        """Give the connection back."""
