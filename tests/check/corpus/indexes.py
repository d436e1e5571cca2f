"""Indexes that are created, dropped, replaced."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import POSTGRESQL, bad, good, pair, raw, verbs, whole

EXAMPLES = (
    *pair(
        "customers_by_city",
        "index customers.city",
        "the branch offices list their own customers",
        bad(
            "concurrently_in_a_transaction",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_customers_city ON customers (city)"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP INDEX IF EXISTS idx_customers_city"))
"""),
            on=POSTGRESQL,
            fails=True,
        ),
        bad(
            "in_a_block",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text(\"\"\"
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_indexes WHERE indexname = 'idx_customers_city') THEN
                CREATE INDEX idx_customers_city ON customers (city);
            END IF;
        END $$\"\"\"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP INDEX IF EXISTS idx_customers_city"))
"""),
            on=POSTGRESQL,
        ),
        bad(
            "own_connection",
            Promise.NO_DOWNTIME,
            whole('''
                """
                Migration 001: index customers.city.

                The branch offices list their own customers, and the list has become slow.
                """

                import os

                import psycopg


                def apply():
                    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
                        connection.execute("CREATE INDEX IF NOT EXISTS idx_customers_city ON customers (city)")
                    print("Index created.")
                    return True


                def rollback():
                    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
                        connection.execute("DROP INDEX IF EXISTS idx_customers_city")
                    return True
            '''),
            on=POSTGRESQL,
        ),
        good(
            "plain",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("CREATE INDEX IF NOT EXISTS idx_customers_city ON customers (city)"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP INDEX IF EXISTS idx_customers_city"))
"""),
        ),
        good(
            "verb",
            verbs(
                'op.create_index("idx_customers_city", "customers", ["city"])',
                'op.drop_index("idx_customers_city", "customers")',
            ),
        ),
        good(
            "core",
            raw("""
with db.engine.begin() as connection:
    BY_CITY.create(connection, checkfirst=True)
""", """
with db.engine.begin() as connection:
    BY_CITY.drop(connection, checkfirst=True)
""", before="""
from sqlalchemy import Column, Index, MetaData, Table, Text

CUSTOMERS = Table("customers", MetaData(), Column("city", Text))
BY_CITY = Index("idx_customers_city", CUSTOMERS.c.city)
"""),
        ),
        rows=(15, 23),
    ),
    *pair(
        "items_by_barcode",
        "index items.barcode",
        "the scanner at the counter looks items up by it",
        # By itself it would leave an invalid index after a failure, and stop at it ever after: the guard carries it out.
        good(
            "leftover_stands_in_the_way",
            raw("""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(text("CREATE INDEX CONCURRENTLY idx_items_barcode ON items (barcode)"))
""", """
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(text("DROP INDEX CONCURRENTLY idx_items_barcode"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "leftover_is_dropped",
            raw("""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    is_valid = connection.execute(IS_VALID).scalar()
    if is_valid is False:
        connection.execute(text("DROP INDEX CONCURRENTLY idx_items_barcode"))
    if not is_valid:
        connection.execute(text("CREATE INDEX CONCURRENTLY idx_items_barcode ON items (barcode)"))
""", """
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(text("DROP INDEX CONCURRENTLY IF EXISTS idx_items_barcode"))
""", before="""
IS_VALID = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('idx_items_barcode')")
"""),
            on=POSTGRESQL,
        ),
        rows=(6, 15, 17),
    ),
    *pair(
        "placed_at_unused",
        "drop the index on orders.placed_at",
        "no query has used it for a year",
        bad(
            "comes_back_on_another_column",
            Promise.REVERSIBLE,
            verbs(
                'op.drop_index("idx_orders_placed_at", "orders")',
                'op.create_index("idx_orders_placed_at", "orders", ["reference"])',
            ),
        ),
        good(
            "plain",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("DROP INDEX IF EXISTS idx_orders_placed_at"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("CREATE INDEX IF NOT EXISTS idx_orders_placed_at ON orders (placed_at)"))
"""),
        ),
        good(
            "concurrently",
            raw("""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(text("DROP INDEX CONCURRENTLY IF EXISTS idx_orders_placed_at"))
""", """
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(
        text("CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_placed_at ON orders (placed_at)")
    )
"""),
            on=POSTGRESQL,
        ),
        rows=(16,),
    ),
    *pair(
        "placed_at_replaced",
        "replace the index on orders.placed_at by a wider one",
        "the list of a customer's orders is sorted by date",
        bad(
            "old_one_is_forgotten",
            Promise.REVERSIBLE,
            verbs("""
op.create_index("idx_orders_customer_placed", "orders", ["customer_id", text("placed_at DESC")])
op.drop_index("idx_orders_placed_at", "orders")
""", """
op.drop_index("idx_orders_customer_placed", "orders")
"""),
        ),
        good(
            "both_ways",
            verbs("""
op.create_index("idx_orders_customer_placed", "orders", ["customer_id", text("placed_at DESC")])
op.drop_index("idx_orders_placed_at", "orders")
""", """
op.create_index("idx_orders_placed_at", "orders", ["placed_at"])
op.drop_index("idx_orders_customer_placed", "orders")
"""),
        ),
        rows=(25,),
    ),
    *pair(
        "reference_lookup",
        "index the orders that have a reference",
        "partners ask for orders by their own reference",
        bad(
            "unique",
            Promise.COMPATIBLE,
            verbs(
                'op.create_index("uq_orders_reference", "orders", ["reference"], unique=True, where="reference IS NOT NULL")',
                'op.drop_index("uq_orders_reference", "orders")',
            ),
            against_code=True,
        ),
        good(
            "partial_and_covering",
            verbs(
                'op.create_index("idx_orders_reference", "orders", ["reference"], where="reference IS NOT NULL", include=["status"])',
                'op.drop_index("idx_orders_reference", "orders")',
            ),
            against_code=True,
        ),
        rows=(15, 25),
    ),
)  # fmt: skip
