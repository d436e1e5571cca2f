"""Reads and counts the tables of an SQLite file, as one connection sees them."""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

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
    SELECT rowid, rootpage, name, sql FROM main.sqlite_master
    WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'"""
MOST_AT_ONCE = 400
"""So many columns are looked at by one query: SQLite gives 2,000 results at most."""
COLUMNS = "SELECT name, pk > 0 AND upper(type) = 'INTEGER' FROM pragma_table_info(?, 'main') ORDER BY cid"


class Key(NamedTuple):
    """What a table keeps while it is renamed and altered: its place in the schema, and where its data begins."""

    row: int
    page: int


class Table(NamedTuple):
    """A table of the schema. ``body`` is its definition behind the name."""

    key: Key
    name: str
    body: str


class Values(NamedTuple):
    """What is in a column: how many values, the smallest, the greatest; ``total`` of one that numbers the rows."""

    number: int
    least: object
    greatest: object
    total: float | None

    @property
    def differ(self) -> bool:
        return self.least != self.greatest

    def keep(self, before: Values) -> bool:
        """Whether nothing is missing that was there ``before``: no value NULL, nor all of them made alike."""
        return self.number >= before.number and (self.differ or not before.differ)


def tables(connection: sqlite3.Connection) -> list[Table]:
    """All tables but SQLite's own, and those that belong to virtual ones."""
    found = connection.execute(TABLES).fetchall()
    shadows = {f"{name}_{end}".lower() for _, page, name, _ in found if not page for end in SHADOWS}
    return [
        Table(Key(row, page), name, " ".join((sql or "").partition("(")[2].split()))
        for row, page, name, sql in found
        if name.lower() not in shadows
    ]


def schema_version(connection: sqlite3.Connection) -> int:
    """A number that grows with each change of the schema."""
    version: int = connection.execute("PRAGMA main.schema_version").fetchone()[0]
    return version


def columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """The names of a table's columns; those of computed ones are not among them."""
    return [name for name, _ in connection.execute(COLUMNS, (table,))]


def rows(connection: sqlite3.Connection, table: str) -> int | None:
    """None for a virtual table whose module is not at hand."""
    try:
        count: int = connection.execute(f"SELECT count(*) FROM main.{quoted(table)}").fetchone()[0]
    except sqlite3.OperationalError as error:
        if "no such module" not in str(error):
            raise
        return None
    return count


def values(connection: sqlite3.Connection, table: str) -> dict[str, Values]:
    """What is in each column, by its name in lower case."""
    found = connection.execute(COLUMNS, (table,)).fetchall()
    answers = [
        f"count({column}), min({column}), max({column}), {f'total({column})' if numbers_rows else 'NULL'}"
        for column, numbers_rows in ((quoted(name), numbers_rows) for name, numbers_rows in found)
    ]
    row: list[Any] = []
    for start in range(0, len(answers), MOST_AT_ONCE):
        query = f"SELECT {', '.join(answers[start : start + MOST_AT_ONCE])} FROM main.{quoted(table)}"
        row += connection.execute(query).fetchone()
    return {name.lower(): Values(*row[4 * i : 4 * i + 4]) for i, (name, _) in enumerate(found)}


def quoted(name: str) -> str:
    """A name as it stands in a query."""
    return '"' + name.replace('"', '""') + '"'
