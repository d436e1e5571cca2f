"""A statement of a script with what it locks, and what the judge of such statements asks others for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from nonstop.databases.base import DBAPIConnection
from nonstop.descriptions.operations import LockClass
from nonstop.descriptions.results import AllowedToBlock
from nonstop.descriptions.statements import Kind, Need, Reached


class Services(NamedTuple):
    """What the judge of plain SQL asks others for.

    ``run_online(statement)`` carries out an online form now, on a connection of our own, whose sessions resolve names
    as ``own_names()`` says; ``run_deferred()`` does so with what commits have left to do. ``known(oids)`` tells which
    tables others can see, ``own_holders(connection, tables, lock)`` what other sessions of the script have done that keep it
    from a lock. Tables of up to ``small`` bytes take every statement as it is written: it is over soon, and the
    watchdog looks on. ``allow_blocking`` is the reason for which blocking statements are allowed, or None; ``say`` takes
    a line for the outcome, ``allowed`` what was let through.
    """

    run_online: Callable[[str], None]
    run_deferred: Callable[[], None]
    own_names: Callable[[], tuple[str, ...]]
    known: Callable[[Sequence[int]], set[int]]
    own_holders: Callable[[DBAPIConnection, Sequence[str], LockClass], Sequence[str]]
    small: int
    allow_blocking: str | None
    say: Callable[[str], None]
    allowed: Callable[[AllowedToBlock], None]


class Judged(NamedTuple):
    """One statement of a text, and the tables of others that it locks."""

    text: str
    need: Need
    tables: tuple[Reached, ...]
    is_alone: bool
    """Whether the text has no other statement."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(table.name for table in self.tables)

    @property
    def lock(self) -> LockClass:
        """The strongest that it may take."""
        return LockClass.ACCESS_EXCLUSIVE if self.need.kind is Kind.UNKNOWN else self.need.lock

    @property
    def may_be_any(self) -> bool:
        """Whether the text does not tell which tables it locks."""
        return not (self.need.relations or self.need.indexes)

    @property
    def is_strong(self) -> bool:
        """Whether readers or writers may have to wait for it; of an unknown one, be sure that they don't for long."""
        return self.need.kind is Kind.UNKNOWN or (
            self.need.is_strong and (bool(self.tables) or self.may_be_any)
        )
