"""Tables that come, views, triggers, functions, sequences, partitions, comments."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import BOTH, POSTGRESQL, SQLITE, bad, contract, good, pair, raw, verbs, whole

EXAMPLES = (
    *pair(
        "warehouses",
        "create warehouses and their shelves",
        "goods are kept in two places now",
        bad(
            "second_run_fails",
            Promise.IDEMPOTENT,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE warehouses (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL)"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP TABLE IF EXISTS warehouses"))
"""),
        ),
        bad(
            "metadata_without_looking",
            Promise.IDEMPOTENT,
            raw("""
METADATA.create_all(db.engine, checkfirst=False)
""", """
METADATA.drop_all(db.engine)
""", before="""
from sqlalchemy import Column, Integer, MetaData, String, Table

METADATA = MetaData()
WAREHOUSES = Table("warehouses", METADATA, Column("id", Integer, primary_key=True), Column("name", String(80)))
"""),
        ),
        good(
            "raw",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS warehouses (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL)"))
    connection.execute(text(
        "CREATE TABLE IF NOT EXISTS shelves (id INTEGER PRIMARY KEY, warehouse_id INTEGER NOT NULL"
        " CONSTRAINT fk_shelves_warehouse_id REFERENCES warehouses (id) ON DELETE CASCADE)"
    ))
    connection.execute(text("CREATE INDEX IF NOT EXISTS idx_shelves_warehouse_id ON shelves (warehouse_id)"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP TABLE IF EXISTS shelves"))
    connection.execute(text("DROP TABLE IF EXISTS warehouses"))
"""),
        ),
        good(
            "verb",
            verbs("""
op.create_table(
    "warehouses", Column("id", Integer, primary_key=True), Column("name", String(80), nullable=False)
)
op.create_table(
    "shelves",
    Column("id", Integer, primary_key=True),
    Column("warehouse_id", Integer, ForeignKey("warehouses.id", name="fk_shelves_warehouse_id"), nullable=False),
    Column("item_id", Integer, ForeignKey("items.id", name="fk_shelves_item_id")),
)
op.create_index("idx_shelves_warehouse_id", "shelves", ["warehouse_id"])
op.create_index("idx_shelves_item_id", "shelves", ["item_id"])
""", """
op.drop_table("shelves")
op.drop_table("warehouses")
"""),
        ),
        good(
            "core",
            raw("""
with db.engine.begin() as connection:
    METADATA.create_all(connection)
""", """
with db.engine.begin() as connection:
    METADATA.drop_all(connection)
""", before="""
from sqlalchemy import Column, Integer, MetaData, String, Table

METADATA = MetaData()
WAREHOUSES = Table("warehouses", METADATA, Column("id", Integer, primary_key=True), Column("name", String(80)))
"""),
        ),
        good(
            "one_text",
            raw("""
with db.engine.begin() as connection:
    connection.exec_driver_sql(\"\"\"
        CREATE TABLE IF NOT EXISTS warehouses (id integer PRIMARY KEY, name varchar(80) NOT NULL);
        CREATE TABLE IF NOT EXISTS shelves (id integer PRIMARY KEY, warehouse_id integer NOT NULL);
        CREATE INDEX IF NOT EXISTS idx_shelves_warehouse_id ON shelves (warehouse_id);
    \"\"\")
""", """
with db.engine.begin() as connection:
    connection.exec_driver_sql("DROP TABLE IF EXISTS shelves; DROP TABLE IF EXISTS warehouses")
"""),
            on=POSTGRESQL,
        ),
        good(
            "executescript",
            raw("""
connection = db.engine.raw_connection()
try:
    connection.executescript(\"\"\"
        CREATE TABLE IF NOT EXISTS warehouses (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL);
        CREATE TABLE IF NOT EXISTS shelves (id INTEGER PRIMARY KEY, warehouse_id INTEGER NOT NULL);
        CREATE INDEX IF NOT EXISTS idx_shelves_warehouse_id ON shelves (warehouse_id);
    \"\"\")
finally:
    connection.close()
""", """
connection = db.engine.raw_connection()
try:
    connection.executescript("DROP TABLE IF EXISTS shelves; DROP TABLE IF EXISTS warehouses;")
finally:
    connection.close()
"""),
            on=SQLITE,
        ),
    ),
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
        "partitions",
        "keep measurements by month",
        "old months are to be taken off one day",
        bad(
            "old_partition_detached",
            Promise.ADDITIVE,
            raw("""
with db.engine.begin() as connection:
    if connection.execute(IS_ATTACHED).scalar():
        connection.execute(text("ALTER TABLE readings DETACH PARTITION readings_old"))
""", """
with db.engine.begin() as connection:
    if not connection.execute(IS_ATTACHED).scalar():
        connection.execute(text(
            "ALTER TABLE readings ATTACH PARTITION readings_old FOR VALUES FROM (MINVALUE) TO ('2025-01-01')"
        ))
""", before="""
IS_ATTACHED = text("SELECT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = 'readings_old'::regclass)")
"""),
            on=POSTGRESQL,
        ),
        good(
            "old_partition_detached_in_time",
            contract(
                raw("""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    if connection.execute(IS_ATTACHED).scalar():
        connection.execute(text("ALTER TABLE readings DETACH PARTITION readings_old CONCURRENTLY"))
""", """
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    if not connection.execute(IS_ATTACHED).scalar():
        connection.execute(text("ALTER TABLE readings ATTACH PARTITION readings_old FOR VALUES FROM (MINVALUE) TO ('2025-01-01')"))
    connection.execute(text("ALTER TABLE readings_old DROP CONSTRAINT IF EXISTS readings_old_taken_on_check"))
""", before="""
IS_ATTACHED = text("SELECT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = 'readings_old'::regclass)")
"""),
                "nobody reads what is older than 2025",
            ),
            on=POSTGRESQL,
            against_code=True,
        ),
        good(
            "new_table",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text(
        "CREATE TABLE IF NOT EXISTS measurements (taken_on date NOT NULL, value numeric) PARTITION BY RANGE (taken_on)"
    ))
    for month, end in (("2026-01-01", "2026-02-01"), ("2026-02-01", "2026-03-01")):
        connection.execute(text(
            f"CREATE TABLE IF NOT EXISTS measurements_{month[:4]}_{month[5:7]} PARTITION OF measurements"
            f" FOR VALUES FROM ('{month}') TO ('{end}')"
        ))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP TABLE IF EXISTS measurements"))
"""),
            on=POSTGRESQL,
        ),
        rows=(21,),
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
    *pair(
        "explained",
        "explain the columns of orders to who reads the schema",
        "reference has been taken for the order's own number",
        bad(
            "without_a_word",
            Promise.DOCUMENTED,
            whole("""
                import sys
                from pathlib import Path

                sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

                from app import app, db
                from sqlalchemy import text


                def apply():
                    with app.app_context(), db.engine.begin() as connection:
                        connection.execute(text("COMMENT ON COLUMN orders.reference IS 'the customer''s own number'"))
                    return True


                def rollback():
                    with app.app_context(), db.engine.begin() as connection:
                        connection.execute(text("COMMENT ON COLUMN orders.reference IS NULL"))
                    return True
            """),
            on=POSTGRESQL,
        ),
        bad(
            "with_a_title_only",
            Promise.DOCUMENTED,
            whole('''
                """Migration 001"""

                import sys
                from pathlib import Path

                sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

                from app import app, db
                from sqlalchemy import text


                def apply():
                    with app.app_context(), db.engine.begin() as connection:
                        connection.execute(text("CREATE INDEX IF NOT EXISTS idx_orders_status ON orders (status)"))
                    return True


                def rollback():
                    with app.app_context(), db.engine.begin() as connection:
                        connection.execute(text("DROP INDEX IF EXISTS idx_orders_status"))
                    return True
            '''),
            on=BOTH,
        ),
        good(
            "comment",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("COMMENT ON COLUMN orders.reference IS 'the customer''s own number'"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("COMMENT ON COLUMN orders.reference IS NULL"))
"""),
            on=POSTGRESQL,
        ),
    ),
)  # fmt: skip
