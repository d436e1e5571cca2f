"""Views, triggers, functions, sequences, materialized views."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import POSTGRESQL, SQLITE, bad, good, pair, raw, verbs

EXAMPLES = (
    *pair(
        "views",
        "let the packing station see its orders",
        "it must not see what customers pay",
        bad(
            "old_view_dropped",
            Promise.ADDITIVE,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("DROP VIEW IF EXISTS open_orders"))
""", """
if "open_orders" not in inspect(db.engine).get_view_names():
    with db.engine.begin() as connection:
        connection.execute(text(
            "CREATE VIEW open_orders AS SELECT id, customer_id, status FROM orders WHERE status <> 'shipped'"
        ))
"""),
        ),
        good(
            "new_view",
            raw("""
if "packing_list" not in inspect(db.engine).get_view_names():
    with db.engine.begin() as connection:
        connection.execute(text(
            "CREATE VIEW packing_list AS SELECT order_id, item_id, quantity FROM order_lines"
        ))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP VIEW IF EXISTS packing_list"))
"""),
        ),
        good(
            "verb",
            verbs("""
op.execute(
    "CREATE VIEW packing_list AS SELECT order_id, item_id, quantity FROM order_lines",
    done_when="SELECT EXISTS (SELECT FROM pg_views WHERE viewname = 'packing_list')",
)
""", """
op.execute("DROP VIEW IF EXISTS packing_list")
"""),
            on=POSTGRESQL,
        ),
        rows=(49,),
    ),
    *pair(
        "changes_of_prices",
        "keep the former prices of items",
        "customers ask why something has become dearer",
        bad(
            "writes_to_a_missing_column",
            Promise.COMPATIBLE,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text(\"\"\"
        CREATE OR REPLACE FUNCTION note_price() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.changed_at := now();
            RETURN NEW;
        END $$\"\"\"))
    connection.execute(text(
        "CREATE OR REPLACE TRIGGER note_price BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION note_price()"
    ))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP TRIGGER IF EXISTS note_price ON items"))
    connection.execute(text("DROP FUNCTION IF EXISTS note_price()"))
"""),
            on=POSTGRESQL,
        ),
        bad(
            "writes_to_a_missing_table",
            Promise.COMPATIBLE,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text(\"\"\"
        CREATE TRIGGER IF NOT EXISTS note_price AFTER UPDATE ON items
        BEGIN
            INSERT INTO former_prices (item_id, price) VALUES (OLD.id, OLD.price);
        END\"\"\"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP TRIGGER IF EXISTS note_price"))
"""),
            on=SQLITE,
        ),
        good(
            "trigger",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS former_prices (item_id integer, price numeric)"))
    connection.execute(text(\"\"\"
        CREATE OR REPLACE FUNCTION note_price() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO former_prices (item_id, price) VALUES (OLD.id, OLD.price);
            RETURN NEW;
        END $$\"\"\"))
    connection.execute(text(
        "CREATE OR REPLACE TRIGGER note_price AFTER UPDATE OF price ON items"
        " FOR EACH ROW EXECUTE FUNCTION note_price()"
    ))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP TRIGGER IF EXISTS note_price ON items"))
    connection.execute(text("DROP FUNCTION IF EXISTS note_price()"))
    connection.execute(text("DROP TABLE IF EXISTS former_prices"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "trigger_of_sqlite",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS former_prices (item_id INTEGER, price NUMERIC)"))
    connection.execute(text(\"\"\"
        CREATE TRIGGER IF NOT EXISTS note_price AFTER UPDATE OF price ON items
        BEGIN
            INSERT INTO former_prices (item_id, price) VALUES (OLD.id, OLD.price);
        END\"\"\"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP TRIGGER IF EXISTS note_price"))
    connection.execute(text("DROP TABLE IF EXISTS former_prices"))
"""),
            on=SQLITE,
        ),
    ),
    *pair(
        "tax",
        "compute prices with tax in the database",
        "three reports do it in three ways",
        bad(
            "replaces_a_function",
            Promise.ADDITIVE,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("DROP FUNCTION IF EXISTS net_price(numeric)"))
    connection.execute(text(
        "CREATE OR REPLACE FUNCTION gross_price(net numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT net * 1.2'"
    ))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP FUNCTION IF EXISTS gross_price(numeric)"))
    connection.execute(text(
        "CREATE OR REPLACE FUNCTION net_price(gross numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT gross / 1.2'"
    ))
"""),
            on=POSTGRESQL,
            against_code=True,
        ),
        good(
            "new_function",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text(
        "CREATE OR REPLACE FUNCTION gross_price(net numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT net * 1.2'"
    ))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP FUNCTION IF EXISTS gross_price(numeric)"))
"""),
            on=POSTGRESQL,
        ),
    ),
    *pair(
        "delivery_notes",
        "number the delivery notes",
        "drivers write the number on the parcel",
        bad(
            "sequence_without_looking",
            Promise.IDEMPOTENT,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("CREATE SEQUENCE delivery_note_numbers START 1000"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP SEQUENCE delivery_note_numbers"))
"""),
            on=POSTGRESQL,
        ),
        bad(
            "old_sequence_dropped",
            Promise.ADDITIVE,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("DROP SEQUENCE IF EXISTS invoice_numbers"))
    connection.execute(text("CREATE SEQUENCE IF NOT EXISTS delivery_note_numbers START 1000"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP SEQUENCE IF EXISTS delivery_note_numbers"))
    connection.execute(text("CREATE SEQUENCE IF NOT EXISTS invoice_numbers"))
"""),
            on=POSTGRESQL,
            against_code=True,
        ),
        good(
            "sequence",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("CREATE SEQUENCE IF NOT EXISTS delivery_note_numbers START 1000"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP SEQUENCE IF EXISTS delivery_note_numbers"))
"""),
            on=POSTGRESQL,
        ),
    ),
    *pair(
        "totals",
        "show what the shop has sold",
        "the figures are looked at every morning",
        bad(
            "refreshed",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("REFRESH MATERIALIZED VIEW customer_totals"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "refreshed_concurrently",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("REFRESH MATERIALIZED VIEW CONCURRENTLY customer_totals"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "new_one",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text(
        "CREATE MATERIALIZED VIEW IF NOT EXISTS item_totals AS"
        " SELECT item_id, sum(quantity) AS sold FROM order_lines GROUP BY item_id"
    ))
    connection.execute(text("CREATE UNIQUE INDEX IF NOT EXISTS idx_item_totals_item_id ON item_totals (item_id)"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP MATERIALIZED VIEW IF EXISTS item_totals"))
"""),
            on=POSTGRESQL,
        ),
    ),
)  # fmt: skip
