"""Constraints: unique, primary and foreign keys, checks, NOT NULL, exclusion."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import POSTGRESQL, bad, contract, good, pair, raw, verbs, whole

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
        "payment_is_positive",
        "let no payment be negative",
        "refunds have a table of their own",
        bad(
            "in_a_block",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text(\"\"\"
        DO $$
        BEGIN
            ALTER TABLE payments ADD CONSTRAINT ck_payments_amount CHECK (amount >= 0);
        EXCEPTION WHEN duplicate_object THEN NULL;
        END $$\"\"\"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE payments DROP CONSTRAINT IF EXISTS ck_payments_amount"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "verb",
            verbs(
                'op.add_check("ck_payments_amount", "payments", "amount >= 0")',
                'op.drop_constraint("ck_payments_amount", "payments")',
            ),
        ),
        good(
            "not_valid_at_first",
            raw("""
names = {found["name"] for found in inspect(db.engine).get_check_constraints("payments")}
if "ck_payments_amount" not in names:
    with db.engine.begin() as connection:
        connection.execute(
            text("ALTER TABLE payments ADD CONSTRAINT ck_payments_amount CHECK (amount >= 0) NOT VALID")
        )
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE payments VALIDATE CONSTRAINT ck_payments_amount"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE payments DROP CONSTRAINT IF EXISTS ck_payments_amount"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "looked_at_first",
            raw("""
names = {found["name"] for found in inspect(db.engine).get_check_constraints("payments")}
if "ck_payments_amount" in names:
    return True
with db.engine.begin() as connection:
    wrong = connection.execute(text("SELECT count(*) FROM payments WHERE amount < 0")).scalar()
    if wrong:
        print(f"{wrong} payments are negative: correct them first.")
        return False
    connection.execute(text("ALTER TABLE payments ADD CONSTRAINT ck_payments_amount CHECK (amount >= 0)"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE payments DROP CONSTRAINT IF EXISTS ck_payments_amount"))
"""),
            on=POSTGRESQL,
        ),
        rows=(26, 34),
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
        bad(
            "without_an_index",
            Promise.NO_DOWNTIME,
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
        "stored_on_required",
        "demand archive.stored_on",
        "boxes without a date are never found again",
        bad(
            "plain",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE archive ALTER COLUMN stored_on SET NOT NULL"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE archive ALTER COLUMN stored_on DROP NOT NULL"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "verb",
            verbs('op.set_not_null("archive", "stored_on")', 'op.drop_not_null("archive", "stored_on")'),
            against_code=True,
        ),
        good(
            "through_a_check",
            raw("""
columns = {column["name"]: column for column in inspect(db.engine).get_columns("archive")}
if columns["stored_on"]["nullable"]:
    checks = {found["name"] for found in inspect(db.engine).get_check_constraints("archive")}
    if "ck_archive_stored_on" not in checks:
        with db.engine.begin() as connection:
            connection.execute(text(
                "ALTER TABLE archive ADD CONSTRAINT ck_archive_stored_on CHECK (stored_on IS NOT NULL) NOT VALID"
            ))
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE archive VALIDATE CONSTRAINT ck_archive_stored_on"))
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE archive ALTER COLUMN stored_on SET NOT NULL"))
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE archive DROP CONSTRAINT IF EXISTS ck_archive_stored_on"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE archive ALTER COLUMN stored_on DROP NOT NULL"))
"""),
            on=POSTGRESQL,
            against_code=True,
        ),
        rows=(28,),
    ),
    *pair(
        "phone_required",
        "settle whether customers have a phone number",
        "the courier calls before he comes",
        bad(
            "demanded",
            Promise.COMPATIBLE,
            verbs('op.set_not_null("customers", "phone")', 'op.drop_not_null("customers", "phone")'),
            against_code=True,
        ),
        good(
            "nobody_needs_a_name",
            verbs('op.drop_not_null("customers", "name")', 'op.set_not_null("customers", "name")'),
            against_code=True,
        ),
        rows=(28,),
    ),
    *pair(
        "pages_are_gone",
        "drop the table archive_pages",
        "the scans are kept in the document store now",
        bad(
            "at_once",
            Promise.ADDITIVE,
            verbs('op.drop_table("archive_pages")', 'op.irreversible("the scans are gone")'),
            against_code=True,
        ),
        good(
            "key_first",
            contract(
                verbs("""
op.drop_constraint("fk_archive_pages_archive_id_archive", "archive_pages")
op.drop_table("archive_pages")
""", """
op.irreversible("the scans are gone")
"""),
                "the document store has them all",
            ),
            against_code=True,
        ),
        rows=(30, 42),
    ),
    *pair(
        "one_box_per_number",
        "let no two boxes have the same number",
        "numbers were given twice by the old terminal",
        bad(
            "exclusion",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    found = connection.execute(text("SELECT 1 FROM pg_constraint WHERE conname = 'ex_archive_id'")).scalar()
    if not found:
        connection.execute(text("ALTER TABLE archive ADD CONSTRAINT ex_archive_id EXCLUDE USING hash (id WITH =)"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE archive DROP CONSTRAINT IF EXISTS ex_archive_id"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "in_a_new_table",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text(\"\"\"
        CREATE TABLE IF NOT EXISTS loans (
            id serial PRIMARY KEY,
            archive_id integer NOT NULL,
            lent daterange NOT NULL,
            CONSTRAINT ex_loans_lent EXCLUDE USING gist (lent WITH &&)
        )\"\"\"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP TABLE IF EXISTS loans"))
"""),
            on=POSTGRESQL,
        ),
        rows=(33,),
    ),
)  # fmt: skip
