"""Calls the guard around the commits and rollbacks of a dialect. SQLAlchemy's events come before, none comes after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from nonstop.databases.base import DBAPIConnection

Send = Callable[[], None]


class Watcher(Protocol):
    """Sends the commit or the rollback of a connection by ``send()``, with what belongs before and after it."""

    def commit(self, connection: DBAPIConnection, send: Send) -> None: ...
    def roll_back(self, connection: DBAPIConnection, send: Send) -> None: ...


class CommitHooks:
    """Stands in the place of ``do_commit`` and ``do_rollback`` of a ``Dialect`` until :meth:`remove`."""

    def __init__(self, dialect: Any, watcher: Watcher) -> None:
        self._dialect = dialect
        self._watcher = watcher
        self._commit, self._rollback = dialect.do_commit, dialect.do_rollback
        self._dialect.do_commit, self._dialect.do_rollback = self.do_commit, self.do_rollback

    def do_commit(self, connection: Any) -> None:
        self._watcher.commit(_driver_connection(connection), lambda: self._commit(connection))

    def do_rollback(self, connection: Any) -> None:
        self._watcher.roll_back(_driver_connection(connection), lambda: self._rollback(connection))

    def remove(self) -> None:
        """Give the dialect its own methods back."""
        del self._dialect.do_commit, self._dialect.do_rollback


def _driver_connection(connection: Any) -> DBAPIConnection:
    """The driver's connection; SQLAlchemy passes it in its pool's wrapping, or as it is."""
    return getattr(connection, "dbapi_connection", connection)
