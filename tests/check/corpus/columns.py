"""Columns that come: plain, required, with defaults."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import BOTH, POSTGRESQL, bad, good, pair, raw, verbs, whole

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
