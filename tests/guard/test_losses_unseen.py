"""Losses that a look at statements alone would miss: by a driver's cursor, behind a netting, under another name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.losses import SHOP, doubtful, passes, refused, sending
from tests.support.operations import Trial, send


@pytest.fixture
def trial(database_url: str, migrations: Path) -> Trial:
    """A shop with a few rows, on both databases."""
    send(database_url, *SHOP)
    return Trial(database_url, migrations)


# --- a driver's cursor --------------------------------------------------------------------------------------------

BY_CURSOR = {
    "a table": ("DROP TABLE parts", "parts: *2 rows"),
    "rows": ("DELETE FROM parts WHERE id = 1", "parts: 1 row"),
    "a column": ("ALTER TABLE orders DROP COLUMN plate", "orders.plate: *values"),
}
WAYS = {
    "begin": "with engine.begin() as c:\n    c.connection.cursor().execute({statement!r})",
    "after a query": "with engine.begin() as c:\n    c.execute(text('SELECT 1'))\n    c.connection.cursor().execute({statement!r})",
    "before a statement": (
        "with engine.begin() as c:\n    c.connection.cursor().execute({statement!r})\n"
        "    c.execute(text('INSERT INTO drafts (id) VALUES (7)'))"
    ),
    "after a statement": (
        "with engine.begin() as c:\n    c.execute(text('INSERT INTO drafts (id) VALUES (8)'))\n"
        "    c.connection.cursor().execute({statement!r})"
    ),
    "the driver's own connection": (
        "with engine.begin() as c:\n    c.connection.driver_connection.cursor().execute({statement!r})"
    ),
    "a later transaction": (
        "with engine.connect() as c:\n    c.execute(text('INSERT INTO drafts (id) VALUES (7)'))\n    c.rollback()\n"
        "    with c.begin():\n        c.connection.cursor().execute({statement!r})"
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(("statement", "loss"), BY_CURSOR.values(), ids=BY_CURSOR)
def test_a_cursor_of_the_driver_hides_nothing(trial: Trial, way: str, statement: str, loss: str) -> None:
    trial.raw(way.format(statement=statement))
    if way == WAYS["a later transaction"] and trial.is_postgresql and loss == "parts: 1 row":
        doubtful(trial, "parts: rows may be deleted, or were by an earlier transaction")
    elif trial.is_postgresql or loss == "parts: 1 row" or way == WAYS["after a statement"]:
        refused(trial, loss)
    else:  # such a statement commits itself
        before = trial.look()
        assert "this may lose data, and nobody can look before it is committed" in trial.failure().message
        assert trial.look() == before


@pytest.mark.parametrize("statement", [
    "INSERT INTO drafts (id) VALUES (1)",
    "ALTER TABLE orders ADD COLUMN note TEXT",
    "UPDATE orders SET plate = 'z'",
    "ALTER TABLE orders RENAME COLUMN plate TO number_plate",
    "ALTER TABLE orders RENAME TO jobs",
    "CREATE TABLE later (id INTEGER)",
])  # fmt: skip
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_cursor_may_change_what_loses_nothing(trial: Trial, way: str, statement: str) -> None:
    trial.raw(way.format(statement=statement))
    passes(trial)


# --- savepoints ---------------------------------------------------------------------------------------------------

TAKEN_BACK = {
    "one": ["SAVEPOINT a", "DELETE FROM parts", "ROLLBACK TO a"],
    "the outer of two": ["SAVEPOINT a", "SAVEPOINT b", "DELETE FROM parts", "RELEASE b", "ROLLBACK TO SAVEPOINT a"],
    "both": [
        "SAVEPOINT a", "DELETE FROM parts WHERE id = 1", "SAVEPOINT b", "DELETE FROM parts", "ROLLBACK TO b",
        "ROLLBACK TO a",
    ],
    "twice the same": ["SAVEPOINT a", "DELETE FROM parts", "ROLLBACK TO a", "DELETE FROM parts", "ROLLBACK TO a"],
    "of one name": ["SAVEPOINT a", "SAVEPOINT a", "DELETE FROM parts", "ROLLBACK TO a", "RELEASE a", "RELEASE a"],
    "with a drop": ["SAVEPOINT a", "DELETE FROM parts", "DROP TABLE parts", "ROLLBACK TO a"],
    "of rows that were inserted behind it": [
        "SAVEPOINT a", "INSERT INTO parts VALUES (8, 1)", "DELETE FROM parts", "ROLLBACK TO a",
    ],
}  # fmt: skip


@pytest.mark.parametrize("statements", TAKEN_BACK.values(), ids=TAKEN_BACK)
def test_what_a_savepoint_takes_back_is_not_lost(trial: Trial, statements: list[str]) -> None:
    trial.raw(sending("UPDATE parts SET order_id = 2", *statements, "UPDATE parts SET order_id = 1"))
    passes(trial)


KEPT = {
    "released": ["SAVEPOINT a", "DELETE FROM parts WHERE id = 1", "RELEASE a"],
    "before it": ["DELETE FROM parts WHERE id = 1", "SAVEPOINT a", "DELETE FROM parts", "ROLLBACK TO a"],
    "between two": [
        "SAVEPOINT a", "DELETE FROM parts WHERE id = 1", "SAVEPOINT b", "DELETE FROM parts", "ROLLBACK TO b",
    ],
    "after it": ["SAVEPOINT a", "DELETE FROM parts", "ROLLBACK TO a", "DELETE FROM parts WHERE id = 1"],
    "released with the outer one": [
        "SAVEPOINT a", "SAVEPOINT b", "DELETE FROM parts WHERE id = 1", "RELEASE a",
    ],
}  # fmt: skip


@pytest.mark.parametrize("statements", KEPT.values(), ids=KEPT)
def test_what_a_savepoint_keeps_is_lost(trial: Trial, statements: list[str]) -> None:
    trial.raw(sending("UPDATE parts SET order_id = 2", *statements))
    refused(trial, "parts: 1 row")


# --- commits of the driver's own ----------------------------------------------------------------------------------

DRIVERS_COMMITS = {
    "on a raw connection": "raw = engine.raw_connection()\nraw.cursor().execute({statement!r})\nraw.commit()\nraw.close()",
    "under a connection": (
        "with engine.connect() as c:\n    c.connection.cursor().execute({statement!r})\n    c.connection.commit()"
    ),
    "after a statement": (
        "with engine.connect() as c:\n    c.execute(text({statement!r}))\n    c.connection.driver_connection.commit()"
    ),
}


@pytest.mark.parametrize("way", DRIVERS_COMMITS.values(), ids=DRIVERS_COMMITS)
@pytest.mark.parametrize("statement", [statement for statement, _ in BY_CURSOR.values()], ids=[*BY_CURSOR])
def test_a_commit_of_the_driver_is_looked_at_or_refused(trial: Trial, way: str, statement: str) -> None:
    trial.raw(way.format(statement=statement))
    before = trial.look()
    error = trial.failure()
    assert "lose data" in error.message
    assert trial.look() == before


@pytest.mark.parametrize("way", DRIVERS_COMMITS.values(), ids=DRIVERS_COMMITS)
@pytest.mark.parametrize("statement", [
    "INSERT INTO drafts (id) VALUES (1)", "UPDATE orders SET plate = 'z'", "ALTER TABLE orders ADD COLUMN note TEXT",
])  # fmt: skip
def test_a_commit_of_the_driver_that_loses_nothing_passes(trial: Trial, way: str, statement: str) -> None:
    trial.raw(way.format(statement=statement))
    passes(trial)


def test_after_a_refusal_the_driver_commits_nothing_either(trial: Trial) -> None:
    trial.raw(
        "raw = engine.raw_connection()\n"
        "for attempt in range(2):\n"
        "    try:\n"
        "        raw.cursor().execute('DELETE FROM parts')\n"
        "        raw.commit()\n"
        "    except Exception:\n"
        "        pass\n"
        "raw.close()"
    )
    before = trial.look()
    assert "lose data" in trial.failure().message
    assert trial.look() == before
