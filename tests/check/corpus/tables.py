"""Tables and partitions that come and go, and what is said about them."""

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
