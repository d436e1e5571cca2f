"""What an open transaction of SQLite takes away: tables, columns and rows before and after are compared.

A session keeps no statistics here, and nothing but the transaction itself shows what it was before: so rows are counted
before the first statement that may take some away, and compared by their number before the commit.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from nonstop.databases.sqlite_table import unquoted
from nonstop.databases.wording import is_write
from nonstop.descriptions.losses import Loss, Outlook

TAKES_AWAY = re.compile(r"\b(delete|drop|replace)\b", re.IGNORECASE)
OUTSIDE_TRANSACTIONS = re.compile(r"\s*(vacuum|attach|detach|pragma)\b", re.IGNORECASE)
COMMITS = re.compile(r"\s*(commit|end)\b", re.IGNORECASE)
NAME = r"""(?:main\s*\.\s*)?("(?:[^"]|"")+"|`(?:[^`]|``)+`|\[[^\]]+\]|'(?:[^']|'')+'|[\w$]+)"""
MAKES_TABLE = re.compile(rf"\s*create\s+table\s+(?:if\s+not\s+exists\s+)?{NAME}", re.IGNORECASE)
ADDS_COLUMN = re.compile(rf"\s*alter\s+table\s+{NAME}\s+add\s+(?:column\s+)?{NAME}", re.IGNORECASE)
DROPS_COLUMN = re.compile(rf"\s*alter\s+table\s+{NAME}\s+drop\s+(?:column\s+)?{NAME}", re.IGNORECASE)
MAKES = re.compile(r"\s*create\b", re.IGNORECASE)
DROPS_TABLE = re.compile(rf"\s*drop\s+table\s+(?:if\s+exists\s+)?{NAME}", re.IGNORECASE)
COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
DELETES_UNSEEN = """
    SELECT 1 FROM sqlite_master WHERE (type = 'trigger' AND (sql LIKE '%delete%' OR sql LIKE '%replace%'))
    OR (type = 'table' AND sql LIKE '%conflict%replace%') LIMIT 1"""
SHADOWS = (
    "config",
    "content",
    "data",
    "docsize",
    "idx",
    "node",
    "parent",
    "rowid",
    "segdir",
    "segments",
    "stat",
)
"""How the tables end in which a virtual one (FTS, R*Tree) keeps what it holds: their rows are nobody's rows."""
TABLES = r"""
    SELECT name, rootpage FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'"""
IS_TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"
COLUMNS = "SELECT name FROM pragma_table_info(?) ORDER BY cid"


class Table(NamedTuple):
    """A table as it was. ``page`` is where its data begins, which a new name does not change."""

    name: str
    page: int
    columns: list[str]
    rows: int


@dataclass(slots=True)
class Before:
    """What a transaction had before the first statement that may take something away."""

    tables: list[Table]
    values: dict[str, int] = field(default_factory=dict)
    """How many there are in each column of a table that is dropped by name: it may be one that is made anew."""
    dropped: list[Loss] = field(default_factory=list)
    """Columns that ALTER TABLE has dropped: another one may have got the name since."""


class FileLosses:
    """A :class:`nonstop.descriptions.losses.LossWatch` on SQLite. Tables called as in ``ignored`` are not looked at."""

    begin = "BEGIN IMMEDIATE"

    def __init__(self, ignored: frozenset[str]) -> None:
        self._ignored = ignored
        self._made: set[str] = set()
        """Tables and columns of the script's own, as ``table`` and ``table.column``, in lower case."""
        self._before: dict[int, Before] = {}
        self._harmless: set[int] = set()
        """Connections whose transaction has no trigger to fear."""
        self._about_to_drop: Loss | None = None

    def outlook(self, statement: str) -> Outlook:
        return _outlook(statement)

    # --- statements -------------------------------------------------------------------------------------------

    def before(self, connection: sqlite3.Connection, statement: str) -> None:
        if not connection.in_transaction:
            connection.execute(self.begin)
        plain = COMMENTS.sub(" ", statement)
        self._note_what_is_made(connection, plain)
        if id(connection) not in self._before:
            if not self._may_take_away(connection, plain):
                return
            self._before[id(connection)] = Before(list(self._tables(connection)))
        before = self._before[id(connection)]
        if match := DROPS_TABLE.match(plain):
            before.values |= _values(connection, unquoted(match[1]))
        if match := DROPS_COLUMN.match(plain):
            table, column = unquoted(match[1]), unquoted(match[2])
            count = _values(connection, table).get(f"{table}.{column}".lower())
            if count is not None and f"{table}.{column}".lower() not in self._made | {table.lower()}:
                self._about_to_drop = Loss(f"{table}.{column}", "value", count)

    def after(self, connection: sqlite3.Connection, statement: str) -> None:
        if self._about_to_drop is not None:
            self._before[id(connection)].dropped.append(self._about_to_drop)
            self._about_to_drop = None

    def _note_what_is_made(self, connection: sqlite3.Connection, plain: str) -> None:
        if match := MAKES_TABLE.match(plain):
            name = unquoted(match[1]).lower()
            before = self._before.get(id(connection))
            had_it = before is not None and any(table.name.lower() == name for table in before.tables)
            if not had_it and connection.execute(IS_TABLE, (name,)).fetchone() is None:
                self._made.add(name)
        elif match := ADDS_COLUMN.match(plain):
            table, column = unquoted(match[1]), unquoted(match[2])
            if column.lower() not in [name.lower() for name in _columns(connection, table)]:
                self._made.add(f"{table}.{column}".lower())

    def _may_take_away(self, connection: sqlite3.Connection, plain: str) -> bool:
        """By its words, or by what a trigger or a constraint does with it; what is made new takes nothing away."""
        if MAKES.match(plain):
            self._harmless.discard(id(connection))
            return False
        if TAKES_AWAY.search(plain):
            return True
        if id(connection) not in self._harmless and connection.execute(DELETES_UNSEEN).fetchone() is not None:
            return True
        self._harmless.add(id(connection))
        return False

    # --- transactions -----------------------------------------------------------------------------------------

    def found(self, connection: sqlite3.Connection) -> list[Loss]:
        before = self._before.pop(id(connection), None)
        self._harmless.discard(id(connection))
        if before is None:
            return []
        now = {name.lower(): (name, page) for name, page in connection.execute(TABLES)}
        taken = {table.name.lower() for table in before.tables}
        pages = {page: name for key, (name, page) in now.items() if key not in taken}
        losses = {loss.subject.lower(): loss for loss in before.dropped}
        for table in before.tables:
            name = now[table.name.lower()][0] if table.name.lower() in now else pages.get(table.page)
            for loss in _compare(connection, table, name, before.values):
                if loss.subject.lower() not in self._made:
                    losses.setdefault(loss.subject.lower(), loss)
        return list(losses.values())

    def forget(self, connection: sqlite3.Connection) -> None:
        self._before.pop(id(connection), None)
        self._harmless.discard(id(connection))
        self._about_to_drop = None

    # --- details ----------------------------------------------------------------------------------------------

    def _tables(self, connection: sqlite3.Connection) -> Iterator[Table]:
        found = connection.execute(TABLES).fetchall()
        virtual = tuple(f"{name}_{end}".lower() for name, page in found if not page for end in SHADOWS)
        for name, page in found:
            if name in self._ignored or name.lower() in self._made or name.lower() in virtual:
                continue
            rows = _rows(connection, name)
            if rows is not None:
                yield Table(name, page or -1, _columns(connection, name), rows)


@lru_cache(maxsize=256)
def _outlook(statement: str) -> Outlook:
    plain = COMMENTS.sub(" ", statement)
    changes = is_write(statement) and not OUTSIDE_TRANSACTIONS.match(plain)
    return Outlook(changes, commits=bool(COMMITS.match(plain)), wants_commit_of_ours=changes)


def _compare(
    connection: sqlite3.Connection, table: Table, name: str | None, values: dict[str, int]
) -> Iterator[Loss]:
    """What of ``table`` is there no longer; ``name`` is what it is called now, None where it is gone."""
    if name is None:
        yield Loss(table.name, "row", table.rows)
        return
    missing_rows = table.rows - (_rows(connection, name) or 0)
    if missing_rows > 0:
        yield Loss(table.name, "row", missing_rows)
    columns = [column.lower() for column in _columns(connection, name)]
    if len(columns) == len(table.columns):  # a column that is not there under its name has a new one
        return
    for column in table.columns:
        if column.lower() not in columns:
            count = values.get(f"{table.name}.{column}".lower())
            yield Loss(
                f"{table.name}.{column}", "value", table.rows if count is None else count, count is not None
            )


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [name for (name,) in connection.execute(COLUMNS, (table,))]


def _rows(connection: sqlite3.Connection, table: str) -> int | None:
    """None for a virtual table whose module is not at hand."""
    try:
        count: int = connection.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()[0]
    except sqlite3.OperationalError:
        return None
    return count


def _values(connection: sqlite3.Connection, table: str) -> dict[str, int]:
    """How many values each column has, as ``table.column`` in lower case; empty where there is no such table."""
    columns = _columns(connection, table)
    if not columns:
        return {}
    counts = ", ".join(f"count({_quoted(column)})" for column in columns)
    row = connection.execute(f"SELECT {counts} FROM {_quoted(table)}").fetchone()
    return {f"{table}.{column}".lower(): count for column, count in zip(columns, row, strict=True)}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
