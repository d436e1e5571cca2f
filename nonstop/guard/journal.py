"""The statements of one script, in order: where in the script each came from, and what it did to others."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import get_ident

from nonstop.databases.base import DBAPIConnection, Look
from nonstop.descriptions.activity import Effect, Waiter
from nonstop.descriptions.results import Blocked, StatementRecord


@dataclass(slots=True)
class Statement:
    """One statement. ``line`` is the script's line, 0 where it is not known; ``error`` is set if it failed.

    ``sent`` is what went to the database in its place, where that is another text. ``look`` is what was seen before,
    for a statement whose effect is looked at afterwards.
    """

    sql: str
    line: int
    started: float
    sent: str
    duration_ms: int = 0
    rows: int | None = None
    waited_ms: int = 0
    waited_for: tuple[str, ...] = ()
    look: Look | None = None
    effect: Effect = field(default_factory=Effect)
    blocked: dict[int, Waiter] = field(default_factory=dict)
    transaction: int = 0
    error: str = ""

    @property
    def summary(self) -> str:
        """The statement on one line, shortened."""
        text = " ".join(self.sql.split())
        return text if len(text) <= 100 else text[:97] + "..."

    def record(self) -> StatementRecord:
        """What the result tells of it."""
        return StatementRecord(
            self.sql, self.sent if self.sent != self.sql else "", self.line, self.duration_ms, self.rows,
            self.waited_ms, self.waited_for, self.effect.locks, self.effect.rewritten,
            tuple(Blocked(w.pid, w.application, w.waited_ms) for w in self.blocked.values()), self.error,
            self.effect.scanned, self.effect.changed, self.transaction,
        )  # fmt: skip


class Journal:
    """Collects statements while a script runs.

    While one connection is between the beginning and the end of a statement, another may carry out statements of ours.
    """

    def __init__(self, script_path: str) -> None:
        self.statements: list[Statement] = []
        self._script_path = script_path
        self._of_connection: dict[int, Statement] = {}
        self._waits: dict[int, list[tuple[float, Sequence[str]]]] = {}
        self._transactions: dict[int, int] = {}

    def begin(self, connection: DBAPIConnection, sql: str) -> Statement:
        statement = Statement(sql, self._line(), time.monotonic(), sql)
        self.statements.append(statement)
        self._of_connection[id(connection)] = statement
        return statement

    def waited(self, milliseconds: float, holders: Sequence[str]) -> None:
        """Note that the statement that this thread sends next was waited with, and whom for."""
        self._waits.setdefault(get_ident(), []).append((milliseconds, holders))

    def belongs_to(self, connection: DBAPIConnection, is_new_transaction: bool) -> None:
        """Note whether the statement of ``connection`` is the first of a transaction."""
        if is_new_transaction or id(connection) not in self._transactions:
            self._transactions[id(connection)] = len(self.statements)
        self._of_connection[id(connection)].transaction = self._transactions[id(connection)]

    def sends(self, connection: DBAPIConnection, sql: str, look: Look | None) -> None:
        """Note what is sent now for the statement of ``connection``."""
        statement = self._of_connection[id(connection)]
        waits = self._waits.pop(get_ident(), [])
        statement.sent = sql
        statement.look = look
        statement.waited_ms = round(sum(milliseconds for milliseconds, _ in waits))
        statement.waited_for = tuple(dict.fromkeys(holder for _, holders in waits for holder in holders))
        statement.started = time.monotonic()

    def end(self, connection: DBAPIConnection, rows: int) -> Statement:
        """Note that the statement of ``connection`` has ended; ``rows`` is what the driver says, -1 if it can't."""
        statement = self._of_connection[id(connection)]
        statement.duration_ms = round((time.monotonic() - statement.started) * 1000)
        statement.rows = rows if rows >= 0 else None
        return statement

    def fail(self, sent: str, error: str) -> None:
        """Note that the last statement that was ``sent`` failed."""
        for statement in reversed(self.statements):
            if statement.sent == sent:
                statement.error = error
                return

    def blocks(self, waiters: Sequence[Waiter]) -> None:
        """Note who is waiting for us now; the watchdog calls this from its thread."""
        if self.statements:
            for waiter in waiters:
                known = self.statements[-1].blocked.get(waiter.pid)
                if known is None or known.waited_ms < waiter.waited_ms:
                    self.statements[-1].blocked[waiter.pid] = waiter

    def of(self, connection: DBAPIConnection | None) -> Statement | None:
        """The last statement of ``connection``, or of all where that is None or has sent none."""
        last = self.statements[-1] if self.statements else None
        return last if connection is None else self._of_connection.get(id(connection), last)

    def place_of(self, connection: DBAPIConnection) -> str:
        """The last statement of ``connection`` with its line, in words."""
        last = self._of_connection.get(id(connection))
        return f"line {last.line}: {last.summary}" if last is not None else ""

    def records(self) -> tuple[StatementRecord, ...]:
        """What the result tells of all of them."""
        return tuple(statement.record() for statement in self.statements)

    def _line(self) -> int:
        frame = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename == self._script_path:
                return frame.f_lineno
            frame = frame.f_back  # type: ignore[assignment]
        return 0
