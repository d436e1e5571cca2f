"""Statements that a script's commit leaves to be done: online forms, which can't run inside its transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from nonstop.databases.base import DBAPIConnection


class Deferred:
    """Those of open transactions, and those that are due because their transaction was committed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, list[str]] = {}
        self._savepoints: dict[tuple[int, str], int] = {}
        self._due: list[str] = []

    # --- until the commit -------------------------------------------------------------------------------------

    def add(self, connection: DBAPIConnection, statement: str) -> None:
        """Carry out ``statement`` when the open transaction of ``connection`` has been committed."""
        self._waiting.setdefault(id(connection), []).append(statement)

    def of(self, connection: DBAPIConnection) -> list[str]:
        """What the open transaction of ``connection`` has deferred so far."""
        return self._waiting.get(id(connection), [])[:]

    def take(self, connection: DBAPIConnection) -> list[str]:
        """The same, and forget it: the transaction ends, or it was carried out already."""
        return self._waiting.pop(id(connection), [])

    def cancel(self, connection: DBAPIConnection, statement: str) -> None:
        """Do not carry out ``statement`` after all: the same transaction has taken it back."""
        self._waiting[id(connection)].remove(statement)

    def mind_savepoints(self, connection: DBAPIConnection, statement: str) -> None:
        """What was deferred after a savepoint goes with a rollback to it."""
        first, *rest = statement.lower().split(None, 3) or [""]
        if first == "savepoint" and rest:
            self._savepoints[id(connection), rest[0]] = len(self.of(connection))
        elif first == "rollback" and rest[:1] == ["to"]:
            mark = self._savepoints.get((id(connection), rest[-1]), 0)
            del self._waiting.get(id(connection), [])[mark:]

    # --- after it ---------------------------------------------------------------------------------------------

    def add_due(self, statements: Iterable[str]) -> None:
        """Carry these out next. A commit may come from a thread of its own."""
        with self._lock:
            self._due += statements

    @property
    def next_due(self) -> str | None:
        """The statement that is to be carried out next; it stays until :meth:`done`."""
        with self._lock:
            return self._due[0] if self._due else None

    def done(self, statement: str) -> None:
        """A statement that was due has been carried out."""
        with self._lock:
            self._due.remove(statement)
