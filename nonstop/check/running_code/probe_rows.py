"""What running code writes into one of its tables: rows like those that are there, twins, and values at the edges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from sqlalchemy import Column, Enum, Table, inspect, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapper

from nonstop.check.reflection import is_numbered, is_written, may_be_left_out, raise_if_lost, unique_sets
from nonstop.check.rows import values
from nonstop.check.rows.edge_values import edges
from nonstop.check.running_code.models import Model

Row = dict[str, Any]
FIRST = 1_900_777_779
"""Numbers of the values that have to be unique, far from those of the rows that are there, to the last digit."""

SAMPLE = 20
"""So many rows of each table are looked at."""


class Field(NamedTuple):
    """A column that the code knows; ``key`` is its name in the code. ``others`` are the columns that get the same value."""

    key: str
    column: Column[Any]
    others: tuple[Column[Any], ...] = ()

    @property
    def numbers_itself(self) -> bool:
        """Whether an INSERT leaves the column out: the database or the code gives it a value of its own."""
        return any(
            is_numbered(column)
            or column is column.table.autoincrement_column
            or (column.primary_key and column.default is not None)
            for column in (self.column, *self.others)
        )


class Subject:
    """One model: its fields, and the rows that it would write."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.fields = [field for field in _fields(model) if is_written(field.column)]
        self.written = [field for field in self.fields if not field.numbers_itself]
        self.key_columns = list(model.table.primary_key.columns)
        self._literals = {table: values.literals_of(table) for table in {f.column.table for f in self.fields}}
        self._fixed = _discriminator(model, self.fields)
        self._sets = [
            [field for field in self.fields if field.column.table is table and field.column.name in names]
            for table in self._literals
            for names in unique_sets(table)
        ]

    @property
    def is_mapped(self) -> bool:
        return self.model.mapped is not None

    # --- rows ---------------------------------------------------------------------------------------------

    def twins(self, rows: Sequence[Row], parents: Mapping[Column[Any], Sequence[Any]]) -> tuple[Row, Row]:
        """Two new rows like those that are there, alike in all that the code does not declare unique.

        ``parents`` has values that a column may refer to.
        """
        base = self._base(rows, parents)
        first, second = base | self._different(FIRST), base | self._different(FIRST + 1)
        for fields in self._sets:
            free = self._free_keys(fields, rows, parents)
            if len(free) > 1:
                first, second = first | free[0], second | free[1]
        return first, second

    def required(self, row: Row) -> Row:
        """What an INSERT sends for a new object whose required attributes are set, and no others.

        The ORM sends NULL for each of the others that has no default.
        """
        needed = {
            field.key: row[field.key]
            for field in self.written
            if field.key in row and not may_be_left_out(field.column)
        }
        if not self.is_mapped:
            return needed
        nulls = {field.key: None for field in self.written if _is_sent_as_null(field.column)}
        return nulls | needed | self._fixed

    def _base(self, rows: Sequence[Row], parents: Mapping[Column[Any], Sequence[Any]]) -> Row:
        """The fullest of ``rows``, what it lacks made up: real values satisfy the rules between columns, too."""
        by_fullness = sorted(rows, key=lambda row: sum(row.get(f.key) is None for f in self.written))
        base: Row = {}
        for field in self.written:
            there = [row[field.key] for row in by_fullness if row.get(field.key) is not None]
            made_up = [*parents.get(field.column, ()), *self._made_up(field)]
            base[field.key] = next(iter([*there, *made_up]), None)
        return base | self._fixed

    def _made_up(self, field: Field) -> list[Any]:
        if field.column.foreign_keys:
            return []
        return [*self._suggested(field), values.nth(field.column, FIRST)]

    def _suggested(self, field: Field) -> list[Any]:
        literals = self._literals[field.column.table].get(field.column.name, ())
        return values.suggested(field.column, literals)

    def _different(self, number: int) -> Row:
        """One value for each set of fields that is unique, which is not that of another number."""
        row: Row = {}
        for fields in self._sets:
            usable = [field for field in fields if field in self.written and not field.column.foreign_keys]
            if len(usable) < len(fields) and any(field.numbers_itself for field in fields):
                continue
            varied = next((f for f in usable if _has_many(f.column)), None)
            if varied is not None and not row.keys() & {field.key for field in fields}:
                row[varied.key] = values.nth(varied.column, number)
        return row

    def _free_keys(
        self, fields: list[Field], rows: Sequence[Row], parents: Mapping[Column[Any], Sequence[Any]]
    ) -> list[Row]:
        """For a unique set that only refers to other tables: what it could refer to and does not yet."""
        if not fields or any(field.column not in parents for field in fields):
            return []
        taken = {repr([row.get(field.key) for field in fields]) for row in rows}
        combinations = product(*(parents[field.column] for field in fields))
        free = [list(combination) for combination in combinations if repr(list(combination)) not in taken]
        return [
            {field.key: value for field, value in zip(fields, combination, strict=True)}
            for combination in free
        ]

    # --- values at the edges ------------------------------------------------------------------------------

    def edges(self) -> Iterable[list[tuple[Field, Any]]]:
        """Values to try, in groups for one row each; columns that a rule (CHECK) names come alone."""
        plain: list[list[tuple[Field, Any]]] = []
        for field in self.written:
            if field.column.foreign_keys or field.key in self._fixed:
                continue
            suggested = self._suggested(field)
            found = edges(field.column.type)
            beyond_ordinary = found if isinstance(field.column.type, Enum) else found[1:]
            if suggested:
                for value in values.without_doubles([*suggested, *beyond_ordinary]):
                    yield [(field, value)]
            else:
                plain.append([(field, value) for value in beyond_ordinary])
        longest = max(map(len, plain), default=0)
        for index in range(longest):
            yield [column[index] for column in plain if index < len(column)]


def _fields(model: Model) -> list[Field]:
    if model.mapped is None:
        return [Field(column.key, column) for column in model.table.columns]
    mapper: Mapper[Any] = inspect(model.mapped)
    own = set(mapper.tables)
    fields = []
    for attribute in mapper.column_attrs:
        columns = [
            column for column in attribute.columns if isinstance(column, Column) and column.table in own
        ]
        if columns:
            fields.append(Field(attribute.key, columns[0], tuple(columns[1:])))
    return fields


def _discriminator(model: Model, fields: list[Field]) -> Row:
    """What tells the rows of a class from those of its relatives in the same table."""
    if model.mapped is None:
        return {}
    mapper: Mapper[Any] = inspect(model.mapped)
    if mapper.polymorphic_on is None or mapper.polymorphic_identity is None:
        return {}
    return {
        field.key: mapper.polymorphic_identity for field in fields if field.column is mapper.polymorphic_on
    }


def _is_sent_as_null(column: Column[Any]) -> bool:
    """As SQLAlchemy decides it for attributes that were never set."""
    return (
        not column.primary_key
        and column.server_default is None
        and column.default is None
        and not column.type.should_evaluate_none
    )


def _has_many(column: Column[Any]) -> bool:
    """Whether the type has more than a few values."""
    return repr(values.nth(column, FIRST)) != repr(values.nth(column, FIRST + 1)) and not isinstance(
        column.type, Enum
    )


def parents(connection: Connection, subject: Subject) -> dict[Column[Any], list[Any]]:
    """What the columns that refer to other tables could refer to, as far as it can be read."""
    found: dict[Column[Any], list[Any]] = {}
    for column in (field.column for field in subject.written):
        for key in column.foreign_keys:
            savepoint = connection.begin_nested()
            try:
                query = select(key.column).order_by(key.column).limit(SAMPLE)
                found[column] = list(connection.scalars(query))
            except (
                SQLAlchemyError,
                ValueError,
                LookupError,
            ) as error:  # the table, or a value that Python knows not
                raise_if_lost(error)
            finally:
                if savepoint.is_active:
                    savepoint.rollback()
    return found


def tables_of(fields: Iterable[Field]) -> list[Table]:
    """The tables of fields, each once, in their order."""
    return list(dict.fromkeys(field.column.table for field in fields))
