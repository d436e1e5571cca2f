"""Tables that a script makes anew beside the old one and puts in its place: what becomes of the values on the way."""

from __future__ import annotations

import pytest

from tests.support.corrections import Bench, texts, value
from tests.support.fingerprint import rows

COLUMNS = "id, vin, plate, amount, customer_id"


def rebuilt(copy: str, plate: str = "VARCHAR(20)", further: str = "") -> list[str]:
    """The statements that put another table of orders in the place of the old one, filled by ``copy``."""
    columns = f"id INTEGER PRIMARY KEY, vin VARCHAR(50) NOT NULL, plate {plate}, amount INTEGER DEFAULT 1, customer_id INTEGER"
    return [
        f"CREATE TABLE new_orders ({columns}{further})",
        f"INSERT INTO new_orders {copy}",
        "DROP TABLE orders",
        "ALTER TABLE new_orders RENAME TO orders",
        "CREATE INDEX idx_orders_vin ON orders (vin)",
    ]


@pytest.mark.repetitive(1)
@pytest.mark.parametrize(
    "copy",
    [
        "SELECT id, upper(vin) || '!', plate, amount, customer_id FROM orders",
        f"({COLUMNS}) SELECT id, vin, plate, amount * 2, customer_id FROM orders ORDER BY id",
        "SELECT id, vin, coalesce(plate, 'none'), ifnull(amount, 0), customer_id FROM orders",
        f"SELECT {COLUMNS} FROM orders WHERE plate <> 'x'",
        f"SELECT {COLUMNS} FROM orders WHERE plate = 'x' OR id = 3",
    ],
)
def test_rows_end_as_the_copy_made_them(bench: Bench, copy: str) -> None:
    if not bench.is_sqlite:
        copy = copy.replace("ifnull", "coalesce")
    correction = bench.corrected(
        *rebuilt(copy, further=", note VARCHAR(9) DEFAULT 'x'" if "(id" in copy else "")
    )
    bench.try_out(correction)
    assert rows(bench.url)["orders"] == rows(bench.scratch)["orders"]


@pytest.mark.thorough("postgres")
def test_a_new_column_gets_what_the_copy_gave_it(bench: Bench) -> None:
    copy = f"SELECT {COLUMNS}, vin || '/' || id FROM orders"
    bench.try_out(bench.corrected(*rebuilt(copy, further=", code TEXT")))
    assert value(bench, "SELECT code FROM orders WHERE id = 2") == "V2/2"


@pytest.mark.thorough("postgres")
def test_a_column_that_becomes_required_is_filled_before(bench: Bench) -> None:
    copy = "SELECT id, vin, coalesce(plate, ''), amount, customer_id FROM orders"
    correction = bench.corrected(*rebuilt(copy, "VARCHAR(20) NOT NULL"))
    fill, require = texts(correction)
    assert "op.set_not_null" not in fill
    assert require.index("    fill_orders_plate()") < require.index("op.set_not_null")
    assert correction.between == ("deploy code that always writes orders.plate",)
    bench.try_out(correction)
    assert rows(bench.url)["orders"] == rows(bench.scratch)["orders"]


def test_what_is_only_copied_or_converted_is_nothing_to_do(bench: Bench) -> None:
    copy = f"({COLUMNS}) SELECT id, vin, plate, CAST(amount AS INTEGER), customer_id FROM orders"
    (text,) = texts(bench.corrected(*rebuilt(copy, further=", note TEXT")))
    assert "UPDATE" not in text
    assert "Left out" not in text


@pytest.mark.thorough("postgres")
def test_the_old_table_may_be_renamed_first(bench: Bench) -> None:
    correction = bench.corrected(
        "ALTER TABLE loose RENAME TO old_loose",
        "CREATE TABLE loose (word VARCHAR(10), number INTEGER, note TEXT)",
        "INSERT INTO loose (word, number) SELECT coalesce(word, 'none'), number FROM old_loose",
        "DROP TABLE old_loose",
    )
    assert "Left out" not in texts(correction)[0]
    bench.try_out(correction)
    assert rows(bench.url)["loose"] == rows(bench.scratch)["loose"]


@pytest.mark.parametrize(
    "copy",
    [
        "SELECT DISTINCT id, vin, plate, amount, customer_id FROM orders",
        "SELECT o.id, o.vin, c.name, o.amount, o.customer_id FROM orders o JOIN customers c ON c.id = o.customer_id",
        "SELECT max(id), vin, plate, amount, customer_id FROM orders GROUP BY vin, plate, amount, customer_id",
        f"SELECT {COLUMNS} FROM orders LIMIT 1",
        "SELECT id + 100, vin, plate, amount, customer_id FROM orders",
    ],
)
def test_a_copy_that_is_more_than_that_is_told(bench: Bench, copy: str) -> None:
    correction = bench.corrected(*rebuilt(copy), "ALTER TABLE pairs ADD COLUMN more TEXT")
    assert f"Left out, and yours to add: INSERT INTO new_orders {copy[:30]}" in " ".join(
        texts(correction)[0].split()
    )
