"""Reads and counts the tables of an SQLite file, as one connection sees them."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

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
    found: dict[str, Values] = {}
    for name, numbers_rows in connection.execute(COLUMNS, (table,)).fetchall():
        column = quoted(name)
        total = f"total({column})" if numbers_rows else "NULL"
        query = f"SELECT count({column}), min({column}), max({column}), {total} FROM main.{quoted(table)}"
        found[name.lower()] = Values(*connection.execute(query).fetchone())
    return found


def quoted(name: str) -> str:
    """A name as it stands in a query."""
    return '"' + name.replace('"', '""') + '"'
