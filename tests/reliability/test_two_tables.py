"""What locks more than one table holds none of them up while it waits for another (C26, C27)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import psycopg
import pytest

from tests.guard.conftest import Scene, Session
from tests.support.scripts import Template, sql
from tests.support.sessions import queued_for, until_it_looks

DROPS: dict[str, tuple[str, Template]] = {
    "op.drop_table": ('op.drop_table("parts")', "bare"),
    "op.drop_column": ('op.drop_column("parts", "car_id")', "bare"),
    "op.drop_constraint": ('op.drop_constraint("fk_car", "parts")', "bare"),
    "table": (sql("DROP TABLE parts"), "raw"),
    "column": (sql("ALTER TABLE parts DROP COLUMN car_id"), "raw"),
    "constraint": (sql("ALTER TABLE parts DROP CONSTRAINT fk_car"), "raw"),
}
ADDS: dict[str, tuple[str, Template]] = {
    "op": ('op.add_foreign_key("fk_new", "parts", ["id"], "cars", ["id"])', "bare"),
    "raw": (sql("ALTER TABLE parts ADD CONSTRAINT fk_new FOREIGN KEY (id) REFERENCES cars"), "raw"),
}


@pytest.fixture
def related(scene: Scene) -> Scene:
    """Parts that refer to a car and to an order."""
    with psycopg.connect(scene.url) as connection:
        connection.execute(
            "CREATE TABLE parts (id INTEGER PRIMARY KEY, car_id INTEGER CONSTRAINT fk_car REFERENCES cars,"
            " order_id INTEGER CONSTRAINT fk_order REFERENCES orders)"
        )
    return scene


@pytest.mark.parametrize("dropped", DROPS)
def test_c26_the_parent_of_a_foreign_key_is_looked_at_too(
    related: Scene, busy_application: Session, dropped: str
) -> None:
    """An old reader of the parent is in the way: nobody queues behind us, neither there nor at the child."""
    related.script(*DROPS[dropped])
    may_lose_data(related)
    with related.session() as reader:
        reader.execute("SELECT * FROM cars")
        runner = related.start()
        for _ in range(5):
            until_it_looks(related.url)
            assert [queued_for(related.url, table) for table in ("cars", "parts")] == [0, 0]
            busy_application.execute("SELECT * FROM parts")
            busy_application.execute("UPDATE cars SET note = note WHERE id = 1")
        reader.rollback()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert related.value("SELECT count(*) FROM pg_constraint WHERE conname = 'fk_car'") == 0


@pytest.mark.parametrize("form", ADDS)
def test_c26_an_added_foreign_key_holds_up_neither_table(
    related: Scene, busy_application: Session, form: str
) -> None:
    related.script(*ADDS[form])
    with related.session() as writer:
        writer.execute("UPDATE cars SET note = 'x' WHERE id = 2")
        runner = related.start()
        for _ in range(5):
            until_it_looks(related.url)
            assert queued_for(related.url, "parts") == 0
            busy_application.execute("DELETE FROM parts")
            busy_application.execute("UPDATE cars SET note = note WHERE id = 1")
        writer.rollback()
        end = runner.wait()
    assert end.returncode == 0, end.output


@pytest.mark.parametrize("form", ["op.drop_table", "table"])
def test_c27_waiting_for_one_table_after_the_other_stays_within_the_budget(
    related: Scene, meanwhile: Callable[..., Any], form: str
) -> None:
    """The server's limit is for each lock anew: waiting for three tables could take three times as long.

    All three are always held by somebody, for a fifth of the budget each time.
    """
    related.script(*DROPS[form])
    may_lose_data(related)
    with busy(related, meanwhile):
        end = related.start().wait()
    assert end.returncode == 0, end.output


def may_lose_data(scene: Scene) -> None:
    """Let the script say that it knows what it does; ``parts`` is empty anyway."""
    path = scene.project.migrations / "001_script.py"
    source = path.read_text()
    path.write_text(source.replace("\ndef apply", '\ndiscards_data = "the table is empty"\n\n\ndef apply', 1))


@contextmanager
def busy(scene: Scene, meanwhile: Callable[..., Any]) -> Iterator[None]:
    """Clients that hold ``cars`` and ``orders`` for 200 ms at a time and would notice if they had to wait for long."""
    is_over = Event()

    def traffic(table: str, first: float) -> int:
        transactions = 0
        with scene.session() as session:
            session.execute("SELECT pg_sleep(%s)", [first])
            while not is_over.is_set():
                session.execute(f"UPDATE {table} SET note = note WHERE false".encode())
                session.execute("SELECT pg_sleep(0.2)")
                session.commit()
                transactions += 1
        return transactions

    clients = [
        meanwhile(traffic, table, first)
        for table, first in (("cars", 0), ("cars", 0.1), ("orders", 0.05), ("orders", 0.15))
    ]
    try:
        yield
    finally:
        is_over.set()
    assert all(client.result() > 1 for client in clients)  # no client met its lock_timeout
