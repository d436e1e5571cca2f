"""Values for columns: a real database takes every one of them, and they reach the edge of the type."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from nonstop.check.reflection import quietly
from nonstop.check.rows import values
from nonstop.check.rows.edge_values import edges
from nonstop.databases import open_database
from tests.support.operations import send

COMMON: list[sa.types.TypeEngine] = [
    sa.String(5), sa.String(), sa.Text(), sa.Integer(), sa.SmallInteger(), sa.BigInteger(), sa.Numeric(5, 2), sa.Numeric(2, 2),
    sa.Numeric(), sa.Float(), sa.Double(), sa.Boolean(), sa.Date(), sa.DateTime(), sa.DateTime(timezone=True), sa.Time(),
    sa.Interval(), sa.JSON(), sa.Uuid(), sa.Uuid(as_uuid=False), sa.LargeBinary(), sa.LargeBinary(3), sa.Enum("a", "b", name="letters"),
    sa.PickleType(),
]  # fmt: skip
OF_POSTGRESQL: list[sa.types.TypeEngine] = [
    postgresql.ARRAY(sa.Integer()), postgresql.ARRAY(sa.Text(), dimensions=2), postgresql.JSONB(), postgresql.INET(), postgresql.CIDR(),
    postgresql.MACADDR(), postgresql.MACADDR8(), postgresql.MONEY(), postgresql.OID(), postgresql.BIT(3), postgresql.BIT(4, varying=True),
    postgresql.TSVECTOR(), postgresql.TSQUERY(), postgresql.INTERVAL(), postgresql.BYTEA(), postgresql.INT4RANGE(), postgresql.INT8RANGE(),
    postgresql.NUMRANGE(), postgresql.DATERANGE(), postgresql.TSRANGE(), postgresql.TSTZRANGE(), postgresql.CHAR(3),
    postgresql.TIMESTAMP(timezone=True), postgresql.TIME(timezone=True), postgresql.DOMAIN("small", sa.Integer()),
    postgresql.ENUM("x", "y", name="kind"),
]  # fmt: skip


def take(url: str, kinds: list[sa.types.TypeEngine]) -> list[str]:
    """Insert every value of every type; what the database refuses."""
    table = sa.Table("things", sa.MetaData(), *(sa.Column(f"c{n}", kind) for n, kind in enumerate(kinds)))
    refused = []
    engine = open_database(url).engine()
    with quietly(), engine.connect() as connection:
        table.metadata.create_all(connection)
        for column in table.columns:
            assert values.candidates(column), column.type
            for value in [*values.candidates(column), values.nth(column, 1), values.nth(column, 9001)]:
                try:
                    with connection.begin_nested():
                        connection.execute(sa.insert(table), {column.name: value})
                except (sa.exc.SQLAlchemyError, TypeError) as error:
                    refused.append(f"{column.type!r} {value!r}: {error}")
        rows = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        assert rows > 0
    engine.dispose()
    return refused


def test_the_database_takes_what_each_type_has(database_url: str) -> None:
    assert take(database_url, COMMON) == []


def test_and_what_only_postgresql_knows(postgres_url: str) -> None:
    assert take(postgres_url, OF_POSTGRESQL) == []


@pytest.mark.parametrize(
    ("kind", "edge"),
    [
        (sa.String(7), "xxxxxxx"),
        (sa.Integer(), 2**31 - 1),
        (sa.SmallInteger(), -(2**15)),
        (sa.BigInteger(), 2**63 - 1),
        (sa.Numeric(5, 2), Decimal("999.99")),
        (sa.Date(), date(9999, 12, 31)),
        (sa.Boolean(), False),
    ],
)
def test_the_edges_are_among_them(kind: sa.types.TypeEngine, edge: object) -> None:
    assert edge in edges(kind)


def test_a_text_is_tried_with_letters_that_need_more_than_a_byte() -> None:
    assert any(not value.isascii() and len(value) == 7 for value in edges(sa.String(7)))


@pytest.mark.parametrize(
    "kind", [sa.String(9), sa.Integer(), sa.Numeric(8, 2), sa.Date(), sa.DateTime(), sa.Uuid()]
)
def test_a_thousand_values_differ(kind: sa.types.TypeEngine) -> None:
    column = sa.Column("c", kind)
    assert len({values.nth(column, number) for number in range(1, 1001)}) == 1000


def test_an_unknown_type_has_none() -> None:
    column = sa.Column("c", sa.types.NullType())
    assert values.candidates(column) == []
    assert values.nth(column, 1) is None


def test_conditions_suggest_values(database_url: str) -> None:
    send(
        database_url,
        "CREATE TABLE orders (status VARCHAR(20) CHECK (status IN ('new', 'it''s')), amount INTEGER,"
        " code VARCHAR(20) CONSTRAINT ck CHECK (length(code) = 6), CONSTRAINT am CHECK (amount > 40 AND amount < 50))",
    )
    engine = open_database(database_url).engine()
    with quietly():
        table = sa.Table("orders", sa.MetaData(), autoload_with=engine)
    engine.dispose()
    literals = values.literals_of(table)
    columns = table.columns
    assert values.candidates(columns.status, literals["status"])[:2] == ["new", "it's"]
    assert 41 in values.candidates(columns.amount, literals["amount"])
    assert "111111" in values.candidates(columns.code, literals["code"])


@pytest.mark.parametrize(
    ("value", "kind", "wanted"),
    [
        ("1", sa.Integer(), 1),
        (1, sa.Text(), "1"),
        ("2026-01-31", sa.Date(), date(2026, 1, 31)),
        ("no number", sa.Integer(), "no number"),
        (None, sa.Integer(), None),
    ],
)
def test_values_move_between_types(value: object, kind: sa.types.TypeEngine, wanted: object) -> None:
    assert values.converted(value, kind) == wanted
