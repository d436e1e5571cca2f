"""What an error of SQLite means to running code, by its name and, where that says little, by its message."""

from __future__ import annotations

import re
import sqlite3

from nonstop.databases.base import Violation

BY_NAME = {
    "SQLITE_CONSTRAINT_NOTNULL": Violation.NOT_NULL,
    "SQLITE_CONSTRAINT_UNIQUE": Violation.UNIQUE,
    "SQLITE_CONSTRAINT_PRIMARYKEY": Violation.UNIQUE,
    "SQLITE_CONSTRAINT_ROWID": Violation.UNIQUE,
    "SQLITE_CONSTRAINT_CHECK": Violation.CHECK,
    "SQLITE_CONSTRAINT_TRIGGER": Violation.CHECK,
    "SQLITE_CONSTRAINT_FOREIGNKEY": Violation.FOREIGN_KEY,
    "SQLITE_MISMATCH": Violation.BAD_VALUE,
    "SQLITE_TOOBIG": Violation.TOO_LONG,
}
BY_MESSAGE = {
    "no such column": Violation.NO_SUCH_COLUMN,
    "has no column named": Violation.NO_SUCH_COLUMN,
    "no such table": Violation.NO_SUCH_TABLE,
    "cannot store ": Violation.BAD_VALUE,  # a strict table; Python 3.11 has no name for it
}
COLUMN = re.compile(
    r"no such column: (?:.*\.)?(?P<missing>.+)"
    r"|has no column named (?P<unknown>.+)"
    r"|(?:NOT NULL|UNIQUE) constraint failed: [^,]*\.(?P<constrained>[^,.]+)$"
    r"|cannot store \w+ value in \w+ column [^.]*\.(?P<strict>.+)"
)


def violation_of(error: BaseException) -> Violation | None:
    """What is violated; None for errors that are no matter of the schema (a locked or unreadable file)."""
    if not isinstance(error, sqlite3.Error):
        return None
    name = getattr(error, "sqlite_errorname", None)
    if name in BY_NAME:
        return BY_NAME[name]
    message = str(error)
    by_message = (violation for part, violation in BY_MESSAGE.items() if part in message)
    return next(by_message, Violation.OTHER_STRUCTURE if name == "SQLITE_ERROR" else None)


def column_of(error: BaseException) -> str:
    """The column that an error names; empty where it names none."""
    found = COLUMN.search(str(error))
    return next((name for name in found.groups() if name), "") if found else ""
