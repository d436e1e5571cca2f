"""Where a script and the application wait for each other, the application wins (C9, C10).

The server ends the one who finds the deadlock, which is whoever waits first for ``deadlock_timeout`` (1 s). Our own
waiting is shorter than that, and so is the time for which the watchdog lets the application wait for us.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import psycopg
import pytest

from tests.guard.conftest import Scene
from tests.support.scripts import Template, sql
from tests.support.sessions import at_work, until_blocked
from tests.support.waiting import until

UPDATE_ALL = "UPDATE cars SET note = 'by the script'"


FOREIGN_KEY: dict[str, tuple[str, Template]] = {
    "op": (
        'op.add_foreign_key("fk_car", "orders", ["car_id"], "cars", ["id"]); op.drop_constraint("fk_car", "orders")',
        "bare",
    ),
    "raw": (
        sql(
            "ALTER TABLE orders ADD CONSTRAINT fk_car FOREIGN KEY (car_id) REFERENCES cars",
            "ALTER TABLE orders DROP CONSTRAINT fk_car",
            transactions="each",
        ),
        "raw",
    ),
}


@pytest.mark.parametrize("form", FOREIGN_KEY)
def test_c09_operations_on_two_tables_never_make_the_application_a_victim(
    scene: Scene, meanwhile: Callable[..., Any], form: str
) -> None:
    """It locks the tables in the other order, over and over."""
    with psycopg.connect(scene.url) as connection:
        connection.execute("ALTER TABLE orders ADD COLUMN car_id INTEGER")
    for _ in range(2):
        scene.script(*FOREIGN_KEY[form])
    is_over = Event()

    def traffic(row: int) -> int:
        transactions = 0
        with scene.session() as session:
            while not is_over.is_set():
                session.execute("UPDATE cars SET note = 'a' WHERE id = %s", [row])
                session.execute("SELECT pg_sleep(0.02)")
                session.execute("UPDATE orders SET note = 'a' WHERE id = %s", [row])
                session.commit()
                transactions += 1
        return transactions

    clients = [meanwhile(traffic, row) for row in (1, 2, 3)]
    try:
        end = scene.start().wait()
    finally:
        is_over.set()
    assert end.returncode == 0, end.output
    assert all(client.result() > 1 for client in clients)  # no client met a deadlock, or its lock_timeout


def test_c10_an_update_of_many_rows_never_makes_the_application_a_victim(
    scene: Scene, meanwhile: Callable[..., Any]
) -> None:
    """The application waits for a row of ours and holds the row that we want next: it has waited first."""
    scene.script(sql(UPDATE_ALL))
    with scene.session() as holder, scene.session() as application:
        holder.execute("UPDATE cars SET note = 'held' WHERE id = 2")
        application.execute("UPDATE cars SET note = 'by the application' WHERE id = 3")
        runner = scene.start()
        until(lambda: at_work(scene.url, UPDATE_ALL))
        until_blocked(scene.url, at_work(scene.url, UPDATE_ALL)[0])
        update = meanwhile(application.execute, "UPDATE cars SET note = 'by the application' WHERE id = 1")
        until_blocked(scene.url, application.info.backend_pid)
        holder.commit()  # from now on each of the two waits for the other
        update.result()
        application.commit()
    end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.attempts >= 2
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'by the script'") == 3
