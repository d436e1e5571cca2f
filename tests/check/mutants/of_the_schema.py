"""Mutants that take something away, demand something, or stand in the running code's way."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import POSTGRESQL, SQLITE
from tests.check.mutants.making import (
    ADD_SHELF,
    CREATE_SHELVES,
    DONE,
    DROP_SHELVES,
    IMPORT_OP,
    LOOK,
    RAW,
    VERBS,
    also_calls,
    also_sends,
    mutant,
    sent,
)

ADDITIVE = (
    mutant(
        Promise.ADDITIVE,
        "drops_a_view",
        "whoever reads the view fails",
        RAW,
        *also_sends(
            "DROP VIEW IF EXISTS archive_labels",
            "CREATE VIEW archive_labels AS SELECT id, label FROM archive",
        ),
        (DROP_SHELVES, DROP_SHELVES + sent("DROP VIEW IF EXISTS archive_labels")),
    ),
    mutant(
        Promise.ADDITIVE,
        "renames_a_column",
        "its old name is gone",
        RAW,
        (LOOK, LOOK + '        pages = columns("archive_pages")\n'),
        (
            CREATE_SHELVES,
            CREATE_SHELVES
            + '            if "scan" in pages:\n    '
            + sent("ALTER TABLE archive_pages RENAME COLUMN scan TO image"),
        ),
        (
            DROP_SHELVES,
            DROP_SHELVES
            + '            if "image" in pages:\n    '
            + sent("ALTER TABLE archive_pages RENAME COLUMN image TO scan"),
        ),
    ),
    mutant(
        Promise.ADDITIVE,
        "drops_a_default",
        "who relied on it writes NULL",
        VERBS,
        *also_calls('op.drop_default("archive", "pages")', 'op.set_default("archive", "pages", text("1"))'),
    ),
    mutant(
        Promise.ADDITIVE,
        "renames_a_table",
        "its old name is gone",
        VERBS,
        *also_calls('op.rename_table("archive_pages", "scans")', 'op.rename_table("scans", "archive_pages")'),
    ),
)
DEMAND_ON_POSTGRESQL = """
    CREATE OR REPLACE FUNCTION demand_shelf() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.shelf IS NULL THEN
            RAISE not_null_violation USING MESSAGE = 'where does it stand?';
        END IF;
        RETURN NEW;
    END $$;
    CREATE OR REPLACE TRIGGER demand_shelf BEFORE INSERT ON archive FOR EACH ROW EXECUTE FUNCTION demand_shelf()"""
DEMAND_ON_SQLITE = """
    CREATE TRIGGER IF NOT EXISTS demand_shelf BEFORE INSERT ON archive WHEN NEW.shelf IS NULL
    BEGIN
        SELECT RAISE(ABORT, 'NOT NULL constraint failed: archive.shelf');
    END"""
NULLABLE = (
    mutant(
        Promise.NULLABLE,
        "takes_the_default_away",
        "NOT NULL without a default: an INSERT that does not know the column fails",
        RAW,
        IMPORT_OP,
        (ADD_SHELF, ADD_SHELF.replace("INTEGER", "INTEGER NOT NULL DEFAULT 0")),
        (DONE, '        op.drop_default("archive", "shelf")\n' + DONE),
    ),
    mutant(
        Promise.NULLABLE,
        "demands_it_afterwards",
        "the same in three steps",
        RAW,
        IMPORT_OP,
        (ADD_SHELF, ADD_SHELF.replace("INTEGER", "INTEGER DEFAULT 0")),
        (
            DONE,
            '        op.set_not_null("archive", "shelf")\n        op.drop_default("archive", "shelf")\n'
            + DONE,
        ),
    ),
    mutant(
        Promise.NULLABLE,
        "demands_it_by_trigger",
        "the column may be NULL, and still no INSERT works without it",
        RAW,
        (
            '            connection.execute(text("CREATE INDEX',
            sent(DEMAND_ON_POSTGRESQL) + '            connection.execute(text("CREATE INDEX',
        ),
        (
            '            if "shelf" in archive',
            sent("DROP TRIGGER IF EXISTS demand_shelf ON archive")
            + sent("DROP FUNCTION IF EXISTS demand_shelf()")
            + '            if "shelf" in archive',
        ),
        on=POSTGRESQL,
    ),
    mutant(
        Promise.NULLABLE,
        "demands_it_by_trigger_of_sqlite",
        "the column may be NULL, and still no INSERT works without it",
        RAW,
        (
            '            connection.execute(text("CREATE INDEX',
            sent(DEMAND_ON_SQLITE) + '            connection.execute(text("CREATE INDEX',
        ),
        (
            '            if "shelf" in archive',
            sent("DROP TRIGGER IF EXISTS demand_shelf") + '            if "shelf" in archive',
        ),
        on=SQLITE,
    ),
)
TOUCH_ON_SQLITE = """
    CREATE TRIGGER IF NOT EXISTS touch_item AFTER UPDATE ON items
    BEGIN
        INSERT INTO item_changes (item_id) VALUES (NEW.id);
    END"""
COMPATIBLE = (
    mutant(
        Promise.COMPATIBLE,
        "makes_a_name_unique",
        "the running code writes one name twice",
        VERBS,
        *also_calls(
            'op.add_unique("uq_customers_name", "customers", ["name"])',
            'op.drop_constraint("uq_customers_name", "customers")',
        ),
    ),
    mutant(
        Promise.COMPATIBLE,
        "demands_a_phone",
        "the running code leaves it out",
        VERBS,
        *also_calls('op.set_not_null("customers", "phone")', 'op.drop_not_null("customers", "phone")'),
    ),
    mutant(
        Promise.COMPATIBLE,
        "breaks_updates",
        "a trigger writes to a column that is not there",
        RAW,
        *also_sends(
            """
            CREATE OR REPLACE FUNCTION touch_item() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                NEW.changed_at := now();
                RETURN NEW;
            END $$;
            CREATE OR REPLACE TRIGGER touch_item BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION touch_item()""",
            "DROP TRIGGER IF EXISTS touch_item ON items; DROP FUNCTION IF EXISTS touch_item()",
        ),
        on=POSTGRESQL,
    ),
    mutant(
        Promise.COMPATIBLE,
        "breaks_updates_of_sqlite",
        "a trigger writes to a table that is not there",
        RAW,
        (CREATE_SHELVES, CREATE_SHELVES + sent(TOUCH_ON_SQLITE)),
        (
            '            if "shelf" in archive',
            sent("DROP TRIGGER IF EXISTS touch_item") + '            if "shelf" in archive',
        ),
        on=SQLITE,
    ),
)
