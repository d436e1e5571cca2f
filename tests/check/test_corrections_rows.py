"""Statements that change many rows, a thousand at a time."""

from __future__ import annotations

import pytest

from nonstop.check.corrections.batches import parsed
from nonstop.descriptions.promises import Correction
from tests.support.corrections import Bench, texts, value
from tests.support.fingerprint import look, rows
from tests.support.operations import send


@pytest.mark.repetitive(2)
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
    assert bench.look()[1][table] == rows(bench.scratch)[table]


def test_emptying_a_table_is_deleting_in_batches(postgres: Bench) -> None:
    postgres.try_out(postgres.corrected("TRUNCATE orders"))
    assert value(postgres, "SELECT count(*) FROM orders") == 0


@pytest.mark.parametrize(
    "statement", ["TRUNCATE customers, visits, loose", "TRUNCATE TABLE customers CASCADE"]
)
def test_several_tables_are_emptied_in_the_order_of_their_references(postgres: Bench, statement: str) -> None:
    postgres.have(
        "CREATE TABLE visits (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers)",
        "INSERT INTO visits VALUES (1, 1), (2, 2)",
    )
    correction = postgres.corrected(statement)
    (text,) = texts(correction)
    assert text.index("delete_from_visits()") < text.index("delete_from_customers()")
    postgres.try_out(correction)
    assert (
        value(postgres, "SELECT count(*) FROM visits")
        == value(postgres, "SELECT count(*) FROM customers")
        == 0
    )
    emptied = "loose" in statement
    assert value(postgres, "SELECT count(*) FROM loose") == (0 if emptied else 2)


@pytest.mark.parametrize("table", ["pairs (a, b, note)", "loose (number, word)"])
def test_rows_that_are_given_are_inserted_once(bench: Bench, table: str) -> None:
    if table.startswith("loose"):
        values = "(5, 'it''s:five'), (6, NULL)"
    else:
        values = "(7, 'a', 'x'), (7, 'b', NULL)"
    correction = bench.corrected(f"INSERT INTO {table} VALUES {values}")
    assert "phase" not in correction.scripts[0].text
    bench.try_out(correction)
    assert bench.look()[1] == rows(bench.scratch)


@pytest.mark.parametrize("last", ["%(last)s::INTEGER", ":last", "?", "$2"])
def test_the_range_of_a_loop_of_the_scripts_own_is_left_out(last: str) -> None:
    found = parsed(f"UPDATE orders SET plate = vin WHERE id > {last} AND id <= {last} AND plate IS NULL")
    assert found is not None
    assert found.condition == "plate IS NULL"
    assert parsed(f"DELETE FROM orders WHERE id <= {last} AND vin = {last}") is None
    assert parsed(f"UPDATE orders SET plate = {last}") is None


@pytest.mark.repetitive(1)
@pytest.mark.parametrize(
    "statements",
    [
        ["UPDATE orders SET amount = amount * 2 WHERE id < 3 OR plate = ''"],
        ["UPDATE orders AS o SET amount = o.amount + c.id FROM customers AS c WHERE c.id = o.customer_id"],
        ["UPDATE orders SET amount = amount + 1 WHERE id = 1", "UPDATE orders SET amount = amount * 5"],
        ["UPDATE loose SET number = number + 1"],
        ["UPDATE orders SET amount=amount+1"],
    ],
)
def test_a_value_made_of_its_former_self_is_changed_once(bench: Bench, statements: list[str]) -> None:
    correction = bench.corrected(*statements)
    mark, _, forget = correction.scripts
    assert not any(correction.between)
    assert "_is_updated" in mark.text
    assert "discards_data" in forget.text
    bench.try_out(correction)
    assert bench.look() == look(bench.scratch)


def test_rows_that_are_new_when_others_are_updated_stay_as_they_are(bench: Bench) -> None:
    mark, change, _ = bench.corrected("UPDATE orders SET amount = amount * 2").scripts
    bench.apply(mark)
    send(bench.url, "INSERT INTO orders (id, vin, amount) VALUES (4, 'V4', 10)")
    bench.apply(change)
    assert value(bench, "SELECT sum(amount) FROM orders WHERE id < 4") == 6
    assert value(bench, "SELECT amount FROM orders WHERE id = 4") == 10


def test_updates_of_one_column_for_different_rows_are_all_carried_out(bench: Bench) -> None:
    updates = [f"UPDATE orders SET plate = 'p{number}' WHERE id = {number}" for number in (1, 2)]
    bench.try_out(bench.corrected(*updates))
    assert bench.look() == look(bench.scratch)


@pytest.mark.thorough("postgres")
def test_a_new_column_is_filled_by_each_of_several_updates(bench: Bench) -> None:
    updates = [f"UPDATE orders SET code = 'c{number}' WHERE id = {number}" for number in (1, 2)]
    bench.try_out(bench.corrected("ALTER TABLE orders ADD COLUMN code VARCHAR(8)", *updates))
    assert bench.look() == look(bench.scratch)


def test_a_default_that_is_taken_away_again_has_filled_the_rows(postgres: Bench) -> None:
    first, require = postgres.corrected(
        "ALTER TABLE orders ADD COLUMN code INTEGER NOT NULL DEFAULT 7",
        "ALTER TABLE orders ALTER COLUMN code DROP DEFAULT",
    ).scripts
    postgres.apply(first)
    send(postgres.url, "INSERT INTO orders (id, vin) VALUES (4, 'V4')")  # by the release before
    postgres.apply(require)
    assert value(postgres, "SELECT sum(code) FROM orders") == 28
    assert postgres.ends_as_meant()


def test_rows_without_a_key_get_advice(bench: Bench) -> None:
    (text,) = texts(bench.corrected("UPDATE loose SET number = 5 WHERE word IS NULL"))
    assert "loose has no key to go by in batches" in text
    compile(text, "x", "exec")


@pytest.mark.thorough("postgres")
def test_what_changes_the_schema_can_be_rolled_back_without_the_rows(bench: Bench) -> None:
    correction = bench.corrected("CREATE INDEX i ON orders (plate)", "DELETE FROM pairs WHERE a = 1")
    schema, data = texts(correction)
    assert "phase" not in schema
    assert "op.irreversible" in data
    assert not any(correction.between)
    bench.try_out(correction)


# --- what the rehearsal's rows do not show ------------------------------------------------------------------------


@pytest.mark.thorough("postgres")
def test_what_meets_no_row_here_is_done_all_the_same(bench: Bench) -> None:
    """Which values the live rows have, nobody knows here."""
    update = "UPDATE orders SET plate = 'gone' WHERE vin = 'of nobody'"
    correction = bench.corrected("CREATE INDEX i ON orders (plate)", update)
    send(bench.url, "INSERT INTO orders (id, vin) VALUES (9, 'of nobody')")
    bench.try_out(correction)
    assert value(bench, "SELECT plate FROM orders WHERE id = 9") == "gone"


@pytest.mark.thorough("postgres")
def test_the_first_rows_of_a_new_table_come_along(bench: Bench) -> None:
    correction = bench.corrected(
        "CREATE TABLE parts (id INTEGER PRIMARY KEY, name VARCHAR(9))",
        "INSERT INTO parts (id, name) VALUES (1, 'bolt'), (2, 'nut')",
    )
    (text,) = texts(correction)
    assert text.index("op.create_table") < text.index("INSERT INTO parts")
    assert "Left out" not in text
    bench.try_out(correction)
    assert bench.look()[1]["parts"] == rows(bench.scratch)["parts"]


def test_rows_are_found_again_by_what_does_not_change(bench: Bench) -> None:
    correction = bench.corrected(
        "CREATE TABLE visits (word VARCHAR(9), seen TIMESTAMP)",
        "INSERT INTO visits (word, seen) VALUES ('first', CURRENT_TIMESTAMP)",
    )
    bench.apply(correction.scripts[0])
    bench.run("repair", "--mark-pending", "3", "--yes")
    bench.run("apply")
    assert value(bench, "SELECT count(*) FROM visits") == 1


@pytest.mark.repetitive(2)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO parts (id) SELECT id FROM orders",
        "INSERT INTO customers (id, name) SELECT id + 10, vin FROM orders",
        "UPDATE customers SET id = id + 10",
        "WITH old AS (SELECT id FROM customers) DELETE FROM customers WHERE id IN (SELECT id FROM old)",
    ],
)
def test_what_is_left_out_is_told(bench: Bench, statement: str) -> None:
    """No piece of a script says it; who takes the correction has to know."""
    correction = bench.corrected("CREATE TABLE parts (id INTEGER PRIMARY KEY)", statement)
    assert tells_of(correction, statement)
    bench.try_out(correction)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO parts (id) VALUES (DEFAULT)",
        "DO $$ BEGIN UPDATE orders SET plate = vin; END $$",
        "CALL rename_all()",
        "SELECT renamed_all()",
    ],
)
def test_so_is_what_postgresql_alone_understands(postgres: Bench, statement: str) -> None:
    change = "LANGUAGE sql AS 'UPDATE orders SET plate = vin'"
    postgres.have(
        f"CREATE PROCEDURE rename_all() {change}", f"CREATE FUNCTION renamed_all() RETURNS void {change}"
    )
    assert tells_of(postgres.corrected("CREATE TABLE parts (id SERIAL PRIMARY KEY)", statement), statement)


def test_so_is_what_shows_in_no_shape(postgres: Bench) -> None:
    correction = postgres.corrected(
        "LOCK TABLE orders", "REINDEX TABLE orders", "UPDATE orders SET amount = 1 WHERE id = 99"
    )
    assert "UPDATE orders SET amount = 1" in texts(correction)[0]
    assert tells_of(correction, "REINDEX TABLE orders")


def test_so_is_what_sqlite_alone_understands(sqlite: Bench) -> None:
    statement = "INSERT OR IGNORE INTO customers (id, name) VALUES (1, 'x')"
    assert tells_of(sqlite.corrected("CREATE TABLE parts (id INTEGER PRIMARY KEY)", statement), statement)


def tells_of(correction: Correction, statement: str) -> bool:
    """Whether the first script says that it leaves this out."""
    return f"Left out, and yours to add: {statement}" in " ".join(texts(correction)[0].split())


def test_a_table_that_does_not_stay_is_no_loss(bench: Bench) -> None:
    correction = bench.corrected(
        "CREATE TABLE helper (id INTEGER)",
        "INSERT INTO helper SELECT id FROM orders",
        "ALTER TABLE orders ADD COLUMN note VARCHAR(9)",
        "DROP TABLE helper",
    )
    assert "Left out" not in texts(correction)[0]
