"""The look before COMMIT on PostgreSQL: what no text tells, and what only seems to be a loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from nonstop.databases.postgresql_losses import ServerLosses
from nonstop.errors import Refused
from tests.support.losses import AUTOCOMMIT, SHOP, discarding, passes, refused, sending
from tests.support.operations import Trial, send

ON_SERVER = (
    "CREATE VIEW plates AS SELECT id, remark FROM orders",
    "CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM orders",
    "CREATE SCHEMA shop",
    "CREATE TABLE shop.cars AS SELECT generate_series(1, 4) AS id",
    "CREATE TYPE mood AS ENUM ('good', 'bad')",
    "CREATE TABLE people (id INTEGER, mood mood)",
    "INSERT INTO people VALUES (1, 'good'), (2, 'bad')",
    "CREATE SEQUENCE invoice_numbers",
    "CREATE TABLE events (id INTEGER, at DATE) PARTITION BY RANGE (at)",
    "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-07-01')",
    "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-07-01') TO ('2027-01-01')",
    "INSERT INTO events SELECT n, '2026-01-01'::date + n FROM generate_series(1, 10) n",
    "CREATE FUNCTION tidy_up() RETURNS void LANGUAGE plpgsql AS 'BEGIN DELETE FROM parts WHERE id = 2; END'",
    "CREATE FUNCTION break_up() RETURNS void LANGUAGE plpgsql AS 'BEGIN DROP TABLE parts; END'",
    "CREATE PROCEDURE clear() LANGUAGE plpgsql AS 'BEGIN DELETE FROM parts; END'",
)


@pytest.fixture
def server(postgres_url: str, migrations: Path) -> Trial:
    """The same on PostgreSQL, with what only that has."""
    send(postgres_url, *SHOP, *ON_SERVER)
    return Trial(postgres_url, migrations)


HIDDEN = {
    "a block that drops": ("DO $$ BEGIN EXECUTE 'DROP TABLE ' || 'parts'; END $$", "parts: *rows"),
    "a block that deletes": ("DO $$ BEGIN DELETE FROM parts WHERE id = 1; END $$", "parts: 1 row"),
    "a block that empties": ("DO $$ BEGIN TRUNCATE parts; END $$", "parts: *rows"),
    "a block that drops a column": ("DO $$ BEGIN ALTER TABLE people DROP mood; END $$", "people.mood: *values"),
    "a function that deletes": ("SELECT tidy_up()", "parts: 1 row"),
    "a function that drops": ("SELECT break_up()", "parts: *rows"),
    "CASCADE over views": ("DROP TABLE parts CASCADE", "parts: 2 rows"),
    "CASCADE of a column": ("ALTER TABLE orders DROP COLUMN remark CASCADE", "orders.remark: 1 value"),
    "CASCADE of a type": ("DROP TYPE mood CASCADE", "people.mood: *values"),
    "a schema": ("DROP SCHEMA shop CASCADE", "shop.cars: *rows"),
    "emptied": ("TRUNCATE parts", "parts: 2 rows"),
    "emptied and refilled": ("TRUNCATE parts; INSERT INTO parts VALUES (7, 1), (8, 1), (9, 1)", "parts: 2 rows"),
    "a materialized view": ("DROP MATERIALIZED VIEW summary", "summary: 1 row"),
    "a sequence that stands alone": ("DROP SEQUENCE invoice_numbers", "sequence invoice_numbers: 1 value"),
    "a partition": ("DROP TABLE events_1", "events_1: 10 rows"),
    "a partitioned table": ("DROP TABLE events", "events_1: 10 rows"),
    "a column of all partitions": ("ALTER TABLE events DROP COLUMN id", "events_1.id: 10 values"),
    "rows of a partitioned table": ("DELETE FROM events WHERE id > 7", "events: 3 rows"),
    "a table in a schema of the search path": ("SET search_path TO shop; DROP TABLE cars", "shop.cars: *rows"),
    "a delete in a WITH": ("WITH gone AS (DELETE FROM parts RETURNING *) SELECT * FROM gone", "parts: 2 rows"),
    "a delete that is explained": ("EXPLAIN ANALYZE DELETE FROM parts WHERE id = 1", "parts: 1 row"),
    "a delete behind a query": ("SELECT 1; DELETE FROM parts WHERE id = 1", "parts: 1 row"),
    "a merge": (
        "MERGE INTO parts p USING orders o ON p.order_id = o.id WHEN MATCHED THEN DELETE", "parts: 2 rows"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "loss"), HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("options", ["", AUTOCOMMIT], ids=["one transaction", "autocommit"])
def test_nothing_passes_unseen(server: Trial, statement: str, loss: str, options: str) -> None:
    server.raw(sending(statement, options=options))
    refused(server, loss)


def test_a_procedure_in_a_transaction(server: Trial) -> None:
    server.raw(sending("CALL clear()"))
    refused(server, "parts: 2 rows")


def test_large_objects(server: Trial) -> None:
    send(server.url, "SELECT lo_create(4711)")
    server.raw(sending("SELECT lo_unlink(4711)"))
    refused(server, "large objects: 1 object")


@pytest.mark.parametrize(("statement", "reason"), [
    ("DROP DATABASE felix_hub_of_yesterday", "nobody can look"),
    ("DELETE FROM parts; COMMIT", "a text of several statements may not end a transaction"),
    ("BEGIN; DROP TABLE parts; COMMIT", "a text of several statements may not end a transaction"),
    ("PREPARE TRANSACTION 'later'", "a commit in two phases can't be watched"),
    ("/* at last */ commit prepared 'earlier'", "a commit in two phases can't be watched"),
])  # fmt: skip
def test_what_nobody_could_look_at_is_refused_before_it_is_sent(
    server: Trial, statement: str, reason: str
) -> None:
    before = server.look()
    server.raw(sending(statement, options=AUTOCOMMIT))
    error = server.failure()
    assert isinstance(error, Refused)
    assert reason in error.message
    assert server.look() == before


NO_LOSS_ON_SERVER = {
    "rows that move to another partition": ["UPDATE events SET at = at + 181 WHERE id <= 5"],
    "a table that is rewritten": ["ALTER TABLE people ALTER COLUMN id TYPE BIGINT"],
    "an empty table that is rewritten": ["ALTER TABLE drafts ALTER COLUMN id TYPE BIGINT"],
    "a rewritten table that grows": [
        "ALTER TABLE parts ALTER COLUMN order_id TYPE BIGINT",
        "INSERT INTO parts VALUES (3, 1), (4, 1), (5, 1), (6, 1)",
    ],
    "a partition that is detached": ["ALTER TABLE events DETACH PARTITION events_2"],
    "a table that moves to another schema": ["ALTER TABLE parts SET SCHEMA shop"],
    "an empty table that goes in a block": ["DO $$ BEGIN DROP TABLE drafts; END $$"],
    "an empty table that is emptied": ["TRUNCATE drafts"],
    "a materialized view that is filled anew": ["REFRESH MATERIALIZED VIEW summary"],
    "a column that is computed": [
        "ALTER TABLE drafts ADD COLUMN twice INTEGER GENERATED ALWAYS AS (id * 2) STORED",
        "ALTER TABLE drafts DROP COLUMN twice",
    ],
}


@pytest.mark.parametrize("statements", NO_LOSS_ON_SERVER.values(), ids=NO_LOSS_ON_SERVER)
def test_what_loses_nothing_passes_on_postgresql(server: Trial, statements: list[str]) -> None:
    server.raw(sending(*statements))
    passes(server)


def test_a_table_that_an_earlier_commit_of_the_script_has_made(server: Trial) -> None:
    server.raw("\n".join([
        sending("CREATE TABLE own AS SELECT * FROM orders"),
        sending("DO $$ BEGIN DELETE FROM own WHERE id = 1; END $$"),
        sending("DO $$ BEGIN DROP TABLE own; END $$"),
    ]))  # fmt: skip
    passes(server)


def test_deletes_of_an_earlier_transaction_are_not_counted_again(server: Trial) -> None:
    """The session's statistics carry them over for up to a second."""
    server.raw(
        "with engine.connect() as connection:\n"
        + "".join(
            f"    connection.execute(text({statement!r}))\n    connection.commit()\n"
            for statement in ("DELETE FROM parts", "INSERT INTO parts VALUES (8, 1)", "DELETE FROM parts")
        )
    )
    (outcome,) = discarding(server).outcomes
    assert [note.partition(" are")[0].partition(" is")[0] for note in outcome.notes] == [
        "parts: 2 rows",
        "parts: 1 row",
    ]


def test_what_the_application_drops_meanwhile_is_its_own_business(server: Trial) -> None:
    server.raw(
        "from nonstop.databases import open_database\n"
        f"other = open_database({server.url!r}).connect(autocommit=True)\n"
        "with engine.begin() as connection:\n"
        "    connection.execute(text('UPDATE drafts SET note = NULL'))\n"
        "    other.execute('DROP TABLE people')\n"
        "    other.execute('DELETE FROM parts')\n"
        "other.close()\n"
    )
    assert passes(server) == ()


def test_a_trigger_that_waits_for_the_commit(server: Trial) -> None:
    send(
        server.url,
        "CREATE FUNCTION clear_parts() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM parts; RETURN NULL; END'",
        "CREATE CONSTRAINT TRIGGER t AFTER UPDATE ON people DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        " EXECUTE FUNCTION clear_parts()",
    )
    server.raw(sending("UPDATE people SET id = 3 WHERE id = 1"))
    refused(server, "parts: 2 rows")


def test_what_a_read_deletes_after_a_commit(server: Trial) -> None:
    """A function that is called after a commit belongs to the next one."""
    lines = """
with engine.connect() as connection:
    connection.execute(text("UPDATE people SET id = 3 WHERE id = 1"))
    connection.commit()
    connection.execute(text("SELECT tidy_up()"))
    connection.commit()
"""
    server.raw(lines)
    error = server.failure()
    assert "parts: 1 row" in error.message
    assert "1 commit of it is permanent" in error.details[-1]


def test_a_change_of_the_catalog_after_a_delete_that_was_rolled_back(server: Trial) -> None:
    """The session's statistics count what was attempted."""
    server.raw("""
with engine.connect() as connection:
    connection.execute(text("DELETE FROM parts"))
    connection.rollback()
    connection.execute(text("ALTER TABLE parts ADD COLUMN note TEXT"))
    connection.commit()
    connection.execute(text("DELETE FROM parts"))
    connection.rollback()
    connection.execute(text("UPDATE parts SET note = 'x'"))
    connection.commit()
    connection.execute(text("DELETE FROM parts"))
    connection.rollback()
    connection.execute(text("SELECT * FROM parts FOR UPDATE"))
    connection.execute(text("UPDATE parts SET note = 'y'"))
    connection.commit()
""")
    passes(server)


def test_a_partition_that_gets_a_new_parent_and_loses_rows(server: Trial) -> None:
    server.raw(sending(
        "CREATE TABLE all_cars (id INTEGER) PARTITION BY RANGE (id)",
        "ALTER TABLE all_cars ATTACH PARTITION shop.cars FOR VALUES FROM (0) TO (100)",
        "DELETE FROM all_cars WHERE id > 1",
    ))  # fmt: skip
    refused(server, "shop.cars: 3 rows")


def test_a_busy_machine_that_breaks_off_the_end_of_a_count_breaks_off_no_script(server: Trial) -> None:
    """The count's timeout holds for its rollback too; here the first of them takes longer than it may."""
    server.raw(
        "import psycopg\n\n\n"
        "class Cursor(psycopg.Cursor):\n"
        "    slow = True\n\n"
        "    def execute(self, query, *rest, **options):\n"
        "        if 'ROLLBACK TO SAVEPOINT nonstop_count' in str(query) and Cursor.slow:\n"
        "            Cursor.slow = False\n"
        "            super().execute('SELECT pg_sleep(60)')\n"
        "        return super().execute(query, *rest, **options)\n\n\n"
        "with engine.begin() as c:\n"
        "    c.connection.driver_connection.cursor_factory = Cursor\n"
        "    c.execute(text('LOCK TABLE people'))\n"
        "    c.execute(text('ALTER TABLE people DROP COLUMN mood'))\n"
    )
    refused(server, "people.mood: 2 values")


def test_a_count_that_would_take_long_is_an_estimate(server: Trial) -> None:
    """Another session keeps the table from being counted for a moment; the drop itself has waited for its turn."""
    server.raw(
        "from nonstop.databases import open_database\n"
        f"other = open_database({server.url!r}).connect()\n"
        "other.execute('LOCK TABLE people')\n"
        "import threading\n"
        "threading.Timer(1, other.close).start()\n" + sending("DROP TABLE people")
    )
    refused(server, "people: a*")


def test_the_columns_of_one_table_are_counted_once_and_before_it_is_locked(server: Trial) -> None:
    """Behind the first statement's lock nobody could count them, and to try would lengthen it."""
    asked: list[str] = []

    class Logged(psycopg.Cursor[Any]):
        def execute(self, query: Any, *more: Any, **options: Any) -> Any:
            asked.append(str(query))
            return super().execute(query, *more, **options)

    send(server.url, "CREATE TABLE wide (a TEXT, b TEXT, c TEXT)", "INSERT INTO wide VALUES ('1', '2', NULL)")
    with psycopg.connect(server.url) as ours, psycopg.connect(server.url, cursor_factory=Logged) as others:
        watch = ServerLosses(others, frozenset())
        for column in "abc":
            drop = f"ALTER TABLE wide DROP COLUMN {column}"
            watch.before(ours, drop)
            ours.execute(drop.encode())
        assert sum("count(*)" in query for query in asked) == 1
        lost = sorted(str(loss) for loss in watch.found(ours))
    assert lost == ["wide.a: 1 value", "wide.b: 1 value", "wide.c: 0 values"]
