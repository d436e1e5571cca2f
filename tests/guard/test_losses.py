"""The look before COMMIT: no apply loses data that nobody has given up, however it would be lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from nonstop.descriptions.results import State
from nonstop.errors import Refused, StoppedPartWay, ValidationError
from tests.support.losses import AUTOCOMMIT, SHOP, discarding, passes, refused, sending
from tests.support.operations import Trial, send


@pytest.fixture
def trial(database_url: str, migrations: Path) -> Trial:
    """A shop with a few rows, on both databases."""
    send(database_url, *SHOP)
    return Trial(database_url, migrations)


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


def test_rows_that_another_one_replaces_on_sqlite(migrations: Path, sqlite_url: str) -> None:
    """It has a number of the one and a code of the other: where there were two rows, one is left."""
    send(sqlite_url, "CREATE TABLE codes (id INTEGER PRIMARY KEY, code TEXT UNIQUE)",
         "INSERT INTO codes VALUES (1, 'a'), (2, 'b')")  # fmt: skip
    trial = Trial(sqlite_url, migrations)
    trial.raw(sending("REPLACE INTO codes VALUES (1, 'b')"))
    refused(trial, "codes: 1 row")


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


def test_what_is_lost_is_said_also_where_the_script_fails_later(trial: Trial) -> None:
    lines = [
        sending("DELETE FROM parts"),
        sending("UPDATE orders SET remark = 'x'"),
        "raise ValueError('later')",
    ]
    trial.raw("\n".join(lines))
    path = trial.folder / "001_x.py"
    path.write_text(path.read_text() + '\ndiscards_data = "no longer made"\n')
    error = trial.failure()
    assert isinstance(error, StoppedPartWay)
    assert "parts: 2 rows are discarded (no longer made)" in error.details
    (event,) = [event for event in trial.runner.events(9) if event.kind == "failure"]
    assert "parts: 2 rows are discarded (no longer made)" in event.detail


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
    send(sqlite_url, *SHOP)
    trial = Trial(sqlite_url, migrations)
    trial.raw(sending(
        "CREATE TABLE new (id INTEGER PRIMARY KEY, plate VARCHAR(40), remark TEXT, empty TEXT)",
        "INSERT INTO new SELECT * FROM orders",
        "DROP TABLE orders",
        "ALTER TABLE new RENAME TO orders",
    ) + '\nop.set_default("orders", "plate", "none")\nop.set_not_null("parts", "order_id")')  # fmt: skip
    assert passes(trial) == ()


def test_a_column_that_is_left_behind_when_a_table_is_made_anew(sqlite_url: str, migrations: Path) -> None:
    send(sqlite_url, *SHOP)
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
    with pytest.raises(ValidationError, match="discards_data does not say why"):
        trial.run()
    assert trial.runner.status().migrations[0].state is State.BROKEN


def test_an_error_that_the_script_overcomes_is_its_own_business(trial: Trial) -> None:
    """Nothing is asked in a transaction that has failed, and what was rolled back is no loss."""
    trial.raw("""
with engine.connect() as connection:
    try:
        connection.execute(text("DELETE FROM parts"))
        connection.execute(text("DELETE FROM nowhere"))
    except Exception:
        connection.rollback()
    connection.execute(text("UPDATE orders SET remark = 'x'"))
    connection.commit()
""")
    passes(trial)


def test_a_column_that_the_script_failed_to_make_is_not_its_own(trial: Trial) -> None:
    trial.raw("""
with engine.connect() as connection:
    try:
        connection.execute(text("ALTER TABLE orders ADD COLUMN plate TEXT"))
    except Exception:
        connection.rollback()
    connection.execute(text("CREATE TABLE IF NOT EXISTS parts (id INTEGER)"))
    connection.execute(text("ALTER TABLE orders DROP COLUMN plate"))
    connection.execute(text("DROP TABLE parts"))
    connection.commit()
""")
    error = trial.failure()
    assert "parts: 2 rows" in error.message
    assert "orders.plate: 2 values" in error.message
