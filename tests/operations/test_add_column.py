"""op.add_column"""

from __future__ import annotations

import re

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    String,
    Uuid,
    false,
    func,
    text,
)

from nonstop import op
from nonstop.errors import DefinitionConflict, MigrationFailed, Refused, UsageError, ValidationError
from tests.support.operations import Trial, send, sql_of
from tests.support.stage import closing_engine

APPLY = 'op.add_column("orders", Column("car_number", String(20), nullable=True))'
ROLLBACK = 'op.drop_column("orders", "car_number")'


def test_there_and_back(trial: Trial) -> None:
    trial.script(APPLY, ROLLBACK)
    assert "car_number" in trial.there_and_back()["tables"]["orders"]["columns"]


def test_c30_rows_that_exist_get_the_default(trial: Trial) -> None:
    trial.script(
        'op.add_column("orders", Column("printed", Boolean, nullable=False, server_default=false()))',
        'op.drop_column("orders", "printed")',
        before="from sqlalchemy import false",
    )
    trial.there_and_back()
    send(trial.url, "INSERT INTO orders (id) VALUES (3)")


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    ("column", "definition"),
    [
        (Column("car_number", String(20)), "car_number VARCHAR(20)"),
        (Column("n", Integer, nullable=False, server_default=text("0")), "n INTEGER DEFAULT 0 NOT NULL"),
        (Column("Order", String(20), server_default="100%"), "\"Order\" VARCHAR(20) DEFAULT '100%'"),
        (Column("50%", Integer), '"50%" INTEGER'),
    ],
)
def test_the_sql(dialect: str, column: Column, definition: str) -> None:
    assert sql_of(dialect, lambda: op.add_column("orders", column)) == [
        f"ALTER TABLE orders ADD COLUMN {definition};"
    ]


def test_the_sql_of_a_boolean_default_is_each_database_s_own() -> None:
    def call() -> None:
        op.add_column("orders", Column("b", Boolean, nullable=False, server_default=false()), schema="shop")

    assert sql_of("postgresql", call) == [
        "ALTER TABLE shop.orders ADD COLUMN b BOOLEAN DEFAULT false NOT NULL;"
    ]
    assert sql_of("sqlite", call) == ["ALTER TABLE shop.orders ADD COLUMN b BOOLEAN DEFAULT 0 NOT NULL;"]


@pytest.mark.parametrize(
    "definition",
    ["INTEGER", "VARCHAR(10)", "VARCHAR(20) NOT NULL DEFAULT 'x'", "VARCHAR(20) DEFAULT 'x'"],
    ids=["type", "length", "nullability", "default"],
)
def test_a_column_of_that_name_with_another_definition_is_a_conflict(trial: Trial, definition: str) -> None:
    send(trial.url, f"ALTER TABLE orders ADD COLUMN car_number {definition}")
    before = trial.look()
    trial.script(APPLY, ROLLBACK)
    error = trial.failure()
    assert isinstance(error, DefinitionConflict)
    assert "column orders.car_number exists already with another definition" in error.message
    assert trial.look() == before


def test_a_column_that_is_there_is_adopted(trial: Trial) -> None:
    send(trial.url, "ALTER TABLE orders ADD COLUMN car_number VARCHAR(20)")
    before = trial.look()
    trial.script(APPLY, ROLLBACK)
    (outcome,) = trial.apply().outcomes
    assert outcome.notes == ("add column orders.car_number: is so already",)
    assert trial.look() == before


def test_without_the_table_it_says_so(trial: Trial) -> None:
    trial.script('op.add_column("nowhere", Column("a", Integer))')
    error = trial.failure()
    assert isinstance(error, DefinitionConflict)
    assert "there is no table nowhere" in error.message


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (Column("a", Integer, nullable=False), "NOT NULL and has no server default"),
        (Column("a", Integer, index=True), "carries an index, a key or a constraint"),
        (Column("a", Integer, unique=True), "carries an index, a key or a constraint"),
        (Column("a", Integer, ForeignKey("b.id")), "carries an index, a key or a constraint"),
        (
            Column("a", Integer, primary_key=True, server_default=text("1")),
            "carries an index, a key or a constraint",
        ),
    ],
)
def test_c30_what_can_not_be_online_is_refused_before_anything_is_sent(column: Column, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        op.add_column("orders", column)


REWRITING = [
    (Column("a", Integer, server_default=text("random()")), "random() gives each row a value of its own"),
    (Column("a", Uuid, server_default=func.gen_random_uuid()), "gen_random_uuid() gives each row a value"),
    (
        Column("a", DateTime, server_default=func.clock_timestamp()),
        "clock_timestamp() gives each row a value",
    ),
    (Column("a", Integer, server_default=text("nextval('s')")), "nextval() gives each row a value"),
    (Column("a", Integer, Identity()), "an identity gives each row a number of its own"),
    (
        Column("a", Integer, Computed("id * 2", persisted=True)),
        "a stored generated column is computed for each",
    ),
]


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize(("column", "says"), REWRITING, ids=[says.split()[0] for _, says in REWRITING])
def test_what_rewrites_every_row_is_refused_with_the_steps_instead(
    dialect: str, column: Column, says: str
) -> None:
    """C23: on the database of development too, so that it is seen there."""
    with pytest.raises(Refused, match=re.escape(says)) as caught:
        sql_of(dialect, lambda: op.add_column("orders", column))
    assert caught.value.details[0] == "Instead:"
    assert len(caught.value.details) > 2


def test_the_steps_instead_are_verbs() -> None:
    column = Column("token", Uuid, nullable=False, server_default=func.gen_random_uuid())
    with pytest.raises(Refused) as caught:
        sql_of("sqlite", lambda: op.add_column("orders", column, schema="shop"))
    assert caught.value.details[1:] == (
        'op.add_column("orders", Column("token", Uuid()), schema="shop")',
        """op.set_default("orders", "token", text('gen_random_uuid()'), schema="shop")""",
        "# fill the rows that are there in batches, each committed (docs: operations/backfill)",
        'op.set_not_null("orders", "token", schema="shop")',
    )


def test_the_catalog_tells_what_a_function_and_a_type_are(postgres_trial: Trial) -> None:
    send(
        postgres_trial.url,
        "CREATE FUNCTION calm() RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT 7'",
        "CREATE FUNCTION wild() RETURNS integer VOLATILE LANGUAGE sql AS 'SELECT 7'",
        "CREATE TYPE mood AS ENUM ('ok', 'bad')",
    )
    before = postgres_trial.look()
    postgres_trial.script(
        'op.add_column("orders", Column("a", Integer, server_default=text("wild()")))',
        before="from sqlalchemy import text",
    )
    error = postgres_trial.failure()
    assert isinstance(error, Refused)
    assert "wild is not known to be harmless" in error.message
    assert postgres_trial.look() == before
    postgres_trial.script(
        'op.add_column("orders", Column("a", Integer, server_default=text("calm()")))\n'
        'op.add_column("orders", Column("b", Enum("ok", "bad", name="mood")))',
        before="from sqlalchemy import Enum, text",
    )
    postgres_trial.apply()


def test_rows_that_exist_get_the_time_of_the_script(trial: Trial) -> None:
    """SQLite adds such a column to an empty table only: there the table is made anew."""
    trial.script(
        'op.add_column("orders", Column("seen_at", DateTime, nullable=False, server_default=func.now()))',
        'op.drop_column("orders", "seen_at")',
        before="from sqlalchemy import func",
    )
    trial.apply()
    send(trial.url, "INSERT INTO orders (id) VALUES (3)")
    with closing_engine(trial.url) as engine, engine.connect() as connection:
        seen = [row[0] for row in connection.exec_driver_sql("SELECT seen_at FROM orders ORDER BY id")]
    assert None not in seen
    assert seen[0] == seen[1]
    trial.rollback()
    assert "seen_at" not in trial.look()[0]["tables"]["orders"]["columns"]


def test_outside_a_run_it_says_how_to_run() -> None:
    with pytest.raises(UsageError, match="op works only while a migration runs"):
        op.add_column("orders", Column("a", Integer))


def test_a_failure_after_it_undoes_it_on_sqlite_and_is_told_as_part_way_on_postgresql(trial: Trial) -> None:
    before = trial.look()
    trial.script(APPLY + "\nraise RuntimeError('oh no')", ROLLBACK)
    error = trial.failure()
    if trial.is_postgresql:
        assert error.exit_code == 7
        trial.script(APPLY, ROLLBACK)
        trial.apply()
        trial.rollback()
    else:
        assert isinstance(error, MigrationFailed)
    assert trial.look() == before
