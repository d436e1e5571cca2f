"""The statements of one script, in order, with where in the script each came from."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass


@dataclass(slots=True)
class Statement:
    """One statement. ``line`` is the script's line, 0 where it is not known; ``error`` is set if it failed.

    ``sent`` is what went to the database in its place, where that is another text.
    """

    sql: str
    line: int
    started: float
    sent: str
    duration_ms: int = 0
    error: str = ""

    @property
    def summary(self) -> str:
        """The statement on one line, shortened."""
        text = " ".join(self.sql.split())
        return text if len(text) <= 100 else text[:97] + "..."


class Journal:
    """Collects statements while a script runs."""

    def __init__(self, script_path: str) -> None:
        self.statements: list[Statement] = []
        self._script_path = script_path

    def begin(self, sql: str) -> None:
        self.statements.append(Statement(sql, self._line(), time.monotonic(), sql))

    def sends(self, sql: str) -> None:
        """Note what is sent in the place of the last statement."""
        self.statements[-1].sent = sql

    def end(self) -> None:
        last = self.statements[-1]
        last.duration_ms = round((time.monotonic() - last.started) * 1000)

    def fail(self, sent: str, error: str) -> None:
        """Note that the last statement failed, if it is the one that was ``sent``."""
        if self.statements and self.statements[-1].sent == sent:
            self.statements[-1].error = error

    @property
    def last(self) -> Statement | None:
        return self.statements[-1] if self.statements else None

    def _line(self) -> int:
        frame = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename == self._script_path:
                return frame.f_lineno
            frame = frame.f_back  # type: ignore[assignment]
        return 0
