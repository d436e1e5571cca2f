"""Checks, NOT NULL, exclusion, and tables that others refer to."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import POSTGRESQL, bad, contract, good, pair, raw, verbs

EXAMPLES = (
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
