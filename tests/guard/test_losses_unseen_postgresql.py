"""Losses on PostgreSQL that the numbers of a session hide, or only seem to show."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.losses import SHOP, doubtful, passes, refused, sending
from tests.support.operations import Trial, send

ON_SERVER = (
    "CREATE TABLE events (id INTEGER, at INTEGER, note TEXT) PARTITION BY RANGE (at)",
    "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (100)",
    "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (id)",
    "CREATE TABLE events_2_1 PARTITION OF events_2 FOR VALUES FROM (0) TO (1000)",
    "INSERT INTO events SELECT n, n, 'n' FROM generate_series(0, 99) n",
    "CREATE TABLE people (id INTEGER, age TEXT, mood TEXT)",
    "INSERT INTO people VALUES (1, '10', 'good'), (2, '20', NULL), (3, '30', 'bad')",
    "CREATE SCHEMA shop",
    "CREATE TABLE shop.nonstop_steps AS SELECT generate_series(1, 4) AS id",
)


@pytest.fixture
def server(postgres_url: str, migrations: Path) -> Trial:
    send(postgres_url, *SHOP, *ON_SERVER)
    return Trial(postgres_url, migrations)


# --- partitions ---------------------------------------------------------------------------------------------------

INSERT = "INSERT INTO events SELECT n, n FROM generate_series(0, 49) n"
MOVE = "UPDATE events SET at = at + 100 WHERE id < 20"
BACK = "UPDATE events SET at = at - 100 WHERE at >= 100"
NETTED = {
    "as many inserted as deleted": ["DELETE FROM events WHERE id < 50", INSERT],
    "inserted first": [INSERT.replace("(0, 49)", "(0, 49)").replace("SELECT n, n", "SELECT n, n + 100"),
                       "DELETE FROM events_1 WHERE id < 50"],
    "between moves": [MOVE, "DELETE FROM events WHERE id BETWEEN 20 AND 69", INSERT,
                      "UPDATE events SET at = at - 100 WHERE at >= 100"],
    "in one statement": ["WITH gone AS (DELETE FROM events WHERE id < 50 RETURNING *) INSERT INTO events SELECT * FROM gone"],
    "beside an update in one statement": [
        "WITH gone AS (DELETE FROM events WHERE id < 50 RETURNING *) UPDATE events SET note = 'x' WHERE id > 90"
    ],
}  # fmt: skip


@pytest.mark.parametrize("statements", NETTED.values(), ids=NETTED)
def test_rows_deleted_from_partitions_are_not_made_up_for(server: Trial, statements: list[str]) -> None:
    server.raw(sending(*statements))
    refused(server, "events: 50 rows")


def test_what_a_trigger_deletes_behind_a_move(server: Trial) -> None:
    send(
        server.url,
        "CREATE FUNCTION thin_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM events WHERE id = 99;"
        " INSERT INTO events VALUES (0, 0); RETURN NULL; END'",
        "CREATE TRIGGER t AFTER UPDATE ON events FOR EACH STATEMENT EXECUTE FUNCTION thin_out()",
    )
    server.raw(sending(MOVE))
    refused(server, "events: * rows")


MOVED = {
    "by one update": [MOVE],
    "by one and back": [MOVE, BACK],
    "some of those that change": ["UPDATE events SET at = at + 50"],
    "row by row": [f"UPDATE events SET at = at + 100 WHERE id = {n}" for n in range(5)],
    "between other changes": [MOVE, INSERT, "UPDATE events_1 SET note = 'x'", "UPDATE events SET at = at + 50"],
    "again, in the same words": [MOVE, INSERT, BACK, INSERT, MOVE, BACK],
    "and taken back": ["SAVEPOINT a", MOVE, "ROLLBACK TO a", "UPDATE events SET note = 'x'"],
    "before a savepoint": [MOVE, "SAVEPOINT a", "DELETE FROM events", "ROLLBACK TO a"],
    "behind a comment": [f"/* south */ {MOVE}"],
    "behind a WITH": ["WITH few AS (SELECT 20 AS n) UPDATE events SET at = at + 100 FROM few WHERE id < n"],
    "under a name in quotes": [MOVE.replace("events", 'public."events"')],
}  # fmt: skip


@pytest.mark.parametrize("statements", MOVED.values(), ids=MOVED)
def test_rows_that_move_are_not_lost(server: Trial, statements: list[str]) -> None:
    server.raw(sending(*statements))
    passes(server)


def test_rows_that_move_by_a_statement_for_many(server: Trial) -> None:
    server.raw(
        "with engine.begin() as c:\n"
        "    c.execute(text('UPDATE events SET at = at + 100 WHERE id = :id'), [{'id': n} for n in range(30)])"
    )
    passes(server)


# --- what is not counted ------------------------------------------------------------------------------------------

SWITCHED_OFF = {
    "for the session": ["SET track_counts = off", "DELETE FROM parts"],
    "for the transaction": ["SET LOCAL track_counts TO off", "DELETE FROM parts"],
    "for a moment": ["SET track_counts = off", "DELETE FROM parts", "RESET track_counts"],
    "by a function": ["SELECT set_config('track_counts', 'off', true)", "DELETE FROM parts"],
    "in a block": ["DO $$ BEGIN SET LOCAL track_counts = off; DELETE FROM parts; RESET track_counts; END $$"],
    "before another transaction": ["SET track_counts = off", "COMMIT", "DELETE FROM parts"],
}


@pytest.mark.parametrize("statements", SWITCHED_OFF.values(), ids=SWITCHED_OFF)
def test_deleted_rows_that_the_server_does_not_count(server: Trial, statements: list[str]) -> None:
    server.raw(sending(*statements))
    doubtful(server, "parts: what is deleted may go uncounted, for ")


def test_a_function_that_switches_counting_off_for_itself(server: Trial) -> None:
    send(
        server.url,
        "CREATE FUNCTION quiet() RETURNS void LANGUAGE sql SET track_counts = off AS 'DELETE FROM parts'",
    )
    server.raw(sending("SELECT quiet()"))
    doubtful(server, "a function of this database names track_counts")


def test_a_database_that_counts_nothing(server: Trial) -> None:
    name = server.url.rpartition("/")[2].partition("?")[0]
    send(server.url, f'ALTER DATABASE "{name}" SET track_counts = off')
    server.raw(sending("DELETE FROM parts"))
    doubtful(server, "track_counts is off")


# --- types --------------------------------------------------------------------------------------------------------

CONVERTED = {
    "NULL": ("ALTER TABLE people ALTER COLUMN age TYPE INTEGER USING NULL", "people.age: 3 values"),
    "NULL for some": (
        "ALTER TABLE people ALTER age TYPE INTEGER USING CASE WHEN id < 3 THEN age::integer END", "people.age: 1 value"
    ),
    "another column": ("ALTER TABLE people ALTER age TYPE INTEGER USING id", "people.age: 3 values"),
    "NULL of the same type": ("ALTER TABLE people ALTER age TYPE TEXT USING NULL", "people.age: 3 values"),
    "a constant": ("ALTER TABLE people ALTER age SET DATA TYPE INTEGER USING 0", "people.age: 3 values"),
    "a constant in disguise": ("ALTER TABLE people ALTER age TYPE INTEGER USING age::integer * 0", "people.age: 3 values"),
    "beside others": (
        "ALTER TABLE people ALTER id TYPE BIGINT, ALTER mood TYPE BOOLEAN USING NULL, ADD note TEXT",
        "people.mood: 2 values",
    ),
    "of all partitions": (
        "ALTER TABLE events ALTER COLUMN note TYPE INTEGER USING 1", "events_1.note: 100 values"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "loss"), CONVERTED.values(), ids=CONVERTED)
def test_values_that_a_new_type_does_not_keep(server: Trial, statement: str, loss: str) -> None:
    server.raw(sending(statement))
    refused(server, loss)


KEPT = {
    "with a cast": ["ALTER TABLE people ALTER age TYPE INTEGER USING age::integer"],
    "without": ["ALTER TABLE people ALTER mood TYPE VARCHAR(40), ALTER id TYPE BIGINT"],
    "in a block, without NULLs": ["DO $$ BEGIN ALTER TABLE people ALTER age TYPE INTEGER USING age::integer; END $$"],
    "of an empty table": ["ALTER TABLE drafts ALTER note TYPE INTEGER USING NULL"],
    "one after the other in one statement": [
        "ALTER TABLE people ALTER age TYPE INTEGER USING age::integer, ALTER mood TYPE VARCHAR(9)",
    ],
    "of an empty column": ["ALTER TABLE orders ALTER empty TYPE INTEGER USING 0"],
    "of the script's own": [
        "CREATE TABLE own AS SELECT 1 AS n", "ALTER TABLE own ALTER n TYPE BIGINT USING NULL",
    ],
    "twice": [
        "ALTER TABLE people ALTER age TYPE INTEGER USING age::integer",
        "ALTER TABLE people ALTER age TYPE BIGINT USING age + 1",
    ],
}  # fmt: skip


@pytest.mark.parametrize("statements", KEPT.values(), ids=KEPT)
def test_values_that_a_new_type_keeps(server: Trial, statements: list[str]) -> None:
    server.raw(sending(*statements))
    passes(server)


def test_a_new_type_in_a_block_that_may_have_thrown_values_away(server: Trial) -> None:
    server.raw(sending("DO $$ BEGIN ALTER TABLE people ALTER age TYPE INTEGER USING NULL; END $$"))
    doubtful(server, "people.age: its type was changed, and nobody has counted before")


# --- tables that are called like the ledger's ---------------------------------------------------------------------


@pytest.mark.parametrize("statement", [
    "DELETE FROM shop.nonstop_steps WHERE id > 1", "DELETE FROM shop.nonstop_steps WHERE id > 1; SELECT 1",
])  # fmt: skip
def test_a_table_called_like_the_ledgers_in_another_schema(server: Trial, statement: str) -> None:
    server.raw(sending(statement))
    refused(server, "shop.nonstop_steps: 3 rows")


def test_such_a_table_that_is_dropped(server: Trial) -> None:
    server.raw(sending("DROP TABLE shop.nonstop_steps"))
    refused(server, "shop.nonstop_steps: 4 rows")
