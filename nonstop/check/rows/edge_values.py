"""Values at the edge of what a type can hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import singledispatch
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

LONGEST = 5000
"""Characters of a text whose length is not limited: more than most limits that one could introduce."""
NOT_ASCII = "Žluťoučký ключ מפתח 鍵 🔧"
DAY, MOMENT = date(2000, 1, 1), datetime(2000, 1, 1, 12, 30, 45, 123456)  # noqa: DTZ001  # with and without zone
AWARE = MOMENT.replace(tzinfo=UTC)


@singledispatch
def edges(kind: TypeEngine[Any]) -> list[Any]:
    """An ordinary value of a type and those at its edges."""
    return OTHERS.get(type(kind), [])


@edges.register
def _(kind: TypeDecorator) -> list[Any]:  # type: ignore[type-arg]
    return edges(kind.impl_instance)


@edges.register
def _(kind: sa.Enum) -> list[Any]:
    return list(kind.enum_class) if kind.enum_class is not None else list(kind.enums)


@edges.register
def _(kind: postgresql.DOMAIN) -> list[Any]:
    return edges(kind.data_type)


@edges.register
def _(kind: sa.Boolean) -> list[Any]:
    return [True, False]


@edges.register
def _(kind: sa.Integer) -> list[Any]:
    most = highest(kind)
    return [1, most, -most - 1, 0]


@edges.register
def _(kind: sa.Float) -> list[Any]:  # type: ignore[type-arg]
    return [1.5, -1e30, 1e-30, 0.0]


@edges.register
def _(kind: sa.Numeric) -> list[Any]:  # type: ignore[type-arg]
    step = Decimal(1).scaleb(-(kind.scale or 0))
    if kind.precision is None:
        return [Decimal(1), Decimal("-12345678901234567890.123456789"), Decimal(0)]
    largest = Decimal(10) ** (kind.precision - (kind.scale or 0)) - step
    return [min(Decimal(1), largest), largest, -largest, step, Decimal(0)]


@edges.register
def _(kind: sa.String) -> list[Any]:
    length = min(longest(kind), LONGEST)
    return ["a", "x" * length, NOT_ASCII[:length], ""]


@edges.register
def _(kind: sa.Date) -> list[Any]:
    return [DAY, date(9999, 12, 31), date(1, 1, 1)]


@edges.register
def _(kind: sa.DateTime) -> list[Any]:
    moments = [MOMENT, datetime(9999, 12, 30, 23, 59, 59, 999999), datetime(1, 1, 2)]  # noqa: DTZ001
    return [moment.replace(tzinfo=UTC) if kind.timezone else moment for moment in moments]


@edges.register
def _(kind: sa.Time) -> list[Any]:
    times = [time(12, 30, 45, 123456), time.min, time.max]
    return [moment.replace(tzinfo=UTC) if kind.timezone else moment for moment in times]


@edges.register
def _(kind: sa.types.Interval | postgresql.INTERVAL) -> list[Any]:
    return [timedelta(days=1), timedelta(0), timedelta(days=-400, microseconds=1)]


@edges.register
def _(kind: sa.types._Binary) -> list[Any]:
    return [b"a", b"\x00\xff" * (min(longest(kind), LONGEST) // 2), b""]


@edges.register
def _(kind: sa.JSON) -> list[Any]:
    return [{"a": [1, None, NOT_ASCII]}, [], "a", 1]


@edges.register
def _(kind: sa.Uuid) -> list[Any]:  # type: ignore[type-arg]
    ids = [UUID(int=1), UUID(int=2**128 - 1)]
    return list(ids) if kind.as_uuid else [str(one) for one in ids]


@edges.register
def _(kind: sa.ARRAY) -> list[Any]:  # type: ignore[type-arg]
    items: list[Any] = edges(kind.item_type)
    for _ in range((kind.dimensions or 1) - 1):
        items = [[item] for item in items]
    return [items, []] if items else []


@edges.register
def _(kind: postgresql.BIT) -> list[Any]:
    length = kind.length or 1
    return [postgresql.BitString("1" * length), postgresql.BitString("0" * length)]


def _range(low: Any, high: Any) -> list[Any]:
    return [postgresql.Range(low, high), postgresql.Range(empty=True)]


OTHERS: dict[type, list[Any]] = {
    postgresql.INET: ["192.0.2.1", "2001:db8::1/64"],
    postgresql.CIDR: ["192.0.2.0/24", "2001:db8::/32"],
    postgresql.MACADDR: ["08:00:2b:01:02:03"],
    postgresql.MACADDR8: ["08:00:2b:01:02:03:04:05"],
    postgresql.MONEY: ["1.00", "-92233720368547758.08"],
    postgresql.OID: [1, 2**32 - 1],
    postgresql.HSTORE: [{"a": NOT_ASCII}, {}],
    postgresql.TSVECTOR: ["'a' 'b'"],
    postgresql.TSQUERY: ["'a' & 'b'"],
    postgresql.INT4RANGE: _range(1, 2**31 - 1),
    postgresql.INT8RANGE: _range(1, 2**63 - 1),
    postgresql.NUMRANGE: _range(Decimal(1), Decimal(10)),
    postgresql.DATERANGE: _range(DAY, date(2001, 1, 1)),
    postgresql.TSRANGE: _range(MOMENT, MOMENT + timedelta(days=1)),
    postgresql.TSTZRANGE: _range(AWARE, AWARE + timedelta(days=1)),
}


def longest(kind: TypeEngine[Any]) -> int:
    """How many characters or bytes a value may have."""
    return getattr(kind, "length", None) or LONGEST


def highest(kind: sa.Integer) -> int:
    """The highest number of a type of integers."""
    if isinstance(kind, sa.BigInteger):
        return 2**63 - 1
    return 2**15 - 1 if isinstance(kind, sa.SmallInteger) else 2**31 - 1
