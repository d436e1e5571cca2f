"""Running code at work on a schema that a script has changed: what fails, what of it breaks, and what is kept."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import DateTime, ForeignKey, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from nonstop.check.rows.filling import fill
from nonstop.check.running_code.judgement import judge
from nonstop.check.running_code.models import Model, RunningCode, from_schema
from nonstop.check.running_code.old_columns import old_columns_insert
from nonstop.check.running_code.probe import probe
from nonstop.check.running_code.probe_results import (
    INSERT_ALIKE,
    INSERT_REQUIRED,
    INSERT_VALUE,
    READ,
    Failure,
    ProbeResult,
)
from nonstop.databases import open_database
from nonstop.databases.base import Database, Violation
from nonstop.descriptions.promises import Evidence
from tests.support.operations import send


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    orders: Mapped[list[Order]] = relationship(back_populates="customer", cascade="all, delete-orphan")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    status: Mapped[str] = mapped_column(String(20), server_default="new")
    vin: Mapped[str | None] = mapped_column("vin_code", String(50))
    remark: Mapped[str | None] = mapped_column(Text)
    amount: Mapped[int] = mapped_column(default=5)
    made_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    customer: Mapped[Customer] = relationship(back_populates="orders")


class Ticket(Base):
    __tablename__ = "tickets"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str] = mapped_column(sa.Enum("bug", "wish", name="kind", create_constraint=True))
    subtype: Mapped[str]
    __mapper_args__ = {"polymorphic_on": "subtype", "polymorphic_identity": "plain"}


class Urgent(Ticket):
    __mapper_args__ = {"polymorphic_identity": "urgent"}


tags = sa.Table(
    "tags",
    Base.metadata,
    sa.Column("order_id", ForeignKey("orders.id"), primary_key=True),
    sa.Column("customer_id", ForeignKey("customers.id"), primary_key=True),
)
MAPPED = [Customer, Order, Ticket, Urgent]
EXPLICIT = RunningCode(
    (*(Model(each.__name__, Base.metadata.tables[str(each.__mapper__.local_table)], each) for each in MAPPED),
     Model("tags", tags, None)),
    is_explicit=True,
)  # fmt: skip


class Shop:
    """A database with the tables of the models, three rows in each."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.database: Database = open_database(url)
        with self.engine() as engine:
            Base.metadata.create_all(engine)
            fill(engine, self.database)
            self.derived = from_schema(engine, self.database)

    @contextmanager
    def engine(self) -> Iterator[sa.Engine]:
        engine = self.database.engine()
        try:
            yield engine
        finally:
            engine.dispose()

    def probed(self, code: RunningCode) -> ProbeResult:
        with self.engine() as engine:
            return probe(code, engine, self.database)

    def after(self, *statements: str, code: RunningCode = EXPLICIT) -> tuple[Failure, ...]:
        """What fails after ``statements`` that did not before."""
        before = self.probed(code)
        send(self.url, *statements)
        return self.probed(code).failures_beyond(before)


@pytest.fixture
def shop(database_url: str) -> Shop:
    return Shop(database_url)


@pytest.fixture
def postgres_shop(postgres_url: str) -> Shop:
    return Shop(postgres_url)


def breaking(failures: tuple[Failure, ...], code: RunningCode) -> list[Evidence]:
    return [evidence for evidence in judge(failures, code) if evidence.breaks]


# --- on the schema that the code was written for ---------------------------------------------------------------------


@pytest.mark.parametrize("is_explicit", [True, False])
def test_nothing_fails_at_home(shop: Shop, is_explicit: bool) -> None:
    result = shop.probed(EXPLICIT if is_explicit else shop.derived)
    assert result.failures == ()
    assert result.tried > 60


def test_nothing_is_kept(shop: Shop) -> None:
    def whole() -> list[Any]:
        with shop.engine() as engine, engine.connect() as connection:
            return [
                connection.exec_driver_sql(f"SELECT * FROM {table.name} ORDER BY 1").all()
                for table in Base.metadata.sorted_tables
            ]

    before = whole()
    shop.probed(EXPLICIT)
    assert whole() == before


def test_tables_without_rows_are_tried_too(database_url: str) -> None:
    send(database_url, "CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR(9) NOT NULL)")
    database = open_database(database_url)
    engine = database.engine()
    code = from_schema(engine, database)
    assert probe(code, engine, database).failures == ()
    send(database_url, "ALTER TABLE t RENAME COLUMN v TO w")
    found = probe(code, engine, database).failures
    engine.dispose()
    assert {failure.violation for failure in found} == {Violation.NO_SUCH_COLUMN}


def test_a_result_crosses_the_border_of_a_process(shop: Shop) -> None:
    send(shop.url, "DROP TABLE tags")
    result = shop.probed(EXPLICIT)
    assert pickle.loads(pickle.dumps(result)) == result


# --- what always breaks ------------------------------------------------------------------------------------------------

STRUCTURAL = {
    "a column is gone": (["ALTER TABLE orders DROP COLUMN vin_code"], Violation.NO_SUCH_COLUMN, "vin_code"),
    "a column has another name": (
        ["ALTER TABLE orders RENAME COLUMN remark TO note"],
        Violation.NO_SUCH_COLUMN,
        "remark",
    ),
    "a table is gone": (["DROP TABLE tags"], Violation.NO_SUCH_TABLE, ""),
}  # fmt: skip
ONLY_POSTGRESQL = {
    "shorter": ("ALTER TABLE orders ALTER vin_code TYPE varchar(20)", Violation.TOO_LONG, "vin_code"),
    "a limit where there was none": ("ALTER TABLE orders ALTER remark TYPE varchar(255)", Violation.TOO_LONG, "remark"),
    "smaller": ("ALTER TABLE orders ALTER amount TYPE smallint", Violation.OUT_OF_RANGE, "amount"),
    "a number": ("ALTER TABLE orders ALTER vin_code TYPE integer USING vin_code::int", Violation.BAD_VALUE, "vin_code"),
    "a value of an enum is gone": ("ALTER TYPE kind RENAME VALUE 'wish' TO 'hope'", Violation.BAD_VALUE, "kind"),
    "generated": (
        "ALTER TABLE orders DROP remark, ADD remark text GENERATED ALWAYS AS ('x') STORED",
        Violation.OTHER_STRUCTURE,
        "remark",
    ),
}  # fmt: skip


@pytest.mark.repetitive(5)
@pytest.mark.parametrize(("statements", "violation", "column"), STRUCTURAL.values(), ids=STRUCTURAL)
@pytest.mark.parametrize("is_explicit", [True, False])
def test_a_structure_that_the_code_does_not_know_breaks(
    shop: Shop, statements: list[str], violation: Violation, column: str, is_explicit: bool
) -> None:
    code = EXPLICIT if is_explicit else shop.derived
    found = breaking(shop.after(*statements, code=code), code)
    assert (violation.name.lower(), column) in {(e.facts["violation"], e.facts["column"]) for e in found}


@pytest.mark.repetitive(5)
@pytest.mark.parametrize(("statement", "violation", "column"), ONLY_POSTGRESQL.values(), ids=ONLY_POSTGRESQL)
@pytest.mark.parametrize("is_explicit", [True, False])
def test_a_narrower_type_breaks(
    postgres_shop: Shop, statement: str, violation: Violation, column: str, is_explicit: bool
) -> None:
    code = EXPLICIT if is_explicit else postgres_shop.derived
    found = breaking(postgres_shop.after(statement, code=code), code)
    assert (violation.name.lower(), column) in {(e.facts["violation"], e.facts["column"]) for e in found}


@pytest.mark.parametrize("is_explicit", [True, False])
def test_a_new_column_that_wants_a_value_breaks(shop: Shop, is_explicit: bool) -> None:
    code = EXPLICIT if is_explicit else shop.derived
    is_sqlite = shop.url.startswith("sqlite")
    statements = (
        ["CREATE TABLE c (id INTEGER PRIMARY KEY, name VARCHAR(80) UNIQUE, plate TEXT NOT NULL)",
         "INSERT INTO c SELECT id, name, 'x' FROM customers", "DROP TABLE customers", "ALTER TABLE c RENAME TO customers"]
        if is_sqlite
        else ["ALTER TABLE customers ADD plate TEXT NOT NULL DEFAULT 'x'", "ALTER TABLE customers ALTER plate DROP DEFAULT"]
    )  # fmt: skip
    found = breaking(shop.after(*statements, code=code), code)
    assert [(e.facts["violation"], e.facts["column"]) for e in found] == [("not_null", "plate")]


# --- what breaks only code that is known -------------------------------------------------------------------------------


def test_a_column_must_have_a_value_now(postgres_shop: Shop) -> None:
    send(postgres_shop.url, "UPDATE orders SET vin_code = 'x', remark = 'x', made_at = now()")
    statement = "ALTER TABLE orders ALTER vin_code SET NOT NULL"
    found = postgres_shop.after(statement)
    assert {(failure.action, failure.column, failure.violation) for failure in found} == {
        (INSERT_REQUIRED, "vin_code", Violation.NOT_NULL)
    }
    assert all(evidence.breaks for evidence in judge(found, EXPLICIT))


def test_a_default_does_not_help_an_orm_that_sends_null(postgres_shop: Shop) -> None:
    statement = "ALTER TABLE orders ALTER vin_code SET DEFAULT 'x', ALTER vin_code SET NOT NULL"
    send(postgres_shop.url, "UPDATE orders SET vin_code = 'x'")
    assert breaking(postgres_shop.after(statement), EXPLICIT)


def test_code_that_is_derived_may_well_write_a_value(postgres_shop: Shop) -> None:
    send(postgres_shop.url, "UPDATE orders SET vin_code = 'x'")
    found = postgres_shop.after("ALTER TABLE orders ALTER vin_code SET NOT NULL", code=postgres_shop.derived)
    (evidence,) = judge(found, postgres_shop.derived)
    assert not evidence.breaks
    assert "depends on what the code writes" in evidence.text
    assert evidence.facts["column"] == "vin_code"


def test_a_new_unique_column(shop: Shop) -> None:
    statement = "CREATE UNIQUE INDEX one_vin ON orders (vin_code)"
    found = shop.after(statement)
    assert {failure.violation for failure in found} == {Violation.UNIQUE}
    assert breaking(found, EXPLICIT)


def test_a_new_unique_column_is_only_named_for_derived_code(shop: Shop) -> None:
    found = shop.after("CREATE UNIQUE INDEX one_vin ON orders (vin_code)", code=shop.derived)
    assert found
    assert not breaking(found, shop.derived)


def test_two_rows_at_once_are_alike_but_for_what_is_unique(shop: Shop) -> None:
    send(shop.url, "UPDATE orders SET vin_code = NULL")
    found = shop.after("CREATE UNIQUE INDEX one_vin ON orders (vin_code)")
    assert INSERT_ALIKE in {failure.action for failure in found}


# --- what is no matter -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE orders ADD COLUMN plate VARCHAR(20)",
        "ALTER TABLE orders ADD COLUMN plate VARCHAR(20) NOT NULL DEFAULT 'x'",
        "CREATE TABLE parts (id INTEGER PRIMARY KEY)",
        "CREATE INDEX idx ON orders (vin_code)",
        "CREATE UNIQUE INDEX idx ON orders (id, vin_code)",
    ],
)
def test_an_addition_breaks_nothing(shop: Shop, statement: str) -> None:
    assert shop.after(statement) == ()


def test_a_rule_is_named_and_breaks_nothing(postgres_shop: Shop) -> None:
    statement = "ALTER TABLE orders ADD CONSTRAINT small CHECK (amount < 1000)"
    found = judge(postgres_shop.after(statement), EXPLICIT)
    assert [evidence.breaks for evidence in found] == [False]
    assert found[0].facts["violation"] == "check"


def test_what_fails_already_does_not_count(shop: Shop) -> None:
    send(shop.url, "ALTER TABLE orders DROP COLUMN vin_code")
    assert shop.after("CREATE TABLE parts (id INTEGER PRIMARY KEY)") == ()


def test_a_row_that_the_code_can_not_read_breaks(database_url: str) -> None:
    class Answer(DeclarativeBase):
        pass

    class Reply(Answer):
        __tablename__ = "replies"
        id: Mapped[int] = mapped_column(primary_key=True)
        word: Mapped[str] = mapped_column(sa.Enum("yes", "no", native_enum=False, length=9))

    database = open_database(database_url)
    engine = database.engine()
    Answer.metadata.create_all(engine)
    send(database_url, "INSERT INTO replies VALUES (1, 'yes')")
    code = RunningCode((Model("Reply", Answer.metadata.tables["replies"], Reply),), is_explicit=True)
    before = probe(code, engine, database)
    send(database_url, "UPDATE replies SET word = 'maybe'")
    found = probe(code, engine, database).failures_beyond(before)
    engine.dispose()
    assert READ in {failure.action for failure in found}
    assert any("LookupError" in evidence.text for evidence in breaking(found, code))


def test_rows_that_the_code_could_never_read_say_nothing(database_url: str) -> None:
    class Other(DeclarativeBase):
        pass

    class Reply(Other):
        __tablename__ = "replies"
        id: Mapped[int] = mapped_column(primary_key=True)
        word: Mapped[str] = mapped_column(sa.Enum("yes", "no", native_enum=False, length=9))
        note: Mapped[str] = mapped_column(String(9))

    database = open_database(database_url)
    engine = database.engine()
    Other.metadata.create_all(engine)
    fill(engine, database)
    code = RunningCode((Model("Reply", Other.metadata.tables["replies"], Reply),), is_explicit=True)
    before = probe(code, engine, database)
    assert before.failures == ()
    assert before.incidental
    send(database_url, "ALTER TABLE replies DROP COLUMN note")
    found = probe(code, engine, database).failures_beyond(before)
    engine.dispose()
    assert {failure.violation for failure in found} == {Violation.NO_SUCH_COLUMN}
    assert {READ, INSERT_REQUIRED} <= {failure.action for failure in found}


def test_one_fact_for_what_many_actions_meet(shop: Shop) -> None:
    found = judge(shop.after("ALTER TABLE orders DROP COLUMN remark"), EXPLICIT)
    of_orders = [evidence for evidence in found if evidence.facts["who"] == "Order"]
    assert len(of_orders) == 1
    assert of_orders[0].text.startswith("Order (orders): read, insert, ")
    assert of_orders[0].facts["table"] == "orders"


def test_the_value_is_named_where_only_it_fails(postgres_shop: Shop) -> None:
    found = postgres_shop.after("ALTER TABLE orders ALTER vin_code TYPE varchar(20)")
    values = [failure.value for failure in found if failure.action == INSERT_VALUE]
    assert any("50 characters" in value for value in values)


# --- an INSERT of the old columns --------------------------------------------------------------------------------------


def old_columns(before: str, after: str) -> list[Evidence]:
    database = open_database(after)
    engine, old_engine = database.engine(), open_database(before).engine()
    try:
        return old_columns_insert(old_engine, engine, database)
    finally:
        engine.dispose()
        old_engine.dispose()


@pytest.fixture
def after_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Any) -> Iterator[str]:
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'after.db'}"
    else:
        from tests.support.databases import fresh_database

        with fresh_database(request.getfixturevalue("postgres_server").url) as url:
            yield url


OLD = "CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR(9) NOT NULL UNIQUE)"


@pytest.mark.parametrize(
    ("statements", "said", "breaks"),
    [
        ([OLD.replace("v ", "w TEXT, v ")], "2 old columns works", False),
        ([OLD.replace("v ", "w TEXT NOT NULL DEFAULT 'x', v ")], "2 old columns works", False),
        ([OLD.replace("v ", "w TEXT NOT NULL, v ")], "does not know t.w fails", True),
        (["CREATE TABLE t (id INTEGER PRIMARY KEY, w TEXT NOT NULL)"], "does not know t.w fails", True),
        (["CREATE TABLE t (id INTEGER PRIMARY KEY)"], "t.v is gone", False),
        ([], "t is gone", False),
        ([f"{OLD[:-1]}, CONSTRAINT never CHECK (id < 0 AND id > 0))"], "fails for another reason", False),
    ],
)
def test_an_insert_of_the_old_columns(
    database_url: str, after_url: str, statements: list[str], said: str, breaks: bool
) -> None:
    send(database_url, OLD)
    send(after_url, "CREATE TABLE others (id INTEGER)", *statements)
    found = old_columns(database_url, after_url)
    assert said in " ".join(evidence.text for evidence in found)
    assert any(evidence.breaks for evidence in found) is breaks


def test_rows_that_are_there_are_no_hindrance(database_url: str, after_url: str) -> None:
    send(database_url, OLD)
    send(after_url, OLD, "INSERT INTO t VALUES (1, 'a'), (9001, '9001')")
    assert "works" in old_columns(database_url, after_url)[0].text
