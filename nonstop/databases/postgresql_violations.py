"""What an error of PostgreSQL means to running code, by its SQLSTATE."""

from __future__ import annotations

import re

from nonstop.databases.base import Violation

BY_SQLSTATE = {
    "23502": Violation.NOT_NULL,
    "23505": Violation.UNIQUE,
    "23P01": Violation.UNIQUE,  # an exclusion constraint
    "23514": Violation.CHECK,
    "23000": Violation.CHECK,
    "P0001": Violation.CHECK,  # raised by a trigger
    "23503": Violation.FOREIGN_KEY,
    "23001": Violation.FOREIGN_KEY,  # ON DELETE RESTRICT, from 18 on
    "22001": Violation.TOO_LONG,
    "54000": Violation.TOO_LONG,  # an index has no room for it
    "22003": Violation.OUT_OF_RANGE,
    "22008": Violation.OUT_OF_RANGE,
    "2200H": Violation.OUT_OF_RANGE,  # a sequence has reached its end
    "42703": Violation.NO_SUCH_COLUMN,
    "42P01": Violation.NO_SUCH_TABLE,
    "3F000": Violation.NO_SUCH_TABLE,
    "42804": Violation.BAD_VALUE,
    "42846": Violation.BAD_VALUE,
    "42883": Violation.BAD_VALUE,  # no operator compares the two types
    "55000": Violation.OTHER_STRUCTURE,  # a view is not to be written to
    "0A000": Violation.OTHER_STRUCTURE,
}
BAD_VALUES, STRUCTURE = "22", "42"
"""Classes of SQLSTATE: data exceptions; syntax error or access rule violation."""
MISSING_COLUMN = re.compile(r'column (?:[^\s"]+\.)?"?([^\s"]+)"?(?: of relation .+)? does not exist')
COLUMN_OF_TYPE = re.compile(r'column "([^"]+)" is of type')


def violation_of(sqlstate: str) -> Violation | None:
    """What is violated; None for errors that are no matter of the schema (a lost connection, a timeout)."""
    known = BY_SQLSTATE.get(sqlstate)
    if known is not None:
        return known
    by_class = {BAD_VALUES: Violation.BAD_VALUE, STRUCTURE: Violation.OTHER_STRUCTURE}
    return by_class.get(sqlstate[:2])


def column_of(error: BaseException) -> str:
    """The column that a driver's error names; empty where it names none."""
    named = getattr(getattr(error, "diag", None), "column_name", None)
    if named:
        return str(named)
    first_line = str(error).partition("\n")[0]
    found = MISSING_COLUMN.search(first_line) or COLUMN_OF_TYPE.search(first_line)
    return found[1] if found else ""
