"""Columns that come: plain, required, with defaults, computed, counted, filled from others."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import BOTH, POSTGRESQL, SQLITE, bad, good, pair, raw, verbs, whole

DROP_IN_CUSTOMERS = """
if "{0}" in {{column["name"] for column in inspect(db.engine).get_columns("customers")}}:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE customers DROP COLUMN {0}"))
"""

EXAMPLES = (
    *pair(
        "nickname",
        "add customers.nickname",
        "the newsletter greets people by it",
        bad(
            "required",
            Promise.NULLABLE,
            raw("""
if "nickname" not in {column["name"] for column in inspect(db.engine).get_columns("customers")}:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE customers ADD COLUMN nickname VARCHAR(40) NOT NULL"))
""", DROP_IN_CUSTOMERS.format("nickname")),
            fails=True,
        ),
        bad(
            "required_after_filling",
            Promise.NULLABLE,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE customers ADD COLUMN IF NOT EXISTS nickname varchar(80)"))
    connection.execute(text("UPDATE customers SET nickname = name WHERE nickname IS NULL"))
    connection.execute(text("ALTER TABLE customers ALTER COLUMN nickname SET NOT NULL"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE customers DROP COLUMN IF EXISTS nickname"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "optional",
            raw("""
if "nickname" not in {column["name"] for column in inspect(db.engine).get_columns("customers")}:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE customers ADD COLUMN nickname VARCHAR(40)"))
""", DROP_IN_CUSTOMERS.format("nickname")),
        ),
        good(
            "in_a_block",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("DO $$ BEGIN ALTER TABLE customers ADD COLUMN IF NOT EXISTS nickname varchar(40); END $$"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE customers DROP COLUMN IF EXISTS nickname"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "autocommit",
            raw("""
if "nickname" not in {column["name"] for column in inspect(db.engine).get_columns("customers")}:
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ALTER TABLE customers ADD COLUMN nickname VARCHAR(40)"))
""", DROP_IN_CUSTOMERS.format("nickname")),
        ),
        rows=(),
    ),
    *pair(
        "newsletter",
        "add customers.newsletter",
        "who has agreed to get it has to be known",
        bad(
            "default_taken_away",
            Promise.NULLABLE,
            verbs("""
op.add_column("customers", Column("newsletter", Integer, nullable=False, server_default=text("0")))
op.drop_default("customers", "newsletter")
""", """
op.drop_column("customers", "newsletter")
"""),
        ),
        good(
            "required_with_default",
            verbs("""
op.add_column("customers", Column("newsletter", Integer, nullable=False, server_default=text("0")))
""", """
op.drop_column("customers", "newsletter")
"""),
        ),
        good(
            "required_with_default_raw",
            raw("""
with db.engine.connect() as connection:
    if "newsletter" not in {column["name"] for column in inspect(connection).get_columns("customers")}:
        connection.execute(text("ALTER TABLE customers ADD COLUMN newsletter INTEGER NOT NULL DEFAULT 0"))
    connection.commit()
""", DROP_IN_CUSTOMERS.format("newsletter")),
        ),
        rows=(48,),
    ),
    *pair(
        "public_token",
        "give customers a public token",
        "links must not show the running number",
        bad(
            "random_default",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE customers ADD COLUMN IF NOT EXISTS token uuid DEFAULT gen_random_uuid()"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE customers DROP COLUMN IF EXISTS token"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "in_steps",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE customers ADD COLUMN IF NOT EXISTS token uuid"))
    connection.execute(text("ALTER TABLE customers ALTER COLUMN token SET DEFAULT gen_random_uuid()"))
done = -1
while done is not None:
    with db.engine.begin() as connection:
        last = connection.execute(LAST_OF_BATCH, {"done": done}).scalar()
        connection.execute(FILL, {"done": done, "last": last})
    done = last
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE customers DROP COLUMN IF EXISTS token"))
""", before="""
LAST_OF_BATCH = text(
    "SELECT max(id) FROM (SELECT id FROM customers WHERE id > :done ORDER BY id LIMIT 1000) AS batch"
)
FILL = text(
    "UPDATE customers SET token = gen_random_uuid() WHERE id > :done AND id <= :last AND token IS NULL"
)
"""),
            on=POSTGRESQL,
        ),
        good(
            "moment_of_migration",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE customers ADD COLUMN IF NOT EXISTS seen_at timestamptz DEFAULT now()"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE customers DROP COLUMN IF EXISTS seen_at"))
"""),
            on=POSTGRESQL,
        ),
        rows=(14, 35, 36),
    ),
    *pair(
        "gross_total",
        "add the gross total of an order",
        "invoices show it",
        bad(
            "stored",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text(
        "ALTER TABLE orders ADD COLUMN IF NOT EXISTS gross numeric GENERATED ALWAYS AS (total * 1.2) STORED"
    ))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE orders DROP COLUMN IF EXISTS gross"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "in_a_view",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("CREATE OR REPLACE VIEW order_totals AS SELECT id, total, total * 1.2 AS gross FROM orders"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("DROP VIEW IF EXISTS order_totals"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "computed_when_read",
            raw("""
with db.engine.connect() as connection:
    shown = {row.name for row in connection.execute(text("SELECT name FROM pragma_table_xinfo('orders')"))}
if "gross" not in shown:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE orders ADD COLUMN gross NUMERIC GENERATED ALWAYS AS (total * 1.2) VIRTUAL"))
""", """
with db.engine.connect() as connection:
    shown = {row.name for row in connection.execute(text("SELECT name FROM pragma_table_xinfo('orders')"))}
if "gross" in shown:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE orders DROP COLUMN gross"))
"""),
            on=SQLITE,
        ),
        rows=(46,),
    ),
    *pair(
        "invoice_number",
        "number the payments' receipts",
        "the tax office wants them numbered",
        bad(
            "serial",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE payments ADD COLUMN IF NOT EXISTS receipt serial"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE payments DROP COLUMN IF EXISTS receipt"))
"""),
            on=POSTGRESQL,
        ),
        bad(
            "identity",
            Promise.NO_DOWNTIME,
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE payments ADD COLUMN IF NOT EXISTS receipt bigint GENERATED BY DEFAULT AS IDENTITY"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE payments DROP COLUMN IF EXISTS receipt"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "for_new_ones",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("CREATE SEQUENCE IF NOT EXISTS receipt_numbers"))
    connection.execute(text("ALTER TABLE payments ADD COLUMN IF NOT EXISTS receipt bigint"))
    connection.execute(text("ALTER TABLE payments ALTER COLUMN receipt SET DEFAULT nextval('receipt_numbers')"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE payments DROP COLUMN IF EXISTS receipt"))
    connection.execute(text("DROP SEQUENCE IF EXISTS receipt_numbers"))
"""),
            on=POSTGRESQL,
        ),
        rows=(46,),
    ),
    *pair(
        "default_of_column",
        "change what a payment's method and a box's pages are when nobody says",
        "the terminal sends no method for transfers",
        bad(
            "taken_away",
            Promise.ADDITIVE,
            verbs('op.drop_default("archive", "pages")', 'op.set_default("archive", "pages", text("1"))'),
            against_code=True,
        ),
        good(
            "given",
            verbs(
                'op.set_default("payments", "method", "transfer")',
                'op.drop_default("payments", "method")',
            ),
        ),
        rows=(48,),
    ),
    *pair(
        "preferences",
        "keep what a customer prefers",
        "the shop remembers language and time of delivery",
        bad(
            "second_run_fails",
            Promise.IDEMPOTENT,
            whole('''
                """
                Migration 001: keep what a customer prefers, as a document.

                The shop remembers language and time of delivery; there will be more, so it is one column.
                """

                import sys
                from pathlib import Path

                sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

                from app import app, db
                from sqlalchemy import text


                def apply():
                    with app.app_context(), db.engine.begin() as connection:
                        connection.execute(text("ALTER TABLE customers ADD COLUMN preferences TEXT"))
                        connection.execute(text("ALTER TABLE customers ADD COLUMN preferred_at TIMESTAMP"))
                    return True


                def rollback():
                    with app.app_context(), db.engine.begin() as connection:
                        connection.execute(text("ALTER TABLE customers DROP COLUMN preferred_at"))
                        connection.execute(text("ALTER TABLE customers DROP COLUMN preferences"))
                    return True
            '''),
        ),
        good(
            "document",
            raw("""
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE customers ADD COLUMN IF NOT EXISTS preferences jsonb"))
    connection.execute(text("ALTER TABLE customers ADD COLUMN IF NOT EXISTS preferred_at timestamptz"))
""", """
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE customers DROP COLUMN IF EXISTS preferred_at"))
    connection.execute(text("ALTER TABLE customers DROP COLUMN IF EXISTS preferences"))
"""),
            on=POSTGRESQL,
        ),
        good(
            "text",
            verbs("""
op.add_column("customers", Column("preferences", Text))
op.add_column("customers", Column("prefers_mail", Boolean))
""", """
op.drop_column("customers", "prefers_mail")
op.drop_column("customers", "preferences")
"""),
            on=BOTH,
        ),
        rows=(47,),
    ),
)  # fmt: skip
