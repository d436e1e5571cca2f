"""The connections that a running script has out of SQLAlchemy's pools."""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import get_ident

from nonstop.databases.base import Database, DBAPIConnection


class Connections:
    """Which connections a script has, which of them are ours, and which it uses behind SQLAlchemy's back."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._checked_out: dict[int, DBAPIConnection] = {}
        self._threads: dict[int, int] = {}
        self._own: set[int] = set()
        self._bare: set[int] = set()
        self._used_bare = False
        self.foreign: set[int] = set()
        """By their ids, those that lead to another kind of database."""

    def checked_out(self, connection: DBAPIConnection) -> None:
        """Note that the script has ``connection``; it is bare until a ``Connection`` is made over it."""
        self._checked_out[id(connection)] = connection
        self._threads[id(connection)] = get_ident()
        self._bare.add(id(connection))

    def is_out(self, connection: DBAPIConnection) -> bool:
        """Whether the script has ``connection`` now."""
        return id(connection) in self._checked_out

    def goes_through_sqlalchemy(self, connection: DBAPIConnection) -> None:
        """Note that a ``Connection`` is made over it: its statements and commits are seen."""
        self._bare.discard(id(connection))

    def checked_in(self, connection: DBAPIConnection) -> None:
        """Note that the script has given ``connection`` back."""
        self._used_bare |= id(connection) in self._bare
        self.refused(connection)

    def refused(self, connection: DBAPIConnection) -> None:
        """Forget a connection; one that never reached the script has done nothing for it."""
        self._bare.discard(id(connection))
        self._checked_out.pop(id(connection), None)
        self._threads.pop(id(connection), None)
        self._own.discard(id(connection))

    def adopt(self, connection: DBAPIConnection) -> None:
        """Note that ``connection`` runs steps of ``op``, which have a lock policy of their own."""
        self._own.add(id(connection))

    def is_own(self, connection: DBAPIConnection) -> bool:
        """Whether ``connection`` runs steps of ``op``."""
        return id(connection) in self._own

    def note_foreign(self, connection: DBAPIConnection) -> None:
        """Note that ``connection`` leads to another kind of database, which the script may read."""
        self.foreign.add(id(connection))

    def is_foreign(self, connection: DBAPIConnection) -> bool:
        """Whether ``connection`` leads to another kind of database."""
        return id(connection) in self.foreign

    def forget_foreign(self, connection: DBAPIConnection) -> None:
        """Note that the script has given a foreign ``connection`` back."""
        self.foreign.discard(id(connection))

    @property
    def are_seen(self) -> bool:
        """Whether every commit of the script has been seen: none can hide on a bare ``engine.raw_connection()``."""
        return not (self._used_bare or self._bare)

    def usable(self) -> list[DBAPIConnection]:
        """Those that are open. Also called from the threads of the watchdog and of signals."""
        return [one for one in list(self._checked_out.values()) if self._database.is_usable(one)]

    def of_this_thread(self) -> list[DBAPIConnection]:
        """Those that are open and were checked out by the calling thread: nobody else can end what they have begun."""
        return [one for one in self.usable() if self._threads.get(id(one)) == get_ident()]

    def of_other_threads(self) -> list[DBAPIConnection]:
        """The others that are open."""
        return [one for one in self.usable() if self._threads.get(id(one)) != get_ident()]

    def session_ids(self) -> frozenset[int]:
        """What the database calls their sessions."""
        return self._ids_of(self.usable())

    def session_ids_of_this_thread(self) -> frozenset[int]:
        """What the database calls the sessions of the calling thread. One of another thread will end by itself."""
        return self._ids_of(self.of_this_thread())

    def _ids_of(self, connections: Collection[DBAPIConnection]) -> frozenset[int]:
        return frozenset(self._database.session_id(connection) for connection in connections)

    def statements_of(self, sessions: Collection[int], last: Callable[[DBAPIConnection], str]) -> list[str]:
        """``last(connection)`` for each of the ``sessions`` of the script."""
        return [last(one) for one in self.usable() if self._database.session_id(one) in sessions]

    def cancel(self) -> None:
        """Cancel whatever statement the script is waiting for."""
        for connection in self.usable():
            self._database.cancel(connection)
