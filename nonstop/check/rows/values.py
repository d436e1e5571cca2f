"""Values for a column by its type: different ones to fill a table with, and those at the edge of what it can hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import singledispatch
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from nonstop.check.reflection import checks
from nonstop.check.rows.edge_values import AWARE, DAY, MOMENT, edges, highest, longest

LENGTHS_OF_UUID: dict[int, Callable[[UUID], str]] = {32: lambda one: one.hex, 36: str}
"""A text of such a length may well be a UUID, where the database has no type for it."""
FURTHEST_DAY, FURTHEST_HOUR = 2_000_000, 60_000_000
"""From 2000-01-01: still before the last year that there is."""
STRING = re.compile(r"'((?:[^']|'')*)'")
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
CASTED_LENGTH = re.compile(r"(?:char|character varying|varchar|numeric|decimal)\s*\([\d, ]+\)", re.IGNORECASE)
WILDCARDS = re.compile(r"[%_]")
SHAPES = ("AAA", "a@b.example", "https://a.example/", "+49301234567", "12:00", "A1")
"""What conditions on texts often ask for."""


def candidates(column: Column[Any], literals: Sequence[str] = ()) -> list[Any]:
    """Values that the column's type can hold, an ordinary one first, then those at its edges; no doubles.

    ``literals`` are those of the conditions on the column (:func:`literals_of`); what they suggest comes before the
    rest. Empty for types that we do not know.
    """
    return without_doubles([*suggested(column, literals), *edges(column.type)])


def suggested(column: Column[Any], literals: Sequence[str]) -> list[Any]:
    """Values that may satisfy the conditions in which ``literals`` stand."""
    return without_doubles(value for literal in literals for value in _suggested(column.type, literal))


def nth(column: Column[Any], number: int) -> Any:
    """The ``number``-th value (from 1) of many different ones, short and small; None for types that we do not know."""
    return different(column.type, number)


def literals_of(table: Table) -> dict[str, list[str]]:
    """By column, the numbers and strings in the conditions (CHECK) that name it, as they are written in SQL."""
    found: dict[str, list[str]] = {}
    for _, condition, columns in checks(table):
        text = CASTED_LENGTH.sub("", condition)
        strings = [f"'{string}'" for string in STRING.findall(text)]
        literals = [*strings, *NUMBER.findall(STRING.sub("", text))]
        for name in columns:
            found.setdefault(name, []).extend(literals)
    return found


def converted(value: Any, kind: TypeEngine[Any]) -> Any:
    """``value`` as a column of type ``kind`` takes it: '1' as 1, 1 as '1'; as it is where nothing has to be done."""
    if value is None:
        return None
    with suppress(ValueError, ArithmeticError, NotImplementedError):
        wanted = kind.python_type
        if isinstance(kind, sa.String) and not isinstance(value, str):
            return str(value)
        if isinstance(value, str) and wanted in FROM_TEXT:
            return FROM_TEXT[wanted](value)
        if wanted in (int, float, Decimal) and isinstance(value, int | float | Decimal):
            return wanted(value)
    return value


FROM_TEXT: dict[type, Any] = {
    int: int,
    float: float,
    Decimal: Decimal,
    bool: lambda text: text in ("1", "t", "true", "True"),
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    time: time.fromisoformat,
    UUID: UUID,
    dict: lambda text: text,
}

# --- many different ones ------------------------------------------------------------------------------------


@singledispatch
def different(kind: TypeEngine[Any], number: int) -> Any:
    """The ``number``-th of values that differ, as far as the type has so many."""
    few = edges(kind)
    return few[(number - 1) % len(few)] if few else None


@different.register
def _(kind: TypeDecorator, number: int) -> Any:  # type: ignore[type-arg]
    return different(kind.impl_instance, number)


@different.register
def _(kind: postgresql.DOMAIN, number: int) -> Any:
    return different(kind.data_type, number)


@different.register
def _(kind: sa.Integer, number: int) -> Any:
    return number % highest(kind)


@different.register
def _(kind: sa.Float, number: int) -> Any:  # type: ignore[type-arg]
    return float(number)


@different.register
def _(kind: sa.Numeric, number: int) -> Any:  # type: ignore[type-arg]
    if kind.precision is None:
        return Decimal(number)
    before_point = kind.precision - (kind.scale or 0)
    if before_point > 1:
        return Decimal(number % 10**before_point)
    return Decimal(number % 10**kind.precision).scaleb(-(kind.scale or 0))


@different.register
def _(kind: sa.String, number: int) -> Any:
    if kind.length in LENGTHS_OF_UUID:
        return LENGTHS_OF_UUID[kind.length](UUID(int=number))
    text = str(number)
    return text[-kind.length :] if kind.length else text


@different.register
def _(kind: sa.Enum, number: int) -> Any:
    few = edges(kind)
    return few[(number - 1) % len(few)] if few else None


@different.register
def _(kind: sa.Date, number: int) -> Any:
    return DAY + timedelta(days=number % FURTHEST_DAY)


@different.register
def _(kind: sa.DateTime, number: int) -> Any:
    return (AWARE if kind.timezone else MOMENT) + timedelta(hours=number % FURTHEST_HOUR)


@different.register
def _(kind: sa.Uuid, number: int) -> Any:  # type: ignore[type-arg]
    return UUID(int=number) if kind.as_uuid else str(UUID(int=number))


@different.register
def _(kind: sa.types._Binary, number: int) -> Any:
    return str(number).encode()[-longest(kind) :]


@different.register
def _(kind: sa.JSON, number: int) -> Any:
    return {"a": number}


@different.register
def _(kind: sa.types.Interval | postgresql.INTERVAL, number: int) -> Any:
    return timedelta(hours=number % FURTHEST_HOUR)


@different.register
def _(kind: sa.ARRAY, number: int) -> Any:  # type: ignore[type-arg]
    item = different(kind.item_type, number)
    for _ in range((kind.dimensions or 1) - 1):
        item = [item]
    return None if item is None else [item]


@different.register
def _(kind: postgresql.INET, number: int) -> Any:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


# --- details ------------------------------------------------------------------------------------------------


def _suggested(kind: TypeEngine[Any], literal: str) -> Iterable[Any]:
    """What a literal in a condition suggests to try: itself, its neighbours, a text that is so long, or is like it."""
    kind = getattr(kind, "data_type", kind)
    if literal.startswith("'"):
        text = literal[1:-1].replace("''", "'")
        if not isinstance(kind, sa.Enum | sa.Boolean):
            shapes = [WILDCARDS.sub("a", text), *SHAPES] if WILDCARDS.search(text) else []
            yield from _fitting(kind, [text, *shapes])
    elif isinstance(kind, sa.String):
        length = int(Decimal(literal))
        if 0 < length <= longest(kind):
            yield from _fitting(kind, ["1" * length, "1" * (length + 1)])
    elif isinstance(kind, sa.Integer | sa.Numeric | sa.Float):
        number = Decimal(literal)
        yield from _fitting(kind, [number, number + 1, number - 1])


def _fitting(kind: TypeEngine[Any], values: Iterable[Any]) -> Iterable[Any]:
    for value in values:
        suited = converted(value, kind)
        with suppress(NotImplementedError):
            is_suited = kind.python_type is not object and isinstance(suited, kind.python_type)
            if is_suited and not (isinstance(suited, str) and len(suited) > longest(kind)):
                yield suited


def without_doubles(values: Iterable[Any]) -> list[Any]:
    return list({repr(value): value for value in values}.values())
