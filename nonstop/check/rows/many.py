"""Many rows out of a few, made by the database itself."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, ColumnElement, Engine, Subquery, Table
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from nonstop.check import reflection
from nonstop.check.reflection import is_numbered, is_written, quietly, unique_sets
from nonstop.databases.base import Database

DIGITS = 8
"""Digits that a text, a uuid or the bytes of a new row end with; the first of them is never 0."""
DAYS_OF_EACH_MONTH = 28
FIRST_YEAR = 1000


def multiply(
    engine: Engine,
    database: Database,
    table: str,
    schema: str | None,
    upto: int,
    later: Engine | None = None,
) -> int:
    """Let ``table`` have ``upto`` rows, copied from those that it has, with keys and unique columns varied.

    ``later`` leads to a database with the schema after a script: what has to be unique there is varied too. Gives the number of its rows at the end: what there was, where there is nothing to copy, or where copies can't be
    told apart (a unique column that refers to another table, or of a type that has few values) or break a rule.
    """
    with quietly(), engine.connect() as connection:
        reflected = reflection.one_table(connection, table, schema)
        there = _count(connection, reflected)
        if 0 < there < upto:
            database.begin_if_needed(connection.connection.dbapi_connection, "INSERT")
            try:
                _copy(connection, database, reflected, upto - there, _unique_later(later, reflected))
                connection.commit()
            except _Unvaried:
                connection.rollback()
            except DBAPIError as error:
                connection.rollback()
                if error.connection_invalidated or database.violation(error) is None:
                    raise
        return _count(connection, reflected)


class _Unvaried(Exception):
    """A row that differs in what has to be unique can't be made."""


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _unique_later(later: Engine | None, table: Table) -> list[tuple[str, ...]]:
    """The sets of this table's columns that have to be unique in the schema after a script."""
    if later is None:
        return []
    with later.connect() as connection:
        if not sa.inspect(connection).has_table(table.name, schema=table.schema):
            return []
        sets = unique_sets(reflection.one_table(connection, table.name, table.schema))
    return [tuple(names) for names in sets if all(name in table.columns for name in names)]


def _copy(
    connection: Connection, database: Database, table: Table, wanted: int, further: list[tuple[str, ...]]
) -> None:
    """Insert ``wanted`` rows in one statement; fewer, where some are found to be there already."""
    written = [column for column in table.columns if is_written(column) and not is_numbered(column)]
    varied = _to_vary(table, further)
    source = sa.select(*table.columns).limit(wanted).subquery("source")
    originals = _count_of(connection, source)
    numbered = sa.select(*source.columns, sa.func.row_number().over().label("nonstop_place")).subquery(
        "numbered"
    )
    rounds = -(-wanted // originals)
    turns = sa.select(sa.literal(0).label("turn")).cte("turns", recursive=True)
    turns = turns.union_all(sa.select(turns.c.turn + 1).where(turns.c.turn < rounds - 1))
    # From 1, and different for each new row.
    number = turns.c.turn * originals + numbered.c.nonstop_place
    values = [
        _varied(connection, database, column, numbered, number, wanted)
        if column.name in varied
        else numbered.columns[column.name]
        for column in written
    ]
    rows = sa.select(*values).select_from(numbered.join(turns, sa.true())).where(number <= wanted)
    statement = sa.insert(table).from_select([column.name for column in written], rows)
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    connection.exec_driver_sql(f"{compiled} ON CONFLICT DO NOTHING")


def _count_of(connection: Connection, source: Subquery) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(source)).scalar_one())


def _to_vary(table: Table, further: list[tuple[str, ...]]) -> set[str]:
    """One column of each set that has to be unique, now or later, unless the database numbers one of it."""
    referring = {column.name for constraint in table.foreign_key_constraints for column in constraint.columns}
    varied: set[str] = set()
    for names in [*unique_sets(table), *further]:
        columns = [table.columns[name] for name in names]
        if varied & set(names) or any(is_numbered(column) for column in columns):
            continue
        free = [column for column in columns if column.name not in referring and is_written(column)]
        ranked = sorted((rank, column.name) for column in free if (rank := _rank(column)) is not None)
        if not ranked:
            raise _Unvaried
        varied.add(ranked[0][1])
    return varied


def _rank(column: Column[Any]) -> int | None:
    """How well a column can be varied, 0 best; None for a type that has few values, or that we don't know."""
    kind = column.type
    if isinstance(kind, sa.Enum):
        return None
    for rank, kinds in enumerate(VARIABLE):
        if isinstance(kind, kinds):
            return rank
    return None


VARIABLE: tuple[tuple[type, ...], ...] = (
    (sa.Integer,),
    (sa.Uuid,),
    (sa.String,),
    (sa.Numeric, sa.Float),
    (sa.DateTime, sa.Date),
)


def _varied(
    connection: Connection,
    database: Database,
    column: Column[Any],
    source: Subquery,
    number: ColumnElement[int],
    wanted: int,
) -> ColumnElement[Any]:
    """A value that no other row has."""
    kind = column.type
    own = source.columns[column.name]
    if isinstance(kind, sa.Integer | sa.Numeric | sa.Float):
        return _start(connection, column, wanted) + number
    if isinstance(kind, sa.Uuid) and kind.native_uuid and not isinstance(kind, sa.CHAR):
        return sa.cast(_ending_with(sa.cast(own, sa.String), number, 36), kind)
    if isinstance(kind, sa.Date | sa.DateTime):
        name = kind.compile(dialect=connection.dialect)
        text = str(_date(number).compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
        return sa.literal_column(database.date_from_text(f"({text})", name))
    return _ending_with(own, number, getattr(kind, "length", None))


def _start(connection: Connection, column: Column[Any], wanted: int) -> int:
    """The number after which, or before which, so many are free."""
    highest, lowest = connection.execute(sa.select(sa.func.max(column), sa.func.min(column))).one()
    most = _most(column)
    if int(highest or 0) + wanted < most:
        return int(highest or 0)
    if int(lowest) - wanted - 1 > -most:
        return int(lowest) - wanted - 1
    raise _Unvaried


def _most(column: Column[Any]) -> int:
    kind = column.type
    if isinstance(kind, sa.Numeric) and kind.precision is not None:
        return int(10 ** (kind.precision - (kind.scale or 0)))
    if isinstance(kind, sa.BigInteger | sa.Numeric | sa.Float):
        return 2**53
    return 2**15 if isinstance(kind, sa.SmallInteger) else 2**31


def _ending_with(
    text: ColumnElement[Any], number: ColumnElement[int], length: int | None
) -> ColumnElement[Any]:
    """A text of which as much is kept as there is room for, with the number behind it: digits, as in an identifier."""
    width = min(DIGITS, length or DIGITS)
    digits = sa.cast(number + 10 ** (width - 1), sa.String)
    if length is None:
        return text.concat(digits)
    return sa.func.substr(text, 1, length - width, type_=sa.String).concat(digits)


def _date(number: ColumnElement[int]) -> ColumnElement[str]:
    """The ``number``-th day from the first year on, as text; each month has as many days as the shortest one."""
    months = number // DAYS_OF_EACH_MONTH
    years = months // 12
    year, month, day = years + FIRST_YEAR, months - years * 12 + 1, number - months * DAYS_OF_EACH_MONTH + 1
    return sa.cast(year, sa.String).concat(_two_digits(month)).concat(_two_digits(day))


def _two_digits(number: ColumnElement[int]) -> ColumnElement[str]:
    return sa.literal("-").concat(sa.func.substr(sa.cast(number + 100, sa.String), 2, 2, type_=sa.String))
