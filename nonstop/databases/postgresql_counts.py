"""Counts what a statement of PostgreSQL is going to take away, before it is sent: behind its lock nobody else can."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nonstop.databases import postgresql_doomed as text
from nonstop.databases.base import DBAPIConnection
from nonstop.databases.postgresql_asking import Others, ask, ask_under_our_lock, literal, quoted
from nonstop.databases.postgresql_loss_queries import (
    COUNTED,
    EMPTY,
    IS_LOCKED_BY_US,
    IS_THERE,
    NAMES,
    RESOLVED,
    TREE,
    VALUES_NOW,
)


class Values(NamedTuple):
    """Those of a column that are not NULL: how many, and whether they differ from each other."""

    number: int
    differ: bool


@dataclass(slots=True)
class Counts:
    """What has been counted for the open transactions. Keys are oids, with the name of a column."""

    rows: dict[int, int] = field(default_factory=dict)
    values: dict[tuple[int, str], Values] = field(default_factory=dict)
    cast: set[tuple[int, str]] = field(default_factory=set)
    """Columns whose type is changed without a USING: such a cast keeps every value, or fails."""
    converted: set[tuple[int, str]] = field(default_factory=set)
    """Columns whose new values a USING makes."""
    replaced: set[tuple[int, str]] = field(default_factory=set)
    """Those of them that the USING does not name."""
    statements: set[str] = field(default_factory=set)
    """Those whose tables have been counted: a step that is tried again counts once."""

    def of(self, oid: int, column: str) -> int | None:
        """How many values a column has; None where nobody has counted."""
        if self.rows.get(oid) == 0:
            return 0
        found = self.values.get((oid, column))
        return found.number if found else None

    def forget(self) -> None:
        """They hold until the commit."""
        for kept in (self.rows, self.values, self.cast, self.converted, self.replaced, self.statements):
            kept.clear()


class Counter:
    """Fills ``counts``. What can't be counted at once stays unknown."""

    def __init__(self, others: Others) -> None:
        self._others = others
        self.counts = Counts()

    def before(self, connection: DBAPIConnection, statement: str) -> None:
        """Count what the text of ``statement`` names and takes away or rewrites."""
        if statement in self.counts.statements:
            return
        self.counts.statements.add(statement)
        if text.hides_what_it_loses(statement):
            empty = self._others.ask_within_bounds(EMPTY) or ()
            self.counts.rows |= {oid: 0 for (oid,) in empty}
        for doomed in text.doomed(statement):
            # The script may have a search_path of its own, so the name is looked up on its connection.
            for oid, name, has_children in ask(connection, RESOLVED.format(name=literal(doomed.table))):
                if has_children or self._others.ask(IS_THERE.format(oid=oid)):
                    self._count(connection, oid, name, doomed)
                # else the transaction itself has made it: nobody misses its rows

    def now(self, connection: DBAPIConnection, name: str, column: str) -> tuple[int, Values] | None:
        """The rows of a table that the transaction has locked, and what is in one of its columns; None if it takes long."""
        query = VALUES_NOW.format(name=name, column=quoted(column))
        for rows, count, differ in ask_under_our_lock(connection, query):
            return rows, Values(count, bool(differ))
        return None

    def _count(self, connection: DBAPIConnection, oid: int, name: str, doomed: text.Doomed) -> None:
        if doomed.cast or doomed.converted:
            tree = [child for (child,) in ask(connection, TREE.format(oid=oid))]
            self.counts.cast |= {(child, column) for child in tree for column in doomed.cast}
            self.counts.converted |= {(child, column) for child in tree for column in doomed.converted}
            self.counts.replaced |= {(child, column) for child in tree for column in doomed.replaced}
        # Once the first statement has its lock, nobody can count the columns that the next ones take.
        columns = self._columns(connection, oid) if doomed.columns or doomed.converted else []
        if oid in self.counts.rows and all((oid, c) in self.counts.values for c in columns):
            return
        for child, rows, *values in self._ask(connection, oid, _query(oid, name, columns, doomed.converted)):
            self.counts.rows[child] = rows
            for column, count, differ in zip(columns, values[::2], values[1::2], strict=True):
                self.counts.values[child, column] = Values(count, bool(differ))

    def _ask(self, connection: DBAPIConnection, oid: int, query: str) -> list[Any]:
        if ask(connection, IS_LOCKED_BY_US.format(oid=oid)):
            return ask_under_our_lock(connection, query)
        return self._others.ask_within_bounds(query) or []

    def _columns(self, connection: DBAPIConnection, oid: int) -> list[str]:
        ((names,),) = ask(connection, f"SELECT {NAMES} FROM pg_class c WHERE c.oid = {oid}")
        return list(names)


def _query(oid: int, name: str, columns: list[str], converted: tuple[str, ...]) -> str:
    counts, answers = ["count(*) AS n"], ["coalesce(n, 0)"]
    for i, column in enumerate(columns):
        quoted_name = quoted(column)
        differ = f"min({quoted_name}::text) <> max({quoted_name}::text)" if column in converted else "false"
        counts += [f"count({quoted_name}) AS c{i}", f"{differ} AS d{i}"]
        answers += [f"coalesce(c{i}, 0)", f"coalesce(d{i}, false)"]
    return COUNTED.format(oid=oid, name=name, answers=", ".join(answers), counts=", ".join(counts))
