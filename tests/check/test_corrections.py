"""What is written instead of a bad script: it does the same to the schema, and can be run at any time of day."""

from __future__ import annotations

import pytest

from nonstop import scripts
from tests.support.corrections import (
    CONSTRAINT_TRIGGER,
    FUNCTION,
    FUNCTION_OF_TRIGGER,
    TRIGGER,
    Bench,
    texts,
    value,
)
from tests.support.operations import send

# --- at once ----------------------------------------------------------------------------------------------


@pytest.mark.repetitive(2)
@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE INDEX idx_plate ON orders (plate)"],
        ["CREATE UNIQUE INDEX idx_open ON orders (lower(plate), vin DESC) WHERE amount > 1 AND vin <> ':x'"],
        ["DROP INDEX idx_orders_vin"],
        ["ALTER TABLE orders ADD COLUMN note VARCHAR(200)"],
        ["ALTER TABLE orders ADD COLUMN state VARCHAR(10) NOT NULL DEFAULT 'it''s new'"],
        ["ALTER TABLE orders ADD COLUMN price NUMERIC(10, 2) DEFAULT 0", "CREATE INDEX i ON orders (price)"],
        [
            "CREATE TABLE parts (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id) ON DELETE CASCADE)"
        ],
        ["CREATE VIEW plates AS SELECT plate FROM orders WHERE plate <> ''"],
    ],
    ids=lambda statements: statements[0],
)
def test_what_can_be_done_at_once_is_one_script_that_ends_the_same(
    bench: Bench, statements: list[str]
) -> None:
    correction = bench.corrected(*statements)
    assert [script.file for script in correction.scripts] == ["003_do_it.py"]
    bench.try_out(correction)
    assert bench.ends_as_meant()


@pytest.mark.repetitive(4)
@pytest.mark.parametrize(
    "statements",
    [
        ["ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0 AND vin <> ':x')"],
        ["ALTER TABLE orders ADD UNIQUE (vin)"],
        ["ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers ON DELETE SET NULL"],
        ["ALTER TABLE loose ADD CONSTRAINT loose_key PRIMARY KEY (number)"],
        ["ALTER TABLE orders ALTER COLUMN amount SET NOT NULL"],
        ["ALTER TABLE orders ALTER COLUMN vin DROP NOT NULL"],
        ["ALTER TABLE orders ALTER COLUMN amount SET DEFAULT 7"],
        ["ALTER TABLE orders ALTER COLUMN vin TYPE VARCHAR(80)"],
        ["CREATE SEQUENCE notes AS INTEGER START 1000 INCREMENT 5 MAXVALUE 9000 CYCLE"],
        [FUNCTION, "ALTER TABLE orders ADD COLUMN gross INTEGER DEFAULT doubled(1)"],
        ["ALTER TABLE orders ADD COLUMN seen INTEGER", FUNCTION_OF_TRIGGER, TRIGGER],
        [CONSTRAINT_TRIGGER],
        [
            "CREATE MATERIALIZED VIEW sums AS SELECT vin, sum(amount) FROM orders GROUP BY vin",
            "CREATE UNIQUE INDEX idx_sums ON sums (vin)",
        ],
        ["CREATE TABLE notes (id INT PRIMARY KEY, of INT REFERENCES orders DEFERRABLE INITIALLY DEFERRED)"],
        ["CREATE TABLE notes (id INT PRIMARY KEY, of INT REFERENCES orders DEFERRABLE)"],
        [
            "CREATE TABLE n (n INT)",
            "CREATE FUNCTION all_n() RETURNS SETOF n LANGUAGE sql AS 'SELECT * FROM n'",
        ],
        [
            'CREATE INDEX idx_c ON orders (vin COLLATE "C", plate varchar_pattern_ops NULLS FIRST) INCLUDE (amount)'
        ],
        [
            "CREATE TYPE mood AS ENUM ('bad', 'good')",
            "CREATE TABLE moods (id BIGSERIAL PRIMARY KEY, mood mood NOT NULL DEFAULT 'good', seen TIMESTAMPTZ DEFAULT now(), exact TIMESTAMP(3), tags INTEGER[], more JSONB DEFAULT '{}', UNIQUE (mood, seen))",
        ],
    ],
    ids=lambda statements: statements[0],
)
def test_the_same_for_what_only_postgresql_alters(postgres: Bench, statements: list[str]) -> None:
    correction = postgres.corrected(*statements)
    assert len(correction.scripts) == 1
    postgres.try_out(correction)
    assert postgres.ends_as_meant()


def test_a_check_over_a_column_that_gets_wider_is_validated_afterwards(postgres: Bench) -> None:
    postgres.have("ALTER TABLE orders ADD CONSTRAINT has_vin CHECK (vin <> '')")
    correction = postgres.corrected("ALTER TABLE orders ALTER COLUMN vin TYPE VARCHAR(80)")
    (text,) = texts(correction)
    assert text.index("NOT VALID") < text.index('op.validate_constraint("has_vin", "orders")')
    postgres.try_out(correction)
    assert postgres.ends_as_meant()


def test_a_trigger_of_sqlite(sqlite: Bench) -> None:
    correction = sqlite.corrected("CREATE TRIGGER counts AFTER UPDATE ON orders BEGIN SELECT 1; END")
    sqlite.try_out(correction)
    assert sqlite.ends_as_meant()


# --- values that differ from row to row -------------------------------------------------------------------


@pytest.mark.repetitive(1)
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("orders", "token UUID NOT NULL DEFAULT gen_random_uuid()"),
        ("pairs", "luck DOUBLE PRECISION DEFAULT random()"),
        ("pairs", "seen TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()"),
        ("orders", "number SERIAL"),
        ("loose", "running BIGSERIAL"),
    ],
)
def test_a_default_that_differs_by_row_is_filled_in_batches(postgres: Bench, table: str, column: str) -> None:
    name = column.split(maxsplit=1)[0]
    correction = postgres.corrected(f"ALTER TABLE {table} ADD COLUMN {column}")
    (text,) = texts(correction)
    assert ("has no key" in text) == (table == "loose")
    postgres.try_out(correction)
    assert postgres.ends_as_meant()
    assert value(postgres, f"SELECT count(*) FROM {table} WHERE {name} IS NULL") == 0
    assert value(postgres, f"SELECT count(DISTINCT {name}) = count(*) FROM {table}")


def test_an_identity_becomes_a_sequence(postgres: Bench) -> None:
    correction = postgres.corrected("ALTER TABLE orders ADD COLUMN number INT GENERATED ALWAYS AS IDENTITY")
    postgres.try_out(correction)
    send(postgres.url, "INSERT INTO orders (id, vin) VALUES (4, 'V4')")
    assert value(postgres, "SELECT count(DISTINCT number) FROM orders") == 4


@pytest.mark.repetitive(1)
@pytest.mark.parametrize("table", ["orders", "pairs"])
def test_batches_are_of_a_thousand_rows_and_committed(postgres: Bench, table: str) -> None:
    values = "SELECT n, 'V' || n FROM generate_series(10, 2600) n"
    columns = "id, vin" if table == "orders" else "a, b"
    send(postgres.url, f"INSERT INTO {table} ({columns}) {values}")
    postgres.try_out(
        postgres.corrected(f"ALTER TABLE {table} ADD COLUMN token UUID DEFAULT gen_random_uuid()")
    )
    assert value(postgres, f"SELECT count(DISTINCT token) = count(*) FROM {table}")
    per_transaction = f"SELECT max(n) FROM (SELECT count(*) AS n FROM {table} GROUP BY xmin) AS batch"
    assert value(postgres, per_transaction) == 1000


def test_a_column_that_has_to_be_there_is_optional_first(postgres: Bench) -> None:
    send(postgres.scratch, "TRUNCATE orders")
    correction = postgres.corrected("ALTER TABLE orders ADD COLUMN code VARCHAR(8) NOT NULL")
    assert [script.file for script in correction.scripts] == [
        "003_add_orders_code.py",
        "004_require_orders_code.py",
    ]
    assert correction.between == ("deploy code that always writes orders.code",)
    send(postgres.url, "TRUNCATE orders")  # nobody says what the rows that are there should have
    postgres.try_out(correction)
    assert postgres.ends_as_meant()


@pytest.mark.thorough("postgres")
def test_what_the_script_filled_it_with_is_kept(bench: Bench) -> None:
    required = [] if bench.is_sqlite else ["ALTER TABLE orders ALTER COLUMN code SET NOT NULL"]
    correction = bench.corrected(
        "ALTER TABLE orders ADD COLUMN code VARCHAR(8)",
        "UPDATE orders SET code = substr(vin, 2) || ':x' -- from the vin",
        *required,
    )
    bench.try_out(correction)
    assert bench.ends_as_meant()
    assert value(bench, "SELECT min(code) FROM orders") == "1:x"
    assert value(bench, "SELECT count(*) FROM orders WHERE code IS NULL") == 0


def test_a_computed_column_is_written_by_code(postgres: Bench) -> None:
    correction = postgres.corrected(
        "ALTER TABLE orders ADD COLUMN twice INT GENERATED ALWAYS AS (amount * 2) STORED"
    )
    assert "deploy code that always writes orders.twice" in correction.between[0]
    postgres.try_out(correction)
    assert value(postgres, "SELECT sum(twice) FROM orders") == 6


# --- the text ---------------------------------------------------------------------------------------------


def test_a_long_reason_to_discard_data_is_one_string(bench: Bench) -> None:
    correction = bench.corrected("DELETE FROM pairs", "DELETE FROM customers", "DELETE FROM orders")
    script = bench.project.migrations / correction.scripts[0].file
    script.write_text(texts(correction)[0], encoding="utf-8")
    assert str(scripts.discards_data(scripts.read(script))).endswith("rows of orders any longer")


def test_nothing_is_corrected_where_nothing_differs(postgres: Bench) -> None:
    assert postgres.correct("LOCK TABLE orders", "REINDEX TABLE orders") is None


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE logs (id INT, at DATE) PARTITION BY RANGE (at)",
        "ALTER TABLE orders ADD CONSTRAINT one_at_a_time EXCLUDE USING gist (int4range(id, id + 1) WITH &&)",
        "ALTER TABLE orders ADD CONSTRAINT one_at_a_time EXCLUDE (vin WITH =) WHERE (amount > 1)",
        "CREATE TABLE places (id INTEGER PRIMARY KEY, rank INTEGER UNIQUE DEFERRABLE)",
        "ALTER TABLE orders ADD COLUMN page XML",
        "ALTER TABLE orders ALTER COLUMN id TYPE VARCHAR(10)",
    ],
)
def test_nothing_is_written_that_would_be_wrong(postgres: Bench, statement: str) -> None:
    assert postgres.correct(statement) is None


def test_the_reason_is_taken_over(bench: Bench) -> None:
    docstring = "Migration 003: notes\n\nWhy: mechanics write\non paper.\n\nMore."
    correction = bench.correct("ALTER TABLE orders ADD COLUMN note TEXT", docstring=docstring)
    assert correction is not None
    assert correction.scripts[0].text == (
        '"""\n'
        "Migration 003: add orders.note.\n\n"
        "Why: mechanics write on paper.\n"
        '"""\n\n'
        "from sqlalchemy import Column, Text\n\n"
        "from nonstop import op\n\n\n"
        "def apply():\n"
        '    op.add_column("orders", Column("note", Text))\n\n\n'
        "def rollback():\n"
        '    op.drop_column("orders", "note")\n'
    )


def test_without_a_reason_one_is_made_of_the_change(bench: Bench) -> None:
    (text,) = texts(bench.corrected("CREATE INDEX i ON orders (plate)"))
    assert "Why: the next release looks for orders by plate." in text
