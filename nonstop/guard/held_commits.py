"""Lets the commits of a dialect go through Work. SQLAlchemy has events for commits, but none can hold one."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Dialect

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.guard.work import Work

METHODS = (
    "do_commit",
    "do_rollback",
    "do_close",
    "do_terminate",
    "set_isolation_level",
    "reset_isolation_level",
)


class HeldCommits:
    """Puts its methods in the place of those of the same names on ``dialect``, until :meth:`remove`."""

    def __init__(self, dialect: Dialect, database: Database, work: Work) -> None:
        self._dialect: Any = dialect
        self._database = database
        self._work = work
        self._own = {name: getattr(dialect, name) for name in METHODS}
        for name in METHODS:
            setattr(dialect, name, getattr(self, name))

    def remove(self) -> None:
        """Give the dialect its own methods back."""
        for name in METHODS:
            delattr(self._dialect, name)

    def do_commit(self, connection: Any) -> None:
        dbapi = getattr(connection, "dbapi_connection", connection)
        if self._work.holds(dbapi) or self._database.can_commit(dbapi):
            self._work.hold(dbapi)
        else:
            self._own["do_commit"](connection)

    def do_rollback(self, connection: Any) -> None:
        dbapi = getattr(connection, "dbapi_connection", connection)
        if self._work.holds(dbapi):
            self._work.back_to_held(dbapi)
        else:
            self._work.rolled_back(dbapi)
            self._own["do_rollback"](connection)

    def do_close(self, connection: DBAPIConnection) -> None:
        self._work.when_released(connection, lambda: self._own["do_close"](connection))

    def do_terminate(self, connection: DBAPIConnection) -> None:
        self._work.when_released(connection, lambda: self._own["do_terminate"](connection))

    def set_isolation_level(self, connection: DBAPIConnection, level: Any) -> None:
        if self._work.holds(
            connection
        ):  # inside a transaction psycopg refuses it, and sqlite3 commits unasked
            self._work.release()
        self._own["set_isolation_level"](connection, level)

    def reset_isolation_level(self, connection: DBAPIConnection) -> None:
        self._work.when_released(connection, lambda: self._own["reset_isolation_level"](connection))
