"""What is written instead of a bad script: it does the same to the schema, and it can be run at any time of day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.corrections import Bench, make_bench, scratch_file, texts
from tests.support.databases import fresh_database
from tests.support.forked import ForkServer
from tests.support.operations import send
from tests.support.postgres_server import Server
from tests.support.projects import make_project
from tests.support.stage import closing_engine


@pytest.fixture
def postgres(
    tmp_path: Path, postgres_url: str, postgres_server: Server, forks: ForkServer
) -> Iterator[Bench]:
    """A bench on PostgreSQL."""
    with fresh_database(postgres_server.url) as scratch:
        yield make_bench(make_project(tmp_path / "project", postgres_url, "light"), scratch, forks)


@pytest.fixture
def sqlite(tmp_path: Path, sqlite_url: str, forks: ForkServer) -> Bench:
    """A bench on SQLite."""
    return make_bench(make_project(tmp_path / "project", sqlite_url, "light"), scratch_file(tmp_path), forks)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgresql)])
def bench(request: pytest.FixtureRequest) -> Bench:
    """The same test body on both databases."""
    return request.getfixturevalue(request.param)


# --- at once -------------------------------------------------------------------------------------------------


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


# --- values that differ from row to row ----------------------------------------------------------------------


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
    assert _value(postgres, f"SELECT count(*) FROM {table} WHERE {name} IS NULL") == 0
    assert _value(postgres, f"SELECT count(DISTINCT {name}) = count(*) FROM {table}")


def test_an_identity_becomes_a_sequence(postgres: Bench) -> None:
    correction = postgres.corrected("ALTER TABLE orders ADD COLUMN number INT GENERATED ALWAYS AS IDENTITY")
    postgres.try_out(correction)
    send(postgres.url, "INSERT INTO orders (id, vin) VALUES (4, 'V4')")
    assert _value(postgres, "SELECT count(DISTINCT number) FROM orders") == 4


@pytest.mark.parametrize("table", ["orders", "pairs"])
def test_batches_are_of_a_thousand_rows_and_committed(postgres: Bench, table: str) -> None:
    values = "SELECT n, 'V' || n FROM generate_series(10, 2600) n"
    columns = "id, vin" if table == "orders" else "a, b"
    send(postgres.url, f"INSERT INTO {table} ({columns}) {values}")
    postgres.try_out(
        postgres.corrected(f"ALTER TABLE {table} ADD COLUMN token UUID DEFAULT gen_random_uuid()")
    )
    assert _value(postgres, f"SELECT count(DISTINCT token) = count(*) FROM {table}")
    per_transaction = f"SELECT max(n) FROM (SELECT count(*) AS n FROM {table} GROUP BY xmin) AS batch"
    assert _value(postgres, per_transaction) == 1000


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


def test_what_the_script_filled_it_with_is_kept(bench: Bench) -> None:
    required = [] if bench.is_sqlite else ["ALTER TABLE orders ALTER COLUMN code SET NOT NULL"]
    correction = bench.corrected(
        "ALTER TABLE orders ADD COLUMN code VARCHAR(8)",
        "UPDATE orders SET code = substr(vin, 2) || ':x' -- from the vin",
        *required,
    )
    bench.try_out(correction)
    assert bench.ends_as_meant()
    assert _value(bench, "SELECT min(code) FROM orders") == "1:x"
    assert _value(bench, "SELECT count(*) FROM orders WHERE code IS NULL") == 0


def test_a_computed_column_is_written_by_code(postgres: Bench) -> None:
    correction = postgres.corrected(
        "ALTER TABLE orders ADD COLUMN twice INT GENERATED ALWAYS AS (amount * 2) STORED"
    )
    assert "deploy code that always writes orders.twice" in correction.between[0]
    postgres.try_out(correction)
    assert _value(postgres, "SELECT sum(twice) FROM orders") == 6


# --- expand and contract -------------------------------------------------------------------------------------


def test_a_change_of_type_goes_through_a_new_column(postgres: Bench) -> None:
    correction = postgres.corrected("ALTER TABLE orders ALTER COLUMN amount TYPE BIGINT")
    assert [script.file for script in correction.scripts] == [
        "003_add_orders_new_amount.py",
        "004_fill_orders_new_amount.py",
        "005_drop_orders_amount.py",
    ]
    assert correction.between == (
        "deploy code that writes both orders.amount and orders.new_amount, and reads orders.amount",
        "deploy code that uses orders.new_amount only",
    )
    postgres.try_out(correction)
    assert _value(postgres, "SELECT sum(new_amount) FROM orders") == 3


def test_a_renamed_column_goes_through_a_new_one(bench: Bench) -> None:
    correction = bench.corrected("ALTER TABLE orders RENAME COLUMN vin TO chassis")
    assert len(correction.scripts) == 3
    assert "discards_data" in correction.scripts[2].text
    bench.try_out(correction)
    assert _value(bench, "SELECT count(*) FROM orders WHERE chassis = 'V' || id") == 3


@pytest.mark.parametrize("table", ["orders", "pairs"])
def test_a_renamed_table_goes_through_a_new_one(bench: Bench, table: str) -> None:
    correction = bench.corrected(f"ALTER TABLE {table} RENAME TO jobs")
    bench.try_out(correction)
    assert _value(bench, "SELECT count(*) FROM jobs") == 3
    assert table not in bench.schema()["tables"]


def test_a_renamed_table_goes_on_numbering_its_rows(postgres: Bench) -> None:
    postgres.have(
        "CREATE TABLE parts (id SERIAL PRIMARY KEY, name TEXT)",
        "INSERT INTO parts (name) VALUES ('a'), ('b')",
    )
    postgres.try_out(postgres.corrected("ALTER TABLE parts RENAME TO items"))
    send(postgres.url, "INSERT INTO items (name) VALUES ('c')")
    assert _value(postgres, "SELECT max(id) FROM items") == 3


def test_a_renamed_parent_keeps_its_children(postgres: Bench) -> None:
    postgres.have(
        "ALTER TABLE orders ADD CONSTRAINT of_customer FOREIGN KEY (customer_id) REFERENCES customers"
    )
    postgres.try_out(postgres.corrected("ALTER TABLE customers RENAME TO clients"))
    keys = postgres.schema()["tables"]["orders"]
    assert "clients" in str(keys)
    assert "customers" not in str(keys)


def test_what_gets_another_definition_is_there_all_the_time(postgres: Bench) -> None:
    postgres.have("ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0)")
    correction = postgres.corrected(
        "DROP INDEX idx_orders_vin",
        "CREATE INDEX idx_orders_vin ON orders (vin, plate)",
        "ALTER TABLE orders DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK (amount >= 0)",
    )
    (text,) = texts(correction)
    assert text.index('op.create_index("idx_orders_vin_2"') < text.index('op.drop_index("idx_orders_vin"')
    postgres.try_out(correction)


# --- what goes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("ALTER TABLE orders DROP COLUMN plate", "code that no longer uses orders.plate"),
        ("DROP TABLE pairs", "code that no longer uses pairs"),
    ],
)
def test_what_is_dropped_waits_for_the_code(bench: Bench, statement: str, code: str) -> None:
    correction = bench.corrected(statement)
    (text,) = texts(correction)
    assert f"Before it: deploy {code}." in text
    assert 'phase = "contract"' in text
    assert "discards_data = " in text
    bench.try_out(correction)
    assert bench.ends_as_meant()


def test_a_column_that_has_to_be_there_gets_optional_before_it_goes(bench: Bench) -> None:
    bench.have("DROP INDEX idx_orders_vin")
    correction = bench.corrected("ALTER TABLE orders DROP COLUMN vin")
    assert correction.between == ("deploy code that no longer uses orders.vin",)
    first, second = texts(correction)
    assert "phase" not in first
    assert 'op.drop_not_null("orders", "vin")' in first
    assert 'op.drop_column("orders", "vin")' in second
    bench.try_out(correction)
    assert bench.ends_as_meant()


def test_a_default_a_view_and_a_type_wait_for_the_code_too(postgres: Bench) -> None:
    postgres.have("CREATE VIEW plates AS SELECT plate FROM orders", "CREATE TYPE mood AS ENUM ('a')")
    statements = "ALTER TABLE orders ALTER COLUMN amount DROP DEFAULT", "DROP VIEW plates", "DROP TYPE mood"
    correction = postgres.corrected(*statements)
    (text,) = texts(correction)
    assert 'phase = "contract"' in text
    assert "discards_data" not in text
    postgres.try_out(correction)
    assert postgres.ends_as_meant()


# --- rows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pairs SET note = 'none'  WHERE note IS NULL OR note = ''",
        "UPDATE orders AS o SET plate = (SELECT name FROM customers c WHERE c.id = o.customer_id)",
        "UPDATE orders SET plate = c.name FROM customers AS c WHERE c.id = orders.customer_id",
        "DELETE FROM orders WHERE plate IS NULL",
        "DELETE FROM pairs",
    ],
)
def test_rows_are_changed_in_batches(bench: Bench, statement: str) -> None:
    correction = bench.corrected(statement)
    (text,) = texts(correction)
    assert "LIMIT 1000" in text
    bench.try_out(correction)
    table = statement.replace("DELETE FROM", "UPDATE").split()[1]
    assert bench.look()[1][table] == _rows_of_scratch(bench)[table]


def test_emptying_a_table_is_deleting_in_batches(postgres: Bench) -> None:
    postgres.try_out(postgres.corrected("TRUNCATE orders"))
    assert _value(postgres, "SELECT count(*) FROM orders") == 0


@pytest.mark.parametrize("table", ["pairs (a, b, note)", "loose (number, word)"])
def test_rows_that_are_given_are_inserted_once(bench: Bench, table: str) -> None:
    if table.startswith("loose"):
        values = "(5, 'it''s:five'), (6, NULL)"
    else:
        values = "(7, 'a', 'x'), (7, 'b', NULL)"
    correction = bench.corrected(f"INSERT INTO {table} VALUES {values}")
    assert "phase" not in correction.scripts[0].text
    bench.try_out(correction)
    assert bench.look()[1] == _rows_of_scratch(bench)


def test_a_value_made_of_its_former_self_is_warned_of(bench: Bench) -> None:
    (text,) = texts(bench.corrected("UPDATE orders SET amount = amount * 2"))
    assert "Run it once: amount is made of its former value" in text


def test_rows_without_a_key_get_advice(bench: Bench) -> None:
    (text,) = texts(bench.corrected("UPDATE loose SET number = 5 WHERE word IS NULL"))
    assert "loose has no key to go by in batches" in text
    compile(text, "x", "exec")


def test_what_changes_the_schema_can_be_rolled_back_without_the_rows(bench: Bench) -> None:
    correction = bench.corrected("CREATE INDEX i ON orders (plate)", "DELETE FROM pairs WHERE a = 1")
    schema, data = texts(correction)
    assert "phase" not in schema
    assert "op.irreversible" in data
    assert not any(correction.between)
    bench.try_out(correction)


# --- the text ------------------------------------------------------------------------------------------------


def test_nothing_is_corrected_where_nothing_differs(postgres: Bench) -> None:
    assert (
        postgres.correct(
            "LOCK TABLE orders", "REINDEX TABLE orders", "UPDATE orders SET amount = 1 WHERE id = 99"
        )
        is None
    )


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE logs (id INT, at DATE) PARTITION BY RANGE (at)",
        "ALTER TABLE orders ADD COLUMN page XML",
        "ALTER TABLE orders ALTER COLUMN id TYPE BIGINT",
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


def _value(bench: Bench, query: str) -> object:
    with closing_engine(bench.url) as engine, engine.connect() as connection:
        return connection.exec_driver_sql(query).scalar()


def _rows_of_scratch(bench: Bench) -> dict[str, tuple[int, str]]:
    from tests.support.fingerprint import rows

    return rows(bench.scratch)
