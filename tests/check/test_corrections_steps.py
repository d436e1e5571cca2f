"""What takes several scripts, with a deployment between them, and what has to wait for the code."""

from __future__ import annotations

import pytest

from tests.support.corrections import FUNCTION, TRIGGER, Bench, texts, value
from tests.support.operations import send


def test_a_change_of_type_goes_through_a_new_column(postgres: Bench) -> None:
    correction = postgres.corrected("ALTER TABLE orders ALTER COLUMN amount TYPE NUMERIC(12)")
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
    assert value(postgres, "SELECT sum(new_amount) FROM orders") == 3


@pytest.mark.thorough("postgres")
def test_a_renamed_column_goes_through_a_new_one(bench: Bench) -> None:
    correction = bench.corrected("ALTER TABLE orders RENAME COLUMN vin TO chassis")
    assert len(correction.scripts) == 3
    assert "discards_data" in correction.scripts[2].text
    bench.try_out(correction)
    assert value(bench, "SELECT count(*) FROM orders WHERE chassis = 'V' || id") == 3


@pytest.mark.repetitive(1)
@pytest.mark.parametrize("table", ["orders", "pairs"])
def test_a_renamed_table_goes_through_a_new_one(bench: Bench, table: str) -> None:
    correction = bench.corrected(f"ALTER TABLE {table} RENAME TO jobs")
    bench.try_out(correction)
    assert value(bench, "SELECT count(*) FROM jobs") == 3
    assert table not in bench.schema()["tables"]


@pytest.mark.thorough
def test_a_renamed_table_goes_on_numbering_its_rows(postgres: Bench) -> None:
    postgres.have(
        "CREATE TABLE parts (id SERIAL PRIMARY KEY, name TEXT)",
        "INSERT INTO parts (name) VALUES ('a'), ('b')",
    )
    postgres.try_out(postgres.corrected("ALTER TABLE parts RENAME TO items"))
    send(postgres.url, "INSERT INTO items (name) VALUES ('c')")
    assert value(postgres, "SELECT max(id) FROM items") == 3


@pytest.mark.thorough
def test_a_renamed_parent_keeps_its_children(postgres: Bench) -> None:
    postgres.have(
        "ALTER TABLE orders ADD CONSTRAINT of_customer FOREIGN KEY (customer_id) REFERENCES customers"
    )
    postgres.try_out(postgres.corrected("ALTER TABLE customers RENAME TO clients"))
    keys = postgres.schema()["tables"]["orders"]
    assert "clients" in str(keys)
    assert "customers" not in str(keys)


def test_the_constraint_beside_a_column_has_its_name_on_sqlite_too(sqlite: Bench) -> None:
    sqlite.have(
        "CREATE TABLE parts (id INTEGER PRIMARY KEY, name TEXT CONSTRAINT one_name UNIQUE,"
        " customer_id INTEGER CONSTRAINT of_customer REFERENCES customers (id))"
    )
    sqlite.try_out(sqlite.corrected("ALTER TABLE customers RENAME TO clients"))
    assert sqlite.schema()["tables"].keys() == {"clients", "orders", "pairs", "loose", "parts"}
    assert "customers" not in str(sqlite.schema()["tables"]["parts"])


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


@pytest.mark.repetitive(1)
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


@pytest.mark.thorough("postgres")
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


@pytest.mark.parametrize(
    ("there", "statement", "code"),
    [
        (FUNCTION, "DROP FUNCTION doubled(int)", "the function doubled(integer)"),
        ("CREATE SEQUENCE notes START 7", "DROP SEQUENCE notes", "the sequence notes"),
        (
            TRIGGER.replace("stamp()", "suppress_redundant_updates_trigger()"),
            "DROP TRIGGER stamps ON orders",
            "the trigger stamps ON orders",
        ),
    ],
)
def test_what_else_is_dropped_waits_too(postgres: Bench, there: str, statement: str, code: str) -> None:
    postgres.have(there)
    correction = postgres.corrected(statement)
    (text,) = texts(correction)
    assert f"Before it: deploy code that no longer needs {code}." in text
    assert 'phase = "contract"' in text
    postgres.try_out(correction)
    assert postgres.ends_as_meant()


def test_a_function_that_is_replaced_comes_back(postgres: Bench) -> None:
    postgres.have(FUNCTION)
    correction = postgres.corrected(FUNCTION.replace("* 2", "+ n"))
    postgres.try_out(correction)
    assert postgres.ends_as_meant()


def test_a_default_a_view_and_a_type_wait_for_the_code_too(postgres: Bench) -> None:
    postgres.have("CREATE VIEW plates AS SELECT plate FROM orders", "CREATE TYPE mood AS ENUM ('a')")
    statements = "ALTER TABLE orders ALTER COLUMN amount DROP DEFAULT", "DROP VIEW plates", "DROP TYPE mood"
    correction = postgres.corrected(*statements)
    (text,) = texts(correction)
    assert 'phase = "contract"' in text
    assert "discards_data" not in text
    postgres.try_out(correction)
    assert postgres.ends_as_meant()
