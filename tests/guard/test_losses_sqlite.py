"""Tables of SQLite that are made anew by hand, or take each other's names: what is forgotten is lost, what is kept is not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.losses import AUTOCOMMIT, SHOP, discarding, doubtful, passes, refused, sending
from tests.support.operations import Trial, send

MORE = (
    "CREATE TABLE cars (id INTEGER PRIMARY KEY, plate TEXT, state TEXT NOT NULL DEFAULT 'new')",
    'CREATE TABLE "odd""[name]" (id INTEGER PRIMARY KEY, a TEXT)',
    """INSERT INTO "odd""[name]" VALUES (1, 'a'), (2, 'b')""",
    "INSERT INTO cars VALUES (1, 'a', 'new'), (2, 'b', 'sold'), (5, 'c', 'old')",
)
NEW = "CREATE TABLE cars_new (id INTEGER PRIMARY KEY, plate VARCHAR(20), state TEXT NOT NULL DEFAULT 'new')"
SWAP = ("DROP TABLE cars", "ALTER TABLE cars_new RENAME TO cars")


@pytest.fixture
def trial(sqlite_url: str, migrations: Path) -> Trial:
    send(sqlite_url, *SHOP, *MORE)
    return Trial(sqlite_url, migrations)


FORGOTTEN = {
    "a column": ([NEW, "INSERT INTO cars_new (id, state) SELECT id, state FROM cars", *SWAP], "cars.plate: 3 values"),
    "a column with a default": ([NEW, "INSERT INTO cars_new (id, plate) SELECT id, plate FROM cars", *SWAP],
                                "cars.state: 3 values"),
    "the key": ([NEW, "INSERT INTO cars_new (plate, state) SELECT plate, state FROM cars", *SWAP], "cars.id: 3 values"),
    "some values": (
        [NEW, "INSERT INTO cars_new SELECT id, CASE id WHEN 1 THEN plate END, state FROM cars", *SWAP], "cars.plate: 2 values"
    ),
    "some rows": ([NEW, "INSERT INTO cars_new SELECT * FROM cars WHERE id < 5", *SWAP], "cars: 1 row"),
    "all rows": ([NEW, *SWAP], "cars: 3 rows"),
    "a column for another one": (
        ["CREATE TABLE cars_new (id INTEGER PRIMARY KEY, state TEXT, color TEXT)",
         "INSERT INTO cars_new (id, state) SELECT id, state FROM cars", *SWAP], "cars.plate: 3 values",
    ),
    "with the old one renamed first": (
        ["ALTER TABLE cars RENAME TO cars_old", NEW.replace("cars_new", "cars"),
         "INSERT INTO cars (id, state) SELECT id, state FROM cars_old", "DROP TABLE cars_old"], "cars.plate: 3 values",
    ),
    "a column that comes back with a constant": (
        ["ALTER TABLE cars DROP COLUMN plate", "ALTER TABLE cars ADD COLUMN plate TEXT DEFAULT 'x'"], "cars.plate: 3 values"
    ),
    "the last column, which comes back": (
        ["ALTER TABLE orders DROP COLUMN plate", "ALTER TABLE orders ADD COLUMN color TEXT DEFAULT 'red'"],
        "orders.plate: 2 values",
    ),
    "a column of a table with an odd name": (
        ['ALTER TABLE "odd""[name]" DROP COLUMN a', 'ALTER TABLE "odd""[name]" ADD COLUMN a TEXT'], "odd*.a: 2 values"
    ),
    "a table whose place another one takes": (
        ["DROP TABLE cars", "CREATE TABLE trucks (n INTEGER, m TEXT, o TEXT)",
         "INSERT INTO trucks VALUES (1, 'a', 'b'), (2, 'b', 'c'), (3, 'c', 'd')"], "cars: 3 rows",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("statements", "loss"), FORGOTTEN.values(), ids=FORGOTTEN)
def test_what_a_new_table_forgets_is_lost(trial: Trial, statements: list[str], loss: str) -> None:
    trial.raw(sending(*statements))
    refused(trial, loss)


COPIED = "INSERT INTO cars_new SELECT * FROM cars"
KEPT = {
    "a new one in its place": [NEW, COPIED, *SWAP],
    "with another name for a column": [
        NEW.replace("plate", "number_plate"), COPIED, *SWAP,
    ],
    "with one column more": [
        NEW.replace("plate ", "color TEXT, plate "), "INSERT INTO cars_new (id, plate, state) SELECT * FROM cars", *SWAP,
    ],
    "the old one renamed first": [
        "ALTER TABLE cars RENAME TO cars_old", NEW.replace("cars_new", "cars"), "INSERT INTO cars SELECT * FROM cars_old",
        "DROP TABLE cars_old",
    ],
    "a new one that is renamed afterwards": [NEW, COPIED, *SWAP, "ALTER TABLE cars RENAME TO trucks"],
    "a new one in the place of a renamed one": [
        "ALTER TABLE cars RENAME TO trucks", *(statement.replace("cars", "trucks") for statement in (NEW, COPIED, *SWAP)),
    ],
    "a table that is renamed and altered": [
        "ALTER TABLE cars RENAME TO trucks", "ALTER TABLE trucks ADD COLUMN n TEXT",
        "ALTER TABLE trucks RENAME COLUMN plate TO p", "DROP TABLE drafts",
    ],
    "a table that is renamed and loses an empty column": [
        "ALTER TABLE orders RENAME TO jobs", "ALTER TABLE jobs DROP COLUMN empty",
    ],
    "the old one kept": [NEW, COPIED, "ALTER TABLE cars RENAME TO cars_old", "ALTER TABLE cars_new RENAME TO cars"],
    "two that change their names": [
        "ALTER TABLE cars RENAME TO x", "ALTER TABLE parts RENAME TO cars", "ALTER TABLE x RENAME TO parts",
    ],
    "a column that is renamed and another one added": [
        "ALTER TABLE cars RENAME COLUMN plate TO p", "ALTER TABLE cars ADD COLUMN plate TEXT",
    ],
    "another table dropped": ["ALTER TABLE cars RENAME TO trucks", "DROP TABLE drafts"],
    "a value moved to a new column": [
        "ALTER TABLE cars ADD COLUMN n TEXT", "UPDATE cars SET n = plate", "UPDATE cars SET plate = NULL",
    ],
}  # fmt: skip


@pytest.mark.parametrize("statements", KEPT.values(), ids=KEPT)
@pytest.mark.parametrize("options", ["", AUTOCOMMIT], ids=["one transaction", "autocommit"])
def test_what_a_new_table_keeps_is_not_lost(trial: Trial, statements: list[str], options: str) -> None:
    if options and {"DROP TABLE cars", "DROP TABLE trucks"} & {*statements}:
        pytest.skip("nobody knows that a new one follows")
    trial.raw(sending(*statements, options=options))
    passes(trial)


# --- made by the script, and what only has a name of that ---------------------------------------------------------

TMP = ["ALTER TABLE parts RENAME TO x", "ALTER TABLE tmp RENAME TO parts", "ALTER TABLE x RENAME TO tmp"]
SWAPPED = {
    "the old one, under the new one's name": (
        ["CREATE TABLE tmp (id INTEGER, order_id INTEGER)", *TMP], ["DROP TABLE tmp"], "tmp: 2 rows"),
    "its rows": (
        ["CREATE TABLE tmp (id INTEGER, order_id INTEGER)", *TMP], ["DELETE FROM tmp WHERE id = 1"], "tmp: 1 row"),
    "the new one's rows, under the old one's name": (
        ["CREATE TABLE tmp AS SELECT * FROM parts", *TMP], ["DELETE FROM parts WHERE id = 1"], "parts: 1 row"),
    "the old column, under the new one's name": (
        ["ALTER TABLE orders ADD COLUMN own TEXT", "ALTER TABLE orders RENAME COLUMN own TO x",
         "ALTER TABLE orders RENAME COLUMN plate TO own"],
        ["ALTER TABLE orders DROP COLUMN own"], "orders.own: 2 values"),
}  # fmt: skip


@pytest.mark.parametrize(("first", "then", "loss"), SWAPPED.values(), ids=SWAPPED)
@pytest.mark.parametrize("ddl_commits", [False, True], ids=["one commit", "each commits"])
def test_a_name_that_the_script_has_given_is_no_licence(
    trial: Trial, first: list[str], then: list[str], loss: str, ddl_commits: bool
) -> None:
    trial.raw(sending(*first, options=AUTOCOMMIT if ddl_commits else "") + "\n" + sending(*then))
    error = trial.failure()
    assert loss in error.message


def test_what_was_copied_before_a_commit_may_go_after_it(trial: Trial) -> None:
    trial.raw(sending("CREATE TABLE tmp AS SELECT * FROM parts", *TMP) + "\n" + sending("DROP TABLE tmp"))
    passes(trial)


def test_a_large_transaction_can_be_compared(trial: Trial) -> None:
    """More than SQLite's cache holds: others must still be able to read the file."""
    send(trial.url, "CREATE TABLE wide (id INTEGER PRIMARY KEY, text TEXT)",
         "INSERT INTO wide WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
         " SELECT i, hex(zeroblob(1000)) FROM n")  # fmt: skip
    trial.raw(sending("UPDATE wide SET text = text || 'x'", "DELETE FROM wide WHERE id = 7"))
    refused(trial, "wide: 1 row")


def test_a_file_that_nobody_else_can_read(trial: Trial) -> None:
    trial.raw(sending(
        "PRAGMA cache_spill = 1", "PRAGMA cache_size = 1",
        "INSERT INTO drafts WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)"
        " SELECT i, hex(zeroblob(1000)) FROM n",
        "DELETE FROM parts WHERE id = 1",
    ))  # fmt: skip
    doubtful(trial, "nobody else can read it, so nothing can be compared")


# --- what commits at once -----------------------------------------------------------------------------------------

SCRIPTS = {
    "a table": "CREATE TABLE x (n); DROP TABLE parts;",
    "rows": "INSERT INTO drafts (id) VALUES (1); /* all */ DELETE FROM parts",
    "in a transaction of its own": "BEGIN; DELETE FROM parts WHERE id = 1; COMMIT;",
    "a column": "ALTER TABLE orders DROP COLUMN plate",
    "rows that others replace": "REPLACE INTO parts VALUES (1, 2)",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("connection", ["c.connection", "c.connection.driver_connection.cursor()"])
def test_a_script_for_the_driver_that_may_lose_something_is_refused(
    trial: Trial, script: str, connection: str
) -> None:
    trial.raw(f"with engine.begin() as c:\n    {connection}.executescript({script!r})")
    error = trial.failure()
    assert "this may lose data, and nobody can look before it is committed" in error.message
    with closing(sqlite3.connect(trial.url.removeprefix("sqlite:///"))) as file:
        assert file.execute("SELECT count(*) FROM parts").fetchone() == (2,)
        assert file.execute("SELECT count(plate) FROM orders").fetchone() == (2,)


def test_a_transaction_that_a_script_for_the_driver_commits(trial: Trial) -> None:
    trial.raw(
        "with engine.begin() as c:\n    c.execute(text('DELETE FROM parts'))\n"
        "    c.connection.executescript('CREATE TABLE x (n)')"
    )
    error = trial.failure()
    assert "nobody can look before it is committed" in error.message
    with closing(sqlite3.connect(trial.url.removeprefix("sqlite:///"))) as file:
        assert file.execute("SELECT count(*) FROM parts").fetchone() == (2,)


def test_a_script_for_the_driver_that_loses_nothing_passes(trial: Trial) -> None:
    script = "CREATE TABLE x (n); INSERT INTO x VALUES ('drop'); UPDATE orders SET plate = 'delete'; DROP TABLE x; DROP TABLE drafts"
    trial.raw(f"with engine.begin() as c:\n    c.connection.executescript({script!r})")
    passes(trial)


def test_what_a_script_for_the_driver_discards_is_told(trial: Trial) -> None:
    trial.raw("with engine.begin() as c:\n    c.connection.executescript('DROP TABLE parts')")
    (outcome,) = discarding(trial).outcomes
    assert "not counted: the drop of table parts outside of a transaction" in outcome.notes


def test_a_savepoint_that_the_driver_releases_is_a_commit(trial: Trial) -> None:
    trial.raw(
        "with engine.connect() as c:\n    cursor = c.connection.cursor()\n    cursor.execute('SAVEPOINT a')\n"
        "    cursor.execute('DELETE FROM parts')\n    cursor.execute('RELEASE a')"
    )
    assert "nobody can look before it is committed" in trial.failure().message
    with closing(sqlite3.connect(trial.url.removeprefix("sqlite:///"))) as file:
        assert file.execute("SELECT count(*) FROM parts").fetchone() == (2,)


@pytest.mark.parametrize(
    "lines",
    [
        sending("INSERT INTO notes VALUES ('b')", "INSERT INTO notes (notes) VALUES ('optimize')"),
        "with engine.begin() as c:\n    c.connection.executescript(\"INSERT INTO notes VALUES ('b')\")",
        "raw = engine.raw_connection()\nraw.cursor().execute(\"INSERT INTO notes VALUES ('b')\")\nraw.commit()\nraw.close()",
    ],
    ids=["SQLAlchemy", "executescript", "a raw connection"],
)
def test_what_a_virtual_table_replaces_of_its_own_is_nobodys_business(trial: Trial, lines: str) -> None:
    send(trial.url, "CREATE VIRTUAL TABLE notes USING fts5 (text)", "INSERT INTO notes VALUES ('a')")
    trial.raw(lines)
    passes(trial)
