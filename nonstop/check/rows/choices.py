"""What could stand in a new row: for each column the values to choose from, and which columns an objection is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKeyConstraint, Table, UniqueConstraint
from sqlalchemy.exc import InvalidRequestError

from nonstop.check import reflection
from nonstop.check.rows import values

Row = dict[str, Any]
FURTHER = (1000, 2000, 3000)
"""Added to a row's number where its own value is taken already."""


class _Left(NamedTuple):
    """Stands for a value that is not given: the column is left out, or refers to its own row."""

    why: str


OMITTED = _Left("omitted")
ITSELF = _Left("itself")


class Reference(NamedTuple):
    """A foreign key: columns, the key of the table that they refer to, and its columns. ``is_required``: none may be NULL."""

    names: tuple[str, ...]
    parent: str
    parent_names: tuple[str, ...]
    is_required: bool


class Slot(NamedTuple):
    """Columns whose values are chosen together, and what there is to choose from, best first."""

    names: tuple[str, ...]
    options: list[tuple[Any, ...]]


class Choices:
    """What a row of ``table`` could be. ``later`` is the table after the script; None where there is none."""

    def __init__(self, table: Table, later: Table | None) -> None:
        self._table = table
        self._later = later
        both = [table] if later is None else [table, later]
        self.references = references(table, both)
        self._constraints = [named for each in both for named in _named_constraints(each)]
        self._literals: dict[str, list[str]] = {}
        for each in reversed(both):  # the stricter conditions are those to come
            for name, literals in values.literals_of(each).items():
                self._literals.setdefault(name, []).extend(literals)

    def slots(self, known: Mapping[str, list[Row]], number: int, has_nulls: bool) -> list[Slot]:
        """What to choose from for the row ``number``, where ``known`` has the rows of the tables by now."""
        slots = []
        covered: set[str] = set()
        for reference in self.references:
            if not covered & set(reference.names):
                slots.append(self._referring(reference, known, number, has_nulls))
                covered |= set(reference.names)
        for column in self._table.columns:
            is_free = reflection.is_written(column) and not reflection.is_numbered(column)
            if is_free and column.name not in covered:
                slots.append(Slot((column.name,), self._free(column, number, has_nulls)))
        return slots

    def row(self, slots: list[Slot], picked: list[int]) -> Row:
        """The row that takes the option ``picked[n]`` of ``slots[n]``."""
        row: Row = {}
        for slot, index in zip(slots, picked, strict=True):
            row.update(zip(slot.names, slot.options[index], strict=True))
        for reference in self.references:
            for name, parent_name in zip(reference.names, reference.parent_names, strict=True):
                if row.get(name) is ITSELF:
                    row[name] = row.get(parent_name, OMITTED)
        return {name: value for name, value in row.items() if value is not OMITTED}

    def dangling(self, row: Row, known: Mapping[str, list[Row]]) -> str:
        """What is wrong with a row that refers to one that is not there; empty where nothing is."""
        for reference in self.references:
            wanted = tuple(row.get(name) for name in reference.names)
            own = tuple(row.get(name) for name in reference.parent_names)
            if None in wanted or reference.parent not in known:
                continue
            if reference.parent == self._table.key and wanted == own:
                continue
            if wanted not in _keys(known[reference.parent], reference.parent_names):
                return f"no row of {reference.parent} for {', '.join(reference.names)}"
        return ""

    def blamed(self, objection: str) -> frozenset[str]:
        """The columns that an error is about, as far as it names a constraint or them; else none."""
        blamed = [
            columns for name, columns in self._constraints if name and reflection.mentions(objection, name)
        ]
        if blamed:
            return frozenset[str]().union(*blamed)
        return frozenset(c.name for c in self._table.columns if reflection.mentions(objection, c.name))

    # --- options ------------------------------------------------------------------------------------------

    def _referring(
        self, reference: Reference, known: Mapping[str, list[Row]], number: int, has_nulls: bool
    ) -> Slot:
        keys = _keys(known.get(reference.parent, []), reference.parent_names)
        options: list[tuple[Any, ...]] = [keys[(number - 1 + step) % len(keys)] for step in range(len(keys))]
        if reference.parent == self._table.key:
            options.append(tuple(ITSELF for _ in reference.names))
        if reference.is_required:
            return Slot(reference.names, options or [tuple(OMITTED for _ in reference.names)])
        absent = tuple(None if self._table.columns[name].nullable else OMITTED for name in reference.names)
        return Slot(reference.names, [absent, *options] if has_nulls else [*options, absent])

    def _free(self, column: Column[Any], number: int, has_nulls: bool) -> list[tuple[Any, ...]]:
        """Values for a column that refers to nothing."""
        found = [value for value in self._values(column, number) if value is not None]
        may_be_null = column.nullable and not column.primary_key
        if may_be_null and has_nulls and self._may_stay_null(column):
            found.insert(0, None)
        elif may_be_null:
            found.append(None)
        if not found or column.server_default is not None:
            found.append(OMITTED)
        return [(value,) for value in found]

    def _may_stay_null(self, column: Column[Any]) -> bool:
        later = None if self._later is None else self._later.columns.get(column.name)
        return later is None or bool(later.nullable)

    def _values(self, column: Column[Any], number: int) -> list[Any]:
        suggested = values.suggested(column, self._literals.get(column.name, ()))
        turn = (number - 1) % len(suggested) if suggested else 0
        later = None if self._later is None else self._later.columns.get(column.name)
        ordinary = values.nth(column, number)
        return values.without_doubles(
            [
                *suggested[turn:],
                *suggested[:turn],
                *([] if later is None else _of_both(column, later, number)),
                *([] if ordinary is None else [ordinary]),
                *(values.nth(column, number + more) for more in FURTHER),
                *values.candidates(column),
            ]
        )


def _of_both(column: Column[Any], later: Column[Any], number: int) -> list[Any]:
    """Values that suit a column and what it will be."""
    if isinstance(column.type, sa.Enum):
        kept = [value for value in column.type.enums if value in getattr(later.type, "enums", [value])]
        return [kept[(number - 1) % len(kept)], *kept] if kept else []
    if str(column.type) == str(later.type):
        return []
    value = values.converted(values.nth(later, number), column.type)
    try:
        return [value] if isinstance(value, column.type.python_type) else []
    except NotImplementedError:
        return []


# --- between tables -----------------------------------------------------------------------------------------


def by_rank(tables: Mapping[str, Table], referring: Mapping[str, list[Reference]]) -> list[str]:
    """Parents before children. In a circle, a table that may do without its parent comes first."""
    parents = {
        key: {reference.parent for reference in referring[key]} & tables.keys() - {key} for key in tables
    }
    required = {
        key: {reference.parent for reference in referring[key] if reference.is_required} & parents[key]
        for key in tables
    }
    waiting = sorted(tables)
    ordered: list[str] = []
    while waiting:
        open_ = set(waiting)
        ready = [key for key in waiting if not parents[key] & open_]
        ready = ready or [key for key in waiting if not required[key] & open_][:1] or waiting[:1]
        ordered += ready
        waiting = [key for key in waiting if key not in ready]
    return ordered


def references(table: Table, both: list[Table]) -> list[Reference]:
    """The foreign keys of a table as each of ``both`` has them (now, after the script), those of most columns first."""
    found: dict[tuple[str, ...], Reference] = {}
    for each in both:
        for constraint in each.foreign_key_constraints:
            reference = _reference(table, constraint)
            if reference is not None:
                found.setdefault(reference.names, reference)
    return sorted(found.values(), key=lambda reference: (-len(reference.names), reference.names))


def _reference(table: Table, constraint: ForeignKeyConstraint) -> Reference | None:
    names = tuple(column.name for column in constraint.columns)
    try:
        parent_names = tuple(element.column.name for element in constraint.elements)
        parent = constraint.referred_table.key
    except InvalidRequestError:  # the table that is referred to is not among those that we see
        return None
    if any(name not in table.columns for name in names):
        return None
    is_required = all(not table.columns[name].nullable for name in names)
    return Reference(names, parent, parent_names, is_required)


def _keys(rows: list[Row], names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    keys = [tuple(row.get(name) for name in names) for row in rows]
    return [key for key in keys if None not in key]


def _named_constraints(table: Table) -> list[tuple[str, frozenset[str]]]:
    named = [(name, columns) for name, _, columns in reflection.checks(table)]
    named += [
        (str(constraint.name or ""), frozenset(column.name for column in constraint.columns))
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint | ForeignKeyConstraint | sa.PrimaryKeyConstraint)
    ]
    named += [
        (str(index.name or ""), frozenset(column.name for column in index.columns)) for index in table.indexes
    ]
    return named
