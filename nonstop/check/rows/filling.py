"""Rows for a scratch database: a few in every table, such as suit the schema before a script and the one after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product
from typing import Any, NamedTuple

from sqlalchemy import Engine, Table, insert, literal, select
from sqlalchemy.engine import Connection, NestedTransaction

from nonstop.check import reflection
from nonstop.check.reflection import insert_as_is, may_be_left_out, quietly, raise_if_lost, reason_of, undone
from nonstop.check.rows import values
from nonstop.check.rows.choices import Choices, Row, by_rank
from nonstop.databases.base import Database

MOST_ATTEMPTS = 60
"""So many different rows are tried before a table is given up."""


class Filled(NamedTuple):
    """``rows`` counts the rows that were made, by table; ``empty`` says why there is none.

    ``unfit`` says, by table, why its rows suit only the schema that they were made in, and not the one after.
    """

    rows: dict[str, int]
    empty: dict[str, str]
    unfit: dict[str, str]


def fill(
    engine: Engine,
    database: Database,
    fits: Engine | None = None,
    per_table: int = 3,
    ignored: frozenset[str] = frozenset(),
    null_rows: int = 1,
) -> Filled:
    """Make rows in each table that has fewer than ``per_table``, but for the tables whose names are in ``ignored``.

    ``database`` is the one that ``engine`` leads to, ``fits`` leads to a scratch database of the same kind with the schema after a script: rows that are accepted there too are preferred;
    nothing is kept there. Partitions get theirs through their table. So many rows of a table as ``null_rows`` says have NULL wherever they may, the others nowhere.
    """
    with quietly(), ExitStack() as stack:
        connection = stack.enter_context(engine.connect())
        outermost = connection.begin_nested()  # the transaction, where the driver begins none
        after = None if fits is None else Side(stack.enter_context(undone(fits)), database, ignored)
        filler = _Filler(Side(connection, database, ignored), after, per_table, null_rows)
        for key in by_rank(filler.before.tables, filler.references):
            filler.fill(key)
        outermost.commit()
        connection.commit()
    return Filled(filler.made, filler.empty, filler.unfit)


class Side:
    """One of the two databases: a connection, and the tables that it shows."""

    def __init__(self, connection: Connection, database: Database, ignored: frozenset[str]) -> None:
        self.connection = connection
        self.tables = reflection.tables(connection, database, ignored)

    def some(self, table: Table, most: int) -> list[Row]:
        """Rows that are there. Those that can't be read (a date that Python does not know) are as if empty."""
        try:
            with self.connection.begin_nested():
                found = self.connection.execute(select(table).limit(most)).mappings()
                return [dict(row) for row in found]
        except Exception as error:
            raise_if_lost(error)
            with self.connection.begin_nested():
                return [
                    {} for _ in self.connection.execute(select(literal(1)).select_from(table).limit(most))
                ]

    def insert(self, table: Table, row: Row) -> Row:
        """Insert one row; gives it with what the database made of it."""
        statement = insert(table).values(row).returning(*table.columns)
        found = self.connection.execute(statement).mappings().one_or_none()
        if found is None:
            raise LookupError("the row was not kept (by a trigger or a rule)")
        return dict(found)

    def insert_as_is(self, table: Table, row: Row) -> None:
        names = [name for name in row if table.columns[name].computed is None]
        parameters = {f"v{index}": row[name] for index, name in enumerate(names)}
        self.connection.execute(insert_as_is(self.connection, table, names), parameters)


class _Filler:
    """The state of :func:`fill`: what each table has by now."""

    def __init__(self, before: Side, after: Side | None, per_table: int, null_rows: int) -> None:
        self.before = before
        self.after = after
        self.per_table = per_table
        self.null_rows = null_rows
        self.known: dict[str, list[Row]] = {}
        self.made: dict[str, int] = {}
        self.empty: dict[str, str] = {}
        self.unfit: dict[str, str] = {}
        later = after.tables if after else {}
        self.choices = {key: Choices(table, later.get(key)) for key, table in before.tables.items()}
        self.references = {key: choices.references for key, choices in self.choices.items()}

    def fill(self, key: str) -> None:
        table, choices = self.before.tables[key], self.choices[key]
        known = self.known[key] = self.before.some(table, self.per_table)
        for row in known:
            self._copy(key, row)
        there = len(known)
        for number in range(there + 1, self.per_table + 1):
            has_nulls = number > max(1, self.per_table - self.null_rows)
            made, reason = self._new_row(key, choices, number, has_nulls)
            if made is None:
                if not known:
                    self.empty[key] = reason
                break
            known.append(made)
        if len(known) > there:
            self.made[key] = len(known) - there

    def _new_row(self, key: str, choices: Choices, number: int, has_nulls: bool) -> tuple[Row | None, str]:
        """Insert one row that suits both schemas, else one that suits the first; else None and the reason."""
        second_best: Row | None = None
        refusal = ""
        for row, suspect in _attempts(choices, self.known, number, has_nulls):
            reason = choices.dangling(row, self.known)
            if not reason:
                made, reason = self._insert(key, row)
                if made is not None and not reason:
                    return made, ""
                if made is not None and second_best is None:
                    second_best, refusal = row, reason
            suspect(reason)
            refusal = refusal or reason
        if second_best is None:
            return None, refusal
        self.unfit.setdefault(key, refusal)
        with self.before.connection.begin_nested():
            return self.before.insert(self.before.tables[key], second_best), ""

    def _insert(self, key: str, row: Row) -> tuple[Row | None, str]:
        """Insert into both databases or into none of them: the row, None where the first does not take it; the objection."""
        savepoint = self.before.connection.begin_nested()
        try:
            made = self.before.insert(self.before.tables[key], row)
        except Exception as error:
            return None, _objection(error, savepoint)
        objection = self._copy(key, made)
        if objection:
            savepoint.rollback()
        else:
            savepoint.commit()
        return made, objection

    def _copy(self, key: str, row: Row) -> str:
        """Insert a row into the database after, as far as it has its columns; gives what that has against it."""
        if self.after is None or key not in self.after.tables:
            return ""
        table = self.after.tables[key]
        savepoint = self.after.connection.begin_nested()
        try:
            self.after.insert_as_is(table, self._as_after(table, row))
        except Exception as error:
            return _objection(error, savepoint)
        savepoint.commit()
        return ""

    def _as_after(self, table: Table, row: Row) -> Row:
        kept = {
            name: values.converted(value, table.columns[name].type)
            for name, value in row.items()
            if name in table.columns
        }
        # What the script demands in new columns is a matter of other proofs.
        demanded = {
            column.name: values.nth(column, len(self.known[table.key]) + 1)
            for column in table.columns
            if column.name not in row and not may_be_left_out(column)
        }
        return kept | demanded


def _attempts(
    choices: Choices, known: dict[str, list[Row]], number: int, has_nulls: bool
) -> Iterator[tuple[Row, Any]]:
    """Rows to try, each with a function to be told what was wrong with it: what that names is varied first."""
    slots = choices.slots(known, number, has_nulls)
    suspects: list[int] = []
    picked = [0] * len(slots)
    waiting: Iterator[tuple[int, ...]] = iter([()])
    objections: list[str] = []
    for _ in range(MOST_ATTEMPTS):
        combination = next(waiting, None)
        if combination is None:
            return
        for index, choice in zip(suspects, combination, strict=True):
            picked[index] = choice
        objections.clear()
        yield choices.row(slots, picked), objections.append
        blamed = choices.blamed(objections[0])
        new = [
            index
            for index, slot in enumerate(slots)
            if index not in suspects and len(slot.options) > 1 and (not blamed or blamed & set(slot.names))
        ]
        if new:
            # What was found for the others stays the first thing to try.
            ways = [_from(picked[index], len(slots[index].options)) for index in suspects]
            suspects += new
            waiting = product(*ways, *(range(len(slots[index].options)) for index in new))
            next(waiting)


def _from(first: int, length: int) -> list[int]:
    return [(first + step) % length for step in range(length)]


def _objection(error: Exception, savepoint: NestedTransaction) -> str:
    """The first line of an error, after which the transaction is usable again."""
    raise_if_lost(error)
    savepoint.rollback()
    return reason_of(error)
