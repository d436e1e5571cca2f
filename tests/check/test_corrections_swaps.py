"""A larger integer for a column: a copy of it takes its place, and code that runs does not notice."""

from __future__ import annotations

import pytest

from tests.support.corrections import Bench, shape, texts, value
from tests.support.operations import send

OF_CUSTOMER = (
    "ALTER TABLE orders ADD CONSTRAINT of_customer FOREIGN KEY (customer_id) REFERENCES customers"
    " ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"
)


@pytest.mark.repetitive(2)
@pytest.mark.parametrize(
    ("there", "statements"),
    [
        (
            [OF_CUSTOMER, "CREATE INDEX idx_customer ON orders (customer_id)"],
            [
                "ALTER TABLE customers ALTER COLUMN id TYPE BIGINT",
                "ALTER TABLE orders ALTER COLUMN customer_id TYPE BIGINT",
            ],
        ),
        ([OF_CUSTOMER], ["ALTER TABLE customers ALTER COLUMN id TYPE BIGINT"]),
        ([OF_CUSTOMER], ["ALTER TABLE orders ALTER COLUMN customer_id TYPE BIGINT"]),
        (
            ["ALTER TABLE orders ADD COLUMN part_of INTEGER REFERENCES orders, ADD UNIQUE (part_of, id)"],
            ["ALTER TABLE orders ALTER COLUMN id TYPE BIGINT, ALTER COLUMN part_of TYPE BIGINT"],
        ),
        ([], ["ALTER TABLE pairs ALTER COLUMN a TYPE BIGINT"]),
        (
            [
                "CREATE TABLE tags (a INTEGER, b INTEGER, PRIMARY KEY (b, a))",
                "INSERT INTO tags VALUES (1, 2)",
            ],
            ["ALTER TABLE tags ALTER COLUMN a TYPE BIGINT, ALTER COLUMN b TYPE BIGINT"],
        ),
        ([], ["ALTER TABLE orders ALTER COLUMN amount TYPE BIGINT"]),
        (
            [
                'CREATE SCHEMA "old Shop"',
                'CREATE TABLE "old Shop"."Bills" ("Id" SMALLSERIAL PRIMARY KEY, n INT)',
            ],
            ['ALTER TABLE "old Shop"."Bills" ALTER COLUMN "Id" TYPE INTEGER'],
        ),
    ],
)
def test_the_column_is_what_it_was_but_larger(
    postgres: Bench, there: list[str], statements: list[str]
) -> None:
    postgres.have(*there)
    correction = postgres.corrected(*statements)
    assert len(correction.scripts) == 2
    assert not any(correction.between)
    postgres.try_out(correction)
    assert tables(postgres.url) == tables(postgres.scratch)


@pytest.mark.repetitive(1)
@pytest.mark.parametrize("kind", ["SERIAL", "INTEGER GENERATED ALWAYS AS IDENTITY (INCREMENT 5)"])
def test_rows_go_on_being_numbered(postgres: Bench, kind: str) -> None:
    postgres.have(
        f"CREATE TABLE parts (id {kind} PRIMARY KEY, name TEXT)",
        "INSERT INTO parts (name) VALUES ('a'), ('b'), ('c')",
    )
    postgres.try_out(postgres.corrected("ALTER TABLE parts ALTER COLUMN id TYPE BIGINT"))
    send(postgres.url, "INSERT INTO parts (name) VALUES ('d'), ('e')")
    steps = "SELECT string_agg((id - 1)::text, ' ' ORDER BY id) FROM parts"
    assert value(postgres, steps) == ("0 1 2 3 4" if kind == "SERIAL" else "0 5 10 15 20")
    sequence = "pg_get_serial_sequence('parts', 'id')::regclass"
    assert value(postgres, f"SELECT seqmax > 2 ^ 40 FROM pg_sequence WHERE seqrelid = {sequence}") is True


def test_a_sequence_of_its_own_stays_one(postgres: Bench) -> None:
    postgres.have(
        "CREATE SEQUENCE numbers",
        "CREATE TABLE parts (id INTEGER PRIMARY KEY DEFAULT nextval('numbers'), name TEXT)",
    )
    postgres.try_out(postgres.corrected("ALTER TABLE parts ALTER COLUMN id TYPE BIGINT"))
    assert postgres.schema()["sequences"] == {"numbers": postgres.schema()["sequences"]["numbers"]}
    assert tables(postgres.url) == tables(postgres.scratch)


def test_what_code_writes_between_the_two_scripts_is_not_lost(postgres: Bench) -> None:
    copy, exchange = postgres.corrected("ALTER TABLE orders ALTER COLUMN amount TYPE BIGINT").scripts
    postgres.apply(copy)
    send(
        postgres.url,
        "INSERT INTO orders (id, vin, amount) VALUES (4, 'V4', 40)",
        "UPDATE orders SET amount = 30 WHERE id = 3",
        "UPDATE orders SET amount = NULL WHERE id = 2",
    )
    postgres.apply(exchange)
    assert (
        value(postgres, "SELECT string_agg(coalesce(amount::text, '-'), ' ' ORDER BY id) FROM orders")
        == "1 - 30 40"
    )


def test_the_copy_sees_what_other_triggers_make_of_a_row(postgres: Bench) -> None:
    postgres.have(
        "CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.amount := 9; RETURN NEW; END'",
        "CREATE TRIGGER more BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION more()",
    )
    copy, _ = postgres.corrected("ALTER TABLE orders ALTER COLUMN amount TYPE BIGINT").scripts
    postgres.apply(copy)
    send(postgres.url, "INSERT INTO orders (id, vin) VALUES (4, 'V4')")
    assert value(postgres, "SELECT new_amount FROM orders WHERE id = 4") == 9


@pytest.mark.parametrize(
    "there",
    [
        "ALTER TABLE orders ADD CHECK (amount > 0)",
        "CREATE INDEX large ON orders (vin) WHERE amount > 7",
        "CREATE INDEX falling ON orders (amount DESC)",
        "CREATE INDEX beside ON orders (vin) INCLUDE (amount)",
        "ALTER TABLE orders ADD COLUMN twice INTEGER GENERATED ALWAYS AS (amount * 2) STORED",
        "CREATE TRIGGER t BEFORE UPDATE OF amount ON orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ],
)
def test_nothing_is_written_where_something_hangs_on_the_column(postgres: Bench, there: str) -> None:
    postgres.have(there)
    dropped = ["ALTER TABLE orders DROP COLUMN twice"] if "twice" in there else []
    dropped += ["DROP TRIGGER t ON orders"] if "TRIGGER" in there else []
    assert postgres.correct(*dropped, "ALTER TABLE orders ALTER COLUMN amount TYPE BIGINT") is None


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_nothing_is_written_where_a_view_reads_the_column(postgres: Bench, kind: str) -> None:
    view = f"CREATE {kind} amounts AS SELECT amount FROM orders"
    postgres.have(view)
    statements = [f"DROP {kind} amounts", "ALTER TABLE orders ALTER COLUMN amount TYPE BIGINT", view]
    assert postgres.correct(*statements) is None


def test_a_smaller_integer_is_a_column_of_its_own(postgres: Bench) -> None:
    correction = postgres.corrected("ALTER TABLE orders ALTER COLUMN amount TYPE SMALLINT")
    assert "TRIGGER" not in "".join(texts(correction))


def tables(url: str) -> dict[object, tuple[object, ...]]:
    """All that tables are, but for the order of their columns, and what a sequence behind one is called."""
    return {
        owner: (
            sorted((column.name, column.type, column.nullable, bool(column.default)) for column in table.columns),
            table.primary_key, table.uniques, table.checks, table.foreign_keys, table.indexes,
        )
        for owner, table in shape(url).tables.items()
    }  # fmt: skip
