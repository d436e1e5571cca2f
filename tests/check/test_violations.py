"""What an error means to running code, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from nonstop.databases import open_database
from nonstop.databases.base import Violation
from tests.support.operations import send

SCHEMA = [
    "CREATE TABLE parents (id INTEGER PRIMARY KEY)",
    """CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR(3) NOT NULL, u INTEGER UNIQUE, n SMALLINT,
        p INTEGER REFERENCES parents (id), c INTEGER CONSTRAINT positive CHECK (c > 0))""",
    "INSERT INTO t (id, v, u) VALUES (1, 'a', 1)",
    "CREATE VIEW w AS SELECT count(*) AS n FROM t",
]
ON_BOTH = [
    ("INSERT INTO t (id) VALUES (2)", Violation.NOT_NULL, "v"),
    ("INSERT INTO t (id, v, u) VALUES (2, 'a', 1)", Violation.UNIQUE, None),
    ("INSERT INTO t (id, v) VALUES (1, 'a')", Violation.UNIQUE, None),
    ("INSERT INTO t (id, v, c) VALUES (2, 'a', 0)", Violation.CHECK, None),
    ("INSERT INTO t (id, v, p) VALUES (2, 'a', 7)", Violation.FOREIGN_KEY, None),
    ("INSERT INTO t (id, v, gone) VALUES (2, 'a', 0)", Violation.NO_SUCH_COLUMN, "gone"),
    ("SELECT gone FROM t", Violation.NO_SUCH_COLUMN, "gone"),
    ("SELECT t.gone FROM t", Violation.NO_SUCH_COLUMN, "gone"),
    ("UPDATE t SET gone = 1", Violation.NO_SUCH_COLUMN, "gone"),
    ("SELECT * FROM gone", Violation.NO_SUCH_TABLE, None),
    ("INSERT INTO w VALUES (1)", Violation.OTHER_STRUCTURE, None),
]
ON_POSTGRESQL = [
    ("INSERT INTO t (id, v) VALUES (2, 'abcd')", Violation.TOO_LONG, None),
    ("INSERT INTO t (id, v, n) VALUES (2, 'a', 40000)", Violation.OUT_OF_RANGE, None),
    ("INSERT INTO t (id, v, n) VALUES (2, 'a', 'x')", Violation.BAD_VALUE, None),
    ("INSERT INTO t (id, v, n) VALUES (2, 'a', now())", Violation.BAD_VALUE, "n"),
    ("SELECT * FROM t WHERE v = 1", Violation.BAD_VALUE, None),
    ("INSERT INTO gone.t VALUES (1)", Violation.NO_SUCH_TABLE, None),
    ("SELECT 'x'::gone", Violation.OTHER_STRUCTURE, None),
    ("DO $$ BEGIN RAISE 'no' USING ERRCODE = '57014'; END $$", None, None),
]


def check(url: str, statement: str, violation: Violation | None, column: str | None) -> None:
    send(url, *SCHEMA)
    database = open_database(url)
    engine = database.engine()
    with engine.connect() as connection:
        if url.startswith("sqlite"):
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        with pytest.raises(sa.exc.DBAPIError) as caught:
            connection.exec_driver_sql(statement)
    engine.dispose()
    for error in (caught.value, caught.value.orig):
        assert error is not None
        assert database.violation(error) is violation
        if column is not None:
            assert database.violated_column(error) == column


@pytest.mark.parametrize(("statement", "violation", "column"), ON_BOTH)
def test_on_both_databases(
    database_url: str, statement: str, violation: Violation, column: str | None
) -> None:
    check(database_url, statement, violation, column)


@pytest.mark.parametrize(("statement", "violation", "column"), ON_POSTGRESQL)
def test_on_postgresql(postgres_url: str, statement: str, violation: Violation, column: str | None) -> None:
    check(postgres_url, statement, violation, column)


def test_what_is_no_matter_of_the_schema(database_url: str) -> None:
    database = open_database(database_url)
    assert database.violation(ValueError("x")) is None
    assert database.violated_column(ValueError("x")) == ""


def test_a_number_that_a_strict_table_refuses(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    engine = database.engine()
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE s (n INTEGER) STRICT")
        with pytest.raises(sa.exc.DBAPIError) as caught:
            connection.exec_driver_sql("INSERT INTO s VALUES ('x')")
    engine.dispose()
    assert database.violation(caught.value) is Violation.BAD_VALUE
    assert database.violated_column(caught.value) == "n"


@pytest.mark.parametrize(
    "definition", ["SERIAL", "INTEGER GENERATED ALWAYS AS IDENTITY", "INTEGER DEFAULT nextval('own')"]
)
def test_numbers_go_on_after_those_that_rows_brought(postgres_url: str, definition: str) -> None:
    send(postgres_url, "CREATE SEQUENCE own", f'CREATE TABLE "a% b" ("q%" {definition} NOT NULL, v TEXT)')
    database = open_database(postgres_url)
    with database.engine().connect() as connection:
        driver = connection.connection.dbapi_connection
        connection.exec_driver_sql('INSERT INTO "a%% b" ("q%%") OVERRIDING SYSTEM VALUE VALUES (41)', ())
        database.continue_counting(driver, '"a% b"', "q%")
        connection.exec_driver_sql("INSERT INTO \"a%% b\" (v) VALUES ('x')", ())
        assert connection.exec_driver_sql('SELECT max("q%%") FROM "a%% b"', ()).scalar() == 42
