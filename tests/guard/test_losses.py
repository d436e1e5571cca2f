"""The look before COMMIT: no apply loses data that nobody has given up, however it would be lost."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from nonstop.descriptions.results import RunResult
from nonstop.descriptions.scripts import Direction
from nonstop.errors import Refused, StoppedPartWay
from nonstop.plan import Request
from tests.support.operations import Trial, send

TABLES = (
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, plate VARCHAR(20), remark TEXT, empty TEXT)",
    "INSERT INTO orders (id, plate, remark) VALUES (1, 'a', 'x'), (2, 'b', NULL), (3, NULL, NULL)",
    "CREATE TABLE parts (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id) ON DELETE CASCADE)",
    "INSERT INTO parts VALUES (1, 1), (2, 1)",
    "CREATE TABLE drafts (id INTEGER PRIMARY KEY, note TEXT)",
)
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
def trial(database_url: str, migrations: Path) -> Trial:
    """A shop with a few rows, on both databases."""
    send(database_url, *TABLES)
    return Trial(database_url, migrations)


@pytest.fixture
def server(postgres_url: str, migrations: Path) -> Trial:
    """The same on PostgreSQL, with what only that has."""
    send(postgres_url, *TABLES, *ON_SERVER)
    return Trial(postgres_url, migrations)


def sending(*statements: str, options: str = "") -> str:
    """The lines that send statements in one transaction of the script's own."""
    lines = [f"with engine.connect(){options} as connection:"]
    lines += [f"    connection.execute(text({statement!r}))" for statement in statements]
    return "\n".join([*lines, "    connection.commit()"])


AUTOCOMMIT = ".execution_options(isolation_level='AUTOCOMMIT')"


def refused(trial: Trial, *losses: str) -> None:
    """The next apply is refused for ``losses``, and changes nothing. A ``*`` in them is an estimate of the server's."""
    before = trial.look()
    error = trial.failure()
    assert isinstance(error, Refused), (error.message, error.details)
    assert fnmatchcase(error.message, f"this would lose data: {'; '.join(losses)}"), error.message
    assert "State: 001_x was undone completely." in error.details
    assert "discards_data" in error.next_step
    assert "--discard-data" in error.next_step
    assert trial.look() == before


def passes(trial: Trial) -> tuple[str, ...]:
    """The next apply passes; its notes come back."""
    (outcome,) = trial.apply().outcomes
    return outcome.notes


def discarding(trial: Trial) -> RunResult:
    result = trial.runner.apply(Request(Direction.APPLY, discard_data=True))
    assert result.error is None, (result.error.message, result.error.details)
    return result


# --- what is refused on both databases --------------------------------------------------------------------------

BY_OP = {
    "a column": ('op.drop_column("orders", "plate")', "orders.plate: 2 values"),
    "a column of one value": ('op.drop_column("orders", "remark")', "orders.remark: 1 value"),
    "a table": ('op.drop_table("parts")', "parts: 2 rows"),
    "rows": ('op.execute("DELETE FROM parts WHERE id = 1")', "parts: 1 row"),
}
BY_HAND = {
    "a column": (["ALTER TABLE orders DROP COLUMN plate"], "orders.plate: 2 values"),
    "a column under a comment": (["/* - */ ALTER TABLE orders -- -\n DROP plate"], "orders.plate: 2 values"),
    "a table": (["DROP TABLE parts"], "parts: 2 rows"),
    "all rows": (["DELETE FROM parts"], "parts: 2 rows"),
    "some rows": (["DELETE FROM parts WHERE id = 1"], "parts: 1 row"),
    "a column that comes back empty": (
        ["ALTER TABLE orders DROP COLUMN plate", "ALTER TABLE orders ADD COLUMN plate VARCHAR(20)"],
        "orders.plate: 2 values",
    ),
    "a table that comes back empty": (
        ["DROP TABLE parts", "CREATE TABLE parts (id INTEGER PRIMARY KEY, order_id INTEGER)"],
        "parts: 2 rows",
    ),
}


@pytest.mark.parametrize(("lines", "loss"), BY_OP.values(), ids=BY_OP)
def test_an_operation_that_loses_data_is_refused(trial: Trial, lines: str, loss: str) -> None:
    trial.script(lines)
    refused(trial, loss)


@pytest.mark.parametrize(("statements", "loss"), BY_HAND.values(), ids=BY_HAND)
def test_plain_sql_that_loses_data_is_refused(trial: Trial, statements: list[str], loss: str) -> None:
    trial.raw(sending(*statements))
    refused(trial, loss)


@pytest.mark.parametrize(("statements", "loss"), BY_HAND.values(), ids=BY_HAND)
def test_in_autocommit_mode_too(trial: Trial, statements: list[str], loss: str) -> None:
    trial.raw(sending(*statements, options=AUTOCOMMIT))
    refused(trial, loss)


def test_a_commit_that_is_sent_as_text_is_looked_at(trial: Trial) -> None:
    trial.raw(sending("DELETE FROM parts", "COMMIT"))
    refused(trial, "parts: 2 rows")


def test_a_trigger_that_deletes(trial: Trial) -> None:
    delete = "DELETE FROM parts WHERE order_id = OLD.id;"
    if trial.is_postgresql:
        send(trial.url,
             f"CREATE FUNCTION clear_parts() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN {delete} RETURN NEW; END'",
             "CREATE TRIGGER t AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION clear_parts()")  # fmt: skip
    else:
        send(trial.url, f"CREATE TRIGGER t AFTER UPDATE ON orders BEGIN {delete} END")
    trial.raw(sending("UPDATE orders SET remark = 'sold' WHERE id = 1"))
    refused(trial, "parts: 2 rows")


def test_children_that_go_with_their_parent(trial: Trial) -> None:
    enforced = [] if trial.is_postgresql else ["PRAGMA foreign_keys = ON"]
    trial.raw(sending(*enforced, "DELETE FROM orders WHERE id = 1"))
    before = trial.look()
    error = trial.failure()
    assert isinstance(error, Refused)
    assert "orders: 1 row" in error.message
    assert "parts: 2 rows" in error.message
    assert trial.look() == before


def test_all_losses_of_a_commit_are_named(trial: Trial) -> None:
    trial.raw(sending("DROP TABLE parts", "ALTER TABLE orders DROP COLUMN plate"))
    error = trial.failure()
    assert "parts: 2 rows" in error.message
    assert "orders.plate: 2 values" in error.message


# --- a script can't turn it into success ------------------------------------------------------------------------

SWALLOWED = """
try:
    {lines}
except Exception:
    pass
"""


@pytest.mark.parametrize("way", ["op", "raw", "autocommit"])
def test_a_script_that_swallows_the_refusal_has_not_succeeded(trial: Trial, way: str) -> None:
    lines = {
        "op": 'op.drop_table("parts")',
        "raw": sending("DROP TABLE parts"),
        "autocommit": sending("DROP TABLE parts", options=AUTOCOMMIT),
    }[way]
    trial.raw(SWALLOWED.format(lines=lines.replace("\n", "\n    ")))
    refused(trial, "parts: 2 rows")


def test_after_a_refusal_nothing_else_goes_through(trial: Trial) -> None:
    attempt = SWALLOWED.format(lines=sending("DROP TABLE parts").replace("\n", "\n    "))
    trial.raw(attempt + sending("CREATE TABLE later (id INTEGER)"))
    refused(trial, "parts: 2 rows")


def test_what_was_committed_before_is_said(trial: Trial) -> None:
    """Exit code 7 wins, and what would help is said all the same."""
    trial.raw("\n".join([sending("CREATE TABLE first (id INTEGER)"), sending("DROP TABLE parts")]))
    error = trial.failure()
    assert isinstance(error, StoppedPartWay)
    assert "parts: 2 rows" in error.message
    assert "discards_data" in error.next_step
    assert "run apply again" in error.next_step


# --- what is no loss --------------------------------------------------------------------------------------------

HARMLESS = {
    "an empty column": ["ALTER TABLE orders DROP COLUMN empty"],
    "an empty table": ["DROP TABLE drafts"],
    "a column of an empty table": ["ALTER TABLE drafts DROP COLUMN note"],
    "a delete that finds nothing": ["DELETE FROM orders WHERE id = 99"],
    "a table of the script's own": ["CREATE TABLE own AS SELECT * FROM orders", "DROP TABLE own"],
    "rows of the script's own": ["CREATE TABLE own AS SELECT * FROM orders", "DELETE FROM own"],
    "a column of the script's own": [
        "ALTER TABLE orders ADD COLUMN own TEXT",
        "UPDATE orders SET own = 'x'",
        "ALTER TABLE orders DROP COLUMN own",
    ],
    "a temporary table": ["CREATE TEMPORARY TABLE t AS SELECT * FROM orders", "DELETE FROM t", "DROP TABLE t"],
    "another name for a table": ["ALTER TABLE orders RENAME TO jobs"],
    "another name for a column": ["ALTER TABLE orders RENAME COLUMN plate TO number_plate"],
    "a table taken from its name and a new one": [
        "ALTER TABLE drafts RENAME TO once",
        "CREATE TABLE drafts (id INTEGER PRIMARY KEY)",
    ],
    "an index": ["CREATE INDEX i ON orders (plate)", "DROP INDEX i"],
    "a view": ["CREATE VIEW v AS SELECT * FROM orders", "DROP VIEW v"],
    "an update": ["UPDATE orders SET plate = 'c'"],
}  # fmt: skip


@pytest.mark.parametrize("statements", HARMLESS.values(), ids=HARMLESS)
@pytest.mark.parametrize("options", ["", AUTOCOMMIT], ids=["one transaction", "autocommit"])
def test_what_loses_nothing_passes(trial: Trial, statements: list[str], options: str) -> None:
    trial.raw(sending(*statements, options=options))
    passes(trial)


def test_that_nothing_was_lost_is_noted(trial: Trial) -> None:
    trial.raw(sending("ALTER TABLE orders DROP COLUMN empty", "DROP TABLE drafts"))
    assert set(passes(trial)) == {"orders.empty: gone, it had no value", "drafts: gone, it had no row"}


def test_a_delete_that_was_rolled_back(trial: Trial) -> None:
    trial.raw("""
with engine.connect() as connection:
    connection.execute(text("UPDATE orders SET remark = 'x'"))
    with connection.begin_nested() as nested:
        connection.execute(text("DELETE FROM parts"))
        nested.rollback()
    connection.commit()
with engine.connect() as connection:
    connection.execute(text("DELETE FROM parts"))
    connection.rollback()
    connection.execute(text("UPDATE parts SET order_id = 2"))
    connection.commit()
""")
    passes(trial)


def test_a_table_that_is_made_anew_with_all_that_was_in_it(sqlite_url: str, migrations: Path) -> None:
    """By hand, as sqlite.org gives it, and by op, which does the same."""
    send(sqlite_url, *TABLES)
    trial = Trial(sqlite_url, migrations)
    trial.raw(sending(
        "CREATE TABLE new (id INTEGER PRIMARY KEY, plate VARCHAR(40), remark TEXT, empty TEXT)",
        "INSERT INTO new SELECT * FROM orders",
        "DROP TABLE orders",
        "ALTER TABLE new RENAME TO orders",
    ) + '\nop.set_default("orders", "plate", "none")\nop.set_not_null("parts", "order_id")')  # fmt: skip
    assert passes(trial) == ()


def test_a_column_that_is_left_behind_when_a_table_is_made_anew(sqlite_url: str, migrations: Path) -> None:
    send(sqlite_url, *TABLES)
    trial = Trial(sqlite_url, migrations)
    trial.raw(sending(
        "CREATE TABLE new (id INTEGER PRIMARY KEY, remark TEXT, empty TEXT)",
        "INSERT INTO new SELECT id, remark, empty FROM orders",
        "DROP TABLE orders",
        "ALTER TABLE new RENAME TO orders",
    ))  # fmt: skip
    refused(trial, "orders.plate: 2 values")


# --- with permission --------------------------------------------------------------------------------------------


def test_a_script_that_says_why_passes(trial: Trial) -> None:
    trial.script('op.drop_column("orders", "plate")', before='discards_data = "nobody reads it"')
    (outcome,) = trial.apply().outcomes
    assert outcome.notes == ("orders.plate: 2 values are discarded (nobody reads it)",)
    events = [event for event in trial.runner.events(9) if event.kind == "apply"]
    assert [event.detail for event in events] == list(outcome.notes)


def test_a_flag_lets_all_scripts_pass(trial: Trial) -> None:
    trial.raw(sending("DROP TABLE parts"))
    (outcome,) = discarding(trial).outcomes
    assert outcome.notes == ("parts: 2 rows are discarded (--discard-data)",)


def test_a_rollback_passes_and_says_what_is_lost(trial: Trial) -> None:
    trial.script(
        'op.add_column("orders", Column("note", String(9)))\nop.add_column("orders", Column("unused", String(9)))',
        'op.drop_column("orders", "unused")\nop.drop_column("orders", "note")\nop.drop_table("parts")',
    )
    trial.apply()
    send(trial.url, "UPDATE orders SET note = 'x' WHERE id > 1")
    (outcome,) = trial.rollback().outcomes
    assert outcome.notes == ("orders.note: 2 values are lost", "parts: 2 rows are lost")
    events = [event for event in trial.runner.events(9) if event.kind == "rollback"]
    assert [event.detail for event in events] == ["; ".join(outcome.notes)]


def test_a_reason_that_is_none_stops_the_script_before_it_runs(trial: Trial) -> None:
    trial.script('op.drop_table("parts")', before='discards_data = ""')
    with pytest.raises(Exception, match="discards_data does not say why"):
        trial.run()


# --- PostgreSQL: what no text tells -----------------------------------------------------------------------------

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


@pytest.mark.parametrize("statement", [
    "DROP DATABASE felix_hub_of_yesterday",
    "DELETE FROM parts; COMMIT",
    "BEGIN; DROP TABLE parts; COMMIT",
])  # fmt: skip
def test_what_nobody_could_look_at_is_refused_before_it_is_sent(server: Trial, statement: str) -> None:
    before = server.look()
    server.raw(sending(statement, options=AUTOCOMMIT))
    error = server.failure()
    assert isinstance(error, Refused)
    assert "nobody can look" in error.message
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
