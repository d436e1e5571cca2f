"""Stands in the way of losses on SQLite that go past SQLAlchemy and commit at once: nobody can look at them in between.

Such are DDL by a cursor of the driver outside of a transaction, all that ``executescript`` sends, and commits of the
driver's own. SQLite asks an authorizer before it compiles a statement, and reports each that begins to run.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import suppress

from nonstop.databases.sqlite_tables import SHADOWS, columns, quoted
from nonstop.databases.wording import first_word, is_write, one_line
from nonstop.descriptions.losses import DriverGate

TAKES_AWAY = re.compile(r"\b(delete|drop|replace)\b", re.IGNORECASE)
ENDS = re.compile(r"\s*(begin|commit|end|rollback(?!\s+(\w+\s+)?to\b))\b", re.IGNORECASE)
ASKED_BEFORE = frozenset({"drop", "alter"})
"""Statements that the authorizer has decided on."""
OF_VIRTUAL_TABLE = re.compile(rf"'\s*\.\s*'[^']*_({'|'.join(SHADOWS)})'", re.IGNORECASE)
"""How a virtual table (FTS, R*Tree) names where it keeps what it holds, in statements of its own."""
LITERAL = re.compile(r"'(?:[^']|'')*'")
IN_TRIGGER = "-- "
"""What SQLite puts before the statements of a trigger when it reports them."""


class UnseenLosses:
    """Watches one connection. ``others`` is a connection that the script does not use."""

    def __init__(self, connection: sqlite3.Connection, others: sqlite3.Connection, gate: DriverGate) -> None:
        self._connection = connection
        self._others = others
        self._gate = gate
        self._takes_away = ""
        """What the open transaction has sent that may take something away."""
        self._created: set[str] = set()
        self._outermost = ""
        """The savepoint that has begun the transaction: its release is a commit."""
        connection.set_authorizer(self._authorize)
        connection.set_trace_callback(self._note)

    def remove(self) -> None:
        """Let the connection go."""
        with suppress(sqlite3.ProgrammingError):  # it is closed
            self._connection.set_authorizer(None)
            self._connection.set_trace_callback(None)

    def _authorize(
        self, action: int, first: str | None, second: str | None, third: str | None, source: str | None
    ) -> int:
        match action:
            case sqlite3.SQLITE_TRANSACTION:
                is_refused = first == "COMMIT" and self._commits_unseen()
            case sqlite3.SQLITE_SAVEPOINT if first == "BEGIN":
                if not self._connection.in_transaction:
                    self._outermost = str(second).lower()
                is_refused = False
            case sqlite3.SQLITE_SAVEPOINT if first == "RELEASE":
                is_refused = str(second).lower() == self._outermost and self._commits_unseen()
            case sqlite3.SQLITE_CREATE_TABLE:
                self._created.add(str(first).lower())
                is_refused = False
            case sqlite3.SQLITE_ALTER_TABLE:
                self._created.discard(str(second).lower())
                is_refused = bool(third) and self._drops(str(second), str(third))
            case sqlite3.SQLITE_DROP_TABLE if str(first).lower() not in self._created:
                is_refused = self._drops(str(first), "")
            case _:
                is_refused = False
        return sqlite3.SQLITE_DENY if is_refused else sqlite3.SQLITE_OK

    def _commits_unseen(self) -> bool:
        if not self._takes_away or self._gate.is_looked_at():
            return False
        return self._gate.refuse(f"commit by the driver, after: {self._takes_away}")

    def _drops(self, table: str, column: str) -> bool:
        """Whether a table or a column with something in it is dropped where each statement commits itself."""
        if self._connection.in_transaction or not columns(self._others, table):
            return False
        condition = f" WHERE {quoted(column)} IS NOT NULL" if column else ""
        query = f"SELECT EXISTS (SELECT 1 FROM main.{quoted(table)}{condition})"
        has_something = bool(self._others.execute(query).fetchone()[0])
        what = f"table {table}" if not column else f"column {table}.{column}"
        return has_something and self._gate.refuse(f"the drop of {what} outside of a transaction")

    def _note(self, statement: str) -> None:
        """Note what begins to run. What deletes outside of a transaction is interrupted before it has done anything."""
        if ENDS.match(statement):
            self._takes_away = self._outermost = ""
            return
        if self._takes_away or not TAKES_AWAY.search(statement) or OF_VIRTUAL_TABLE.search(statement):
            return
        text = LITERAL.sub("''", statement.removeprefix(IN_TRIGGER))
        verb = first_word(text)
        if verb == "create" or not is_write(text) or not TAKES_AWAY.search(text):
            return
        if self._connection.in_transaction:
            self._takes_away = one_line(text)
        elif verb not in ASKED_BEFORE and self._gate.refuse(one_line(text)):
            self._connection.interrupt()
