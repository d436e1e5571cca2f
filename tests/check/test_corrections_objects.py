"""Materialized views, constraint triggers and partitions that become something else."""

from __future__ import annotations

import pytest

from tests.support.corrections import CONSTRAINT_TRIGGER, TRIGGER, Bench, texts, value
from tests.support.operations import send

SUMS = "CREATE MATERIALIZED VIEW sums AS SELECT vin, sum(amount) AS amount FROM orders GROUP BY vin"
BY_VIN = "CREATE UNIQUE INDEX idx_sums ON sums (vin)"
PARTITIONED = (
    "CREATE TABLE logs (id INT, at DATE, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
    "CREATE INDEX idx_logs_at ON logs (at)",
    "CREATE TABLE logs_old PARTITION OF logs FOR VALUES FROM (MINVALUE) TO ('2025-01-01')",
    "INSERT INTO logs VALUES (1, '2024-07-01'), (2, '2023-07-01')",
)
DETACHED = "ALTER TABLE logs DETACH PARTITION logs_old"


def test_a_materialized_view_of_another_query_is_another_one(postgres: Bench) -> None:
    postgres.have(SUMS, BY_VIN)
    correction = postgres.corrected("DROP MATERIALIZED VIEW sums", SUMS.replace("sum(", "max("), BY_VIN)
    assert correction.between == ("deploy code that reads sums_2 instead of sums",)
    first, second = texts(correction)
    assert "phase" not in first
    assert "discards_data" in second
    postgres.try_out(correction)
    send(postgres.url, "REFRESH MATERIALIZED VIEW CONCURRENTLY sums_2")  # which needs its unique index
    assert value(postgres, "SELECT count(*) FROM sums_2 WHERE amount = 1") == 3
    assert value(postgres, "SELECT to_regclass('sums')") is None


def test_a_materialized_view_that_is_dropped_waits_for_the_code(postgres: Bench) -> None:
    postgres.have(SUMS, BY_VIN)
    correction = postgres.corrected("DROP MATERIALIZED VIEW sums")
    (text,) = texts(correction)
    assert "Before it: deploy code that no longer reads sums." in text
    postgres.try_out(correction)
    assert postgres.ends_as_meant()


@pytest.mark.repetitive(1)
@pytest.mark.parametrize("statement", ["DROP INDEX idx_sums", "CREATE INDEX by_sum ON sums (amount)"])
def test_indexes_of_a_materialized_view_come_and_go_online(postgres: Bench, statement: str) -> None:
    postgres.have(SUMS, BY_VIN)
    correction = postgres.corrected(statement)
    (text,) = texts(correction)
    assert "CONCURRENTLY" in text
    postgres.try_out(correction)
    assert postgres.ends_as_meant()


def test_nothing_is_written_where_a_view_reads_the_materialized_one(postgres: Bench) -> None:
    view = "CREATE VIEW all_sums AS SELECT amount FROM sums"
    postgres.have(SUMS, view)
    statements = ["DROP MATERIALIZED VIEW sums CASCADE", SUMS.replace("sum(", "max("), view]
    assert postgres.correct(*statements) is None


def test_a_constraint_trigger_is_defined_anew_in_one_transaction(postgres: Bench) -> None:
    postgres.have(CONSTRAINT_TRIGGER)
    correction = postgres.corrected(
        "DROP TRIGGER looks ON orders",
        CONSTRAINT_TRIGGER.replace("ON orders", "ON orders DEFERRABLE INITIALLY DEFERRED"),
    )
    (text,) = texts(correction)
    assert text.count("op.execute") == 2  # there, and back
    postgres.try_out(correction)
    assert postgres.ends_as_meant()


def test_a_constraint_trigger_that_is_dropped_waits_for_the_code(postgres: Bench) -> None:
    postgres.have(CONSTRAINT_TRIGGER)
    correction = postgres.corrected("DROP TRIGGER looks ON orders")
    assert "Before it: deploy code" in correction.scripts[0].text
    postgres.try_out(correction)
    assert postgres.ends_as_meant()


def test_a_trigger_that_makes_code_fail_is_not_written_again(bench: Bench) -> None:
    bench.have("CREATE TABLE seen (order_id INTEGER)")
    trigger = "CREATE TRIGGER sees AFTER UPDATE ON orders BEGIN INSERT INTO seen VALUES (OLD.id); END"
    if not bench.is_sqlite:
        trigger = TRIGGER.replace("stamp()", "suppress_redundant_updates_trigger()")
    assert bench.correct(trigger, failing={"orders"}) is None
    # Code that fails because a column is gone is another matter.
    statement = "ALTER TABLE orders DROP COLUMN plate"
    assert bench.correct(statement, failing={"orders"}) is not None


def test_a_partition_is_detached_beside_readers_and_comes_back(postgres: Bench) -> None:
    postgres.have(*PARTITIONED)
    correction = postgres.corrected(DETACHED)
    (text,) = texts(correction)
    assert "CONCURRENTLY" in text
    assert 'phase = "contract"' in text
    postgres.try_out(correction)
    assert value(postgres, "SELECT count(*) FROM logs") == 0
    assert value(postgres, "SELECT count(*) FROM logs_old") == 2


def test_a_detachment_that_was_broken_off_is_finished(postgres: Bench) -> None:
    postgres.have(*PARTITIONED)
    correction = postgres.corrected(DETACHED)
    send(
        postgres.url,
        "UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'logs_old'::regclass",
    )
    postgres.apply(correction.scripts[0])
    assert value(postgres, "SELECT count(*) FROM pg_inherits WHERE inhrelid = 'logs_old'::regclass") == 0


def test_beside_a_default_partition_nothing_is_detached(postgres: Bench) -> None:
    postgres.have(*PARTITIONED, "CREATE TABLE logs_rest PARTITION OF logs DEFAULT")
    assert postgres.correct(DETACHED) is None


def test_an_exclusion_of_what_is_equal_is_a_uniqueness(postgres: Bench) -> None:
    correction = postgres.corrected(
        "ALTER TABLE orders ADD CONSTRAINT one_each EXCLUDE (vin WITH =, plate WITH =)"
    )
    (text,) = texts(correction)
    assert 'op.add_unique("one_each", "orders", ["vin", "plate"])' in text
    assert "instead of an exclusion constraint" in text
    postgres.try_out(correction)


def test_a_partition_that_is_attached_has_no_correction(postgres: Bench) -> None:
    postgres.have(*PARTITIONED, DETACHED)
    bound = "FOR VALUES FROM (MINVALUE) TO ('2025-01-01')"
    assert postgres.correct(f"ALTER TABLE logs ATTACH PARTITION logs_old {bound}") is None


@pytest.mark.thorough
def test_a_schema_comes_before_what_is_in_it(postgres: Bench) -> None:
    correction = postgres.corrected(
        "CREATE SCHEMA IF NOT EXISTS public",
        "CREATE SCHEMA workshop",
        "CREATE TABLE workshop.bays (id INTEGER PRIMARY KEY)",
        "ALTER TABLE pairs SET SCHEMA workshop",
    )
    text = texts(correction)[0]
    assert text.index("CREATE SCHEMA IF NOT EXISTS workshop") < text.index("op.create_table")
    assert "DROP SCHEMA" not in text  # it may have been there
    postgres.try_out(correction)
    assert postgres.ends_as_meant()
