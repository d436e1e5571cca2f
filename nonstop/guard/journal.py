"""The statements of one script, in order: where in the script each came from, and what it did to others."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import get_ident
from types import CodeType

from nonstop.databases.base import DBAPIConnection, Look
from nonstop.descriptions.activity import Effect, Waiter
from nonstop.descriptions.results import Blocked, StatementRecord

NO_EFFECT = Effect()


@dataclass
class Statement:
    """One statement. ``line`` is the script's line, 0 where it is not known; ``error`` is set if it failed.

    ``sent`` is what went to the database in its place, where that is another text. ``look`` is what was seen before,
    for a statement whose effect is looked at afterwards. ``is_repeated``: all checks were passed by an earlier one like it.
    There may be very many: what seldom differs from its default is an attribute of the class until it does.
    """

    sql: str
    line: int
    started: float
    sent: str
    transaction: int = 0
    is_repeated: bool = False
    duration_ms: int = field(init=False, default=0)
    rows: int | None = field(init=False, default=None)
    waited_ms: int = field(init=False, default=0)
    waited_for: tuple[str, ...] = field(init=False, default=())
    look: Look | None = field(init=False, default=None)
    effect: Effect = field(init=False, default=NO_EFFECT)
    blocked: dict[int, Waiter] | None = field(init=False, default=None)
    error: str = field(init=False, default="")

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
            tuple(Blocked(w.pid, w.application, w.waited_ms) for w in (self.blocked or {}).values()), self.error,
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
        self._place: tuple[int, CodeType, CodeType | None] | None = None
        """How far up the stack the script was at the last walk, which function of it, and which one that has called."""

    def begin(self, connection: DBAPIConnection, sql: str) -> Statement:
        statement = Statement(sql, self._line(), time.monotonic(), sql)
        self.statements.append(statement)
        self._of_connection[id(connection)] = statement
        return statement

    def repeats(self, connection: DBAPIConnection, sql: str, started: float) -> None:
        """Note a statement of ``connection`` that is sent now, in the same transaction as its last one."""
        key = id(connection)
        statement = Statement(sql, self._line_of_repeated(), started, sql, self._transactions[key], True)
        self.statements.append(statement)
        self._of_connection[key] = statement

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
        if not self.statements:
            return
        last = self.statements[-1]
        blocked = last.blocked or {}
        for waiter in waiters:
            known = blocked.get(waiter.pid)
            if known is None or known.waited_ms < waiter.waited_ms:
                blocked[waiter.pid] = waiter
        last.blocked = blocked

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

    def _line(self, above: int = 1) -> int:
        """The script's line, searched from ``above`` this call upwards."""
        depth, callee = 1, None
        frame = sys._getframe(above)
        while frame is not None:
            code = frame.f_code
            if code.co_filename == self._script_path:
                self._place = (depth, code, callee)
                return frame.f_lineno
            depth, callee = depth + 1, code
            frame = frame.f_back  # type: ignore[assignment]
        self._place = None
        return 0

    def _line_of_repeated(self) -> int:
        """As ``_line()``, from the same distance if the same function of the script calls the same function of SQLAlchemy.

        Then no other function of the script is in between, and the way there need not be walked.
        """
        if self._place is not None:
            depth, code, callee = self._place
            try:
                frame = sys._getframe(depth)
            except ValueError:  # the stack is not so deep
                return self._line(2)
            if frame.f_code is code and sys._getframe(depth - 1).f_code is callee:
                return frame.f_lineno
        return self._line(2)
