"""Questions about what a transaction of PostgreSQL takes away: on its own session, or on one that sees what others see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nonstop.databases.base import DBAPIConnection

BOUNDS = "SELECT set_config('lock_timeout', '100ms', true), set_config('statement_timeout', '2s', true)"
"""Counting waits for nobody, and does not hold the script up for long."""
MOST_ROLLBACKS = 10
"""How many times to send a rollback that a timeout cancels."""


class Others:
    """What everybody else sees, asked on a connection that the script does not use."""

    def __init__(self, connection: DBAPIConnection) -> None:
        self._connection = connection

    def ask(self, query: str) -> list[Any]:
        """The rows that ``query`` gives, in a transaction of its own."""
        try:
            return ask(self._connection, query)
        finally:
            self._connection.rollback()

    def ask_within_bounds(self, query: str) -> list[Any] | None:
        """The same; None where there was no answer within BOUNDS."""
        try:
            ask(self._connection, BOUNDS)
            return ask(self._connection, query)
        except Exception:
            return None
        finally:
            self._connection.rollback()


def ask(connection: DBAPIConnection, query: str) -> list[Any]:
    """The rows that ``query`` gives."""
    cursor = connection.cursor()
    cursor.execute(query)
    return list(cursor.fetchall())


def ask_under_our_lock(connection: DBAPIConnection, query: str) -> list[Any]:
    """For a table that nobody else can read any longer. Others wait for it meanwhile: nothing, if it takes long."""
    cursor = connection.cursor()
    cursor.execute("SAVEPOINT nonstop_count")
    try:
        cursor.execute("SET LOCAL statement_timeout = '100ms'")
        cursor.execute(query)
        return list(cursor.fetchall())
    except Exception:
        return []
    finally:
        _take_back(cursor)


def _take_back(cursor: Any) -> None:
    """Roll back to before the count, and with it the timeout: which holds for this statement too, and on a busy machine
    strikes it now and then. Then it is sent again."""
    for left in reversed(range(MOST_ROLLBACKS)):
        try:
            cursor.execute("ROLLBACK TO SAVEPOINT nonstop_count")
            return
        except Exception:
            if not left:
                raise


def array(oids: Iterable[int]) -> str:
    """``oids`` as they stand in a query."""
    return f"ARRAY[{', '.join(str(oid) for oid in dict.fromkeys(oids))}]::oid[]"


def quoted(name: str) -> str:
    """A column's name as it stands in a query."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """``text`` as a constant of a query that takes no parameters."""
    return "'" + text.replace("'", "''") + "'"
