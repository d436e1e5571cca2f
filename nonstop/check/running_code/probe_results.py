"""What running code was found unable to do, as values that cross the border of a process."""

from __future__ import annotations

from typing import NamedTuple

from nonstop.databases.base import Violation

READ = "read"
INSERT = "insert"
INSERT_ALIKE = "insert two rows that are alike"
INSERT_REQUIRED = "insert with required columns only"
INSERT_VALUE = "insert a value at the edge of its type"
UPDATE = "update"
REWRITE = "update with its own values"
DELETE_NEW = "delete a new row"
DELETE = "delete"


class Failure(NamedTuple):
    """Something that did not work. ``who`` is a class or a table; ``code`` is the SQLSTATE, or another name of the error.

    ``column`` is the one that the error names, else the one that was tried; ``value`` is what was written into it.
    """

    who: str
    table: str
    column: str
    action: str
    code: str
    violation: Violation | None
    message: str
    value: str = ""

    @property
    def is_incidental(self) -> bool:
        """Whether it may be due to what was tried: rows that the code can't read, or that others refer to; a value that no
        rule has ever allowed.
        """
        if self.action == INSERT_VALUE:
            return self.violation is Violation.CHECK
        return self.action in (READ, DELETE) and self.violation in (None, Violation.FOREIGN_KEY)


class ProbeResult(NamedTuple):
    """How many actions were tried, and which of them failed.

    ``incidental`` is what may be due to the rows and values that were tried; it counts where a baseline is without it.
    """

    tried: int
    failures: tuple[Failure, ...]
    incidental: tuple[Failure, ...] = ()

    def failures_beyond(self, baseline: ProbeResult) -> tuple[Failure, ...]:
        """What fails here and did not, or not in this way, in ``baseline``."""
        usual = {_what(failure) for failure in (*baseline.failures, *baseline.incidental)}
        found = (*self.failures, *self.incidental)
        return tuple(failure for failure in found if _what(failure) not in usual)


def _what(failure: Failure) -> tuple[object, ...]:
    return failure._replace(message="", code="")
