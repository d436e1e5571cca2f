"""Unique constraints, primary keys and foreign keys."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import POSTGRESQL, bad, good, pair, raw, verbs, whole

REPLACED = """
name = "fk_{0}_{1}_{2}"
with db.engine.begin() as connection:
    connection.execute(text(f"ALTER TABLE {0} DROP CONSTRAINT IF EXISTS {{name}}"))
    connection.execute(text(
        f"ALTER TABLE {0} ADD CONSTRAINT {{name}} FOREIGN KEY ({1}) REFERENCES {2} (id){3} NOT VALID"
    ))
with db.engine.begin() as connection:
    connection.execute(text(f"ALTER TABLE {0} VALIDATE CONSTRAINT {{name}}"))
"""

EXAMPLES = (
    *pair(
        "archive_label_unique",
        "make archive.label unique",
        "two boxes with one label have been mixed up",
        bad(
            "plain",
            Promise.NO_DOWNTIME,
            raw("""
names = {found["name"] for found in inspect(db.engine).get_unique_constraints("archive")}
if "uq_archive_label" not in names:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE archive ADD CONSTRAINT uq_archive_label UNIQUE (label)"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE archive DROP CONSTRAINT IF EXISTS uq_archive_label"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "verb",
            verbs(
                'op.add_unique("uq_archive_label", "archive", ["label"])',
                'op.drop_constraint("uq_archive_label", "archive")',
            ),
            against_code=True,
        ),
        good(
            "using_an_index",
            raw("""
names = {found["name"] for found in inspect(db.engine).get_unique_constraints("archive")}
if "uq_archive_label" in names:
    return True
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(text("DROP INDEX CONCURRENTLY IF EXISTS uq_archive_label"))
    connection.execute(text("CREATE UNIQUE INDEX CONCURRENTLY uq_archive_label ON archive (label)"))
    connection.execute(
        text("ALTER TABLE archive ADD CONSTRAINT uq_archive_label UNIQUE USING INDEX uq_archive_label")
    )
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE archive DROP CONSTRAINT IF EXISTS uq_archive_label"))
"""),
            on=POSTGRESQL,
            against_code=True,
        ),
        rows=(18,),
    ),
    *pair(
        "phone_unique",
        "find customers by their phone number",
        "callers are recognised by it",
        bad(
            "one_customer_each",
            Promise.COMPATIBLE,
            verbs(
                'op.add_unique("uq_customers_phone", "customers", ["phone"])',
                'op.drop_constraint("uq_customers_phone", "customers")',
            ),
            against_code=True,
        ),
        good(
            "any_number_of_customers",
            verbs(
                'op.create_index("idx_customers_phone", "customers", ["phone"])',
                'op.drop_index("idx_customers_phone", "customers")',
            ),
            against_code=True,
        ),
        rows=(18,),
    ),
    *pair(
        "price_history_key",
        "give price_history a primary key",
        "replication needs one",
        bad(
            "plain",
            Promise.NO_DOWNTIME,
            raw("""
if not inspect(db.engine).get_pk_constraint("price_history")["constrained_columns"]:
    with db.engine.begin() as connection:
        connection.execute(
            text("ALTER TABLE price_history ADD CONSTRAINT price_history_pkey PRIMARY KEY (item_id, changed_at)")
        )
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE price_history DROP CONSTRAINT IF EXISTS price_history_pkey"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "verb",
            verbs(
                'op.add_primary_key("price_history_pkey", "price_history", ["item_id", "changed_at"])',
                'op.drop_constraint("price_history_pkey", "price_history")',
            ),
            against_code=True,
        ),
        rows=(19,),
    ),
    *pair(
        "payment_belongs_to_order",
        "make payments.order_id a foreign key",
        "payments of orders that do not exist confuse the accounts",
        bad(
            "own_connection",
            Promise.NO_DOWNTIME,
            whole('''
                """
                Migration 001: make payments.order_id a foreign key.

                Payments of orders that do not exist confuse the accounts.
                """

                import os

                import psycopg

                EXISTS = "SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = 'fk_payments_order_id_orders')"


                def apply():
                    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
                        if connection.execute(EXISTS).fetchone()[0]:
                            return True
                        connection.execute(
                            "ALTER TABLE payments ADD CONSTRAINT fk_payments_order_id_orders"
                            " FOREIGN KEY (order_id) REFERENCES orders (id)"
                        )
                    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
                        connection.execute(
                            "CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_payments_order_id ON payments (order_id)"
                        )
                    return True


                def rollback():
                    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
                        connection.execute("ALTER TABLE payments DROP CONSTRAINT IF EXISTS fk_payments_order_id_orders")
                        connection.execute("DROP INDEX IF EXISTS idx_payments_order_id")
                    return True
            '''),
            on=POSTGRESQL,
        ),
        # Deleting an order reads all payments then: check says so, and that is for the author to judge.
        good(
            "without_an_index",
            verbs("""
op.add_foreign_key(
    "fk_payments_order_id_orders", "payments", ["order_id"], "orders", ["id"], on_delete="CASCADE"
)
""", """
op.drop_constraint("fk_payments_order_id_orders", "payments")
"""),
            on=POSTGRESQL,
        ),
        good(
            "verb",
            verbs("""
op.create_index("idx_payments_order_id", "payments", ["order_id"])
op.add_foreign_key("fk_payments_order_id_orders", "payments", ["order_id"], "orders", ["id"])
""", """
op.drop_constraint("fk_payments_order_id_orders", "payments")
op.drop_index("idx_payments_order_id", "payments")
"""),
        ),
        good(
            "plain",
            raw("""
names = {found["name"] for found in inspect(db.engine).get_foreign_keys("payments")}
with db.engine.begin() as connection:
    connection.execute(text("CREATE INDEX IF NOT EXISTS idx_payments_order_id ON payments (order_id)"))
    if "fk_payments_order_id_orders" not in names:
        connection.execute(text(
            "ALTER TABLE payments ADD CONSTRAINT fk_payments_order_id_orders"
            " FOREIGN KEY (order_id) REFERENCES orders (id)"
        ))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE payments DROP CONSTRAINT IF EXISTS fk_payments_order_id_orders"))
    connection.execute(text("DROP INDEX IF EXISTS idx_payments_order_id"))
"""),
            on=POSTGRESQL,
        ),
        rows=(27, 29, 31, 32),
    ),
    *pair(
        "deleting",
        "settle what becomes of order lines when what they are about is deleted",
        "an order vanished together with a customer who had been entered twice",
        bad(
            "refused_from_now_on",
            Promise.ADDITIVE,
            raw(REPLACED.format("orders", "customer_id", "customers", ""), REPLACED.format(
                "orders", "customer_id", "customers", " ON DELETE CASCADE"
            )),
            on=POSTGRESQL,
            against_code=True,
        ),
        good(
            "cascading",
            raw(REPLACED.format("order_lines", "item_id", "items", " ON DELETE CASCADE"), REPLACED.format(
                "order_lines", "item_id", "items", ""
            )),
            on=POSTGRESQL,
            against_code=True,
        ),
        rows=(27, 29),
    ),
)  # fmt: skip
