"""What takes long is done under a lock that readers and writers do not feel (C23, C25, C29).

Each statement of an operation is measured on tables with some thousand rows: where it locks strongly, it may neither
write a table anew nor read one from end to end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Boolean, Column, DateTime, String, func, true

from nonstop.databases import open_database
from nonstop.descriptions.operations import AddCheck, AddColumn, AddForeignKey, Operation, SetNotNull
from nonstop.operations import steps_for
from tests.guard.conftest import Scene, Session
from tests.reliability.builds import EARLY, GATE
from tests.support import busy_tables
from tests.support.busy_tables import effect_of
from tests.support.databases import fresh_database
from tests.support.postgres_server import Server
from tests.support.scripts import Template, sql
from tests.support.sessions import at_work, until_blocked
from tests.support.waiting import until

FELT_BY_NOBODY = "ShareUpdateExclusiveLock"
VALIDATE = "ALTER TABLE cars VALIDATE CONSTRAINT gated"
CONSTRAINT = "CONSTRAINT gated CHECK (gate(note) IS NOT NULL)"
FORMS: dict[str, tuple[str, Template]] = {
    "op": ('op.add_check("gated", "cars", "gate(note) IS NOT NULL")', "bare"),
    "raw": (sql(f"ALTER TABLE cars ADD {CONSTRAINT}"), "raw"),
}


@pytest.fixture(scope="module")
def tables(postgres_server: Server) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database with busy tables, to be rolled back after each look."""
    with fresh_database(postgres_server.url) as url, psycopg.connect(url) as connection:
        busy_tables.make(connection)
        connection.commit()
        yield connection


def assert_nothing_long_is_felt(connection: psycopg.Connection[Any], operation: Operation) -> None:
    statements = [
        statement
        for step in steps_for(operation, open_database("postgresql://nobody@localhost:1/none"))
        for statement in step.statements
    ]
    try:
        effects = [effect_of(connection, statement) for statement in statements]
    finally:
        connection.rollback()
    for statement, effect in zip(statements, effects, strict=True):
        if effect.stronger_than(FELT_BY_NOBODY):
            assert not effect.rewritten, statement
            assert not effect.read, statement
    assert any(effect.stronger_than(FELT_BY_NOBODY) for effect in effects)


@pytest.mark.parametrize(
    "column",
    [
        Column("car_number", String(20)),
        Column("is_printed", Boolean, nullable=False, server_default=true()),
        Column("created_at", DateTime, server_default=func.now()),
    ],
    ids=lambda column: column.name,
)
def test_c23_a_new_column_rewrites_nothing(tables: psycopg.Connection[Any], column: Column) -> None:
    assert_nothing_long_is_felt(tables, AddColumn("orders", column, None))


def test_c25_a_new_foreign_key_reads_neither_table_under_its_lock(tables: psycopg.Connection[Any]) -> None:
    key = AddForeignKey("new_key", "orders", ("code",), "cars", ("id",), None, None, None, None)
    assert_nothing_long_is_felt(tables, key)


def test_c25_a_new_check_reads_no_table_under_its_lock(tables: psycopg.Connection[Any]) -> None:
    assert_nothing_long_is_felt(tables, AddCheck("new_check", "orders", "code > 0", None))


def test_c29_not_null_reads_no_table_under_its_lock(tables: psycopg.Connection[Any]) -> None:
    assert_nothing_long_is_felt(tables, SetNotNull("orders", "code", None))


@pytest.mark.parametrize("form", FORMS)
def test_c25_writers_go_on_while_old_rows_are_checked(
    scene: Scene, busy_application: Session, meanwhile: Callable[..., Any], form: str
) -> None:
    with psycopg.connect(scene.url, autocommit=True) as keeper:
        keeper.execute(GATE)
        if form == "op":  # it counts bad rows first, which would be held up too: here it finds that done
            keeper.execute(f"ALTER TABLE cars ADD {CONSTRAINT} NOT VALID".encode())
        keeper.execute("SELECT pg_advisory_lock(%s)", [EARLY])
        scene.script(*FORMS[form])
        runner = scene.start()
        until(lambda: at_work(scene.url, VALIDATE))
        until_blocked(scene.url, at_work(scene.url, VALIDATE)[0])
        busy_application.execute("UPDATE cars SET note = 'by the application' WHERE id = 1")
        busy_application.execute("INSERT INTO cars VALUES (4, 'new')")
        keeper.execute("SELECT pg_advisory_unlock(%s)", [EARLY])
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.value("SELECT convalidated FROM pg_constraint WHERE conname = 'gated'") is True
