"""Mutants of two good scripts: each breaks one promise, and only that one.

What they change is in tables that the running code does not map, so that no broken promise implies another; the mutants
of ``compatible with running code`` alone change what it maps.
"""

from __future__ import annotations

from dataclasses import dataclass

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import BOTH, POSTGRESQL, SQLITE

RAW = '''\
"""
Migration 001: give the boxes of the archive a place on a shelf.

Why: the archive moves to the cellar, where nobody finds a box by its colour any more.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from app import app, db
from sqlalchemy import inspect, text


def columns(table):
    return {column["name"] for column in inspect(db.engine).get_columns(table)}


def apply():
    with app.app_context():
        archive = columns("archive")
        with db.engine.begin() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS shelves (id INTEGER PRIMARY KEY, room VARCHAR(40))"))
            if "shelf" not in archive:
                connection.execute(text("ALTER TABLE archive ADD COLUMN shelf INTEGER"))
            connection.execute(text("CREATE INDEX IF NOT EXISTS idx_archive_stored_on ON archive (stored_on)"))
        print("Boxes have a shelf.")
        return True


def rollback():
    with app.app_context():
        archive = columns("archive")
        with db.engine.begin() as connection:
            connection.execute(text("DROP INDEX IF EXISTS idx_archive_stored_on"))
            if "shelf" in archive:
                connection.execute(text("ALTER TABLE archive DROP COLUMN shelf"))
            connection.execute(text("DROP TABLE IF EXISTS shelves"))
        print("Boxes have no shelf.")
        return True
'''
VERBS = '''\
"""
Migration 001: give the boxes of the archive a place on a shelf.

Why: the archive moves to the cellar, where nobody finds a box by its colour any more.
"""

from sqlalchemy import Column, Integer, String, text

from nonstop import op


def apply():
    op.create_table("shelves", Column("id", Integer, primary_key=True), Column("room", String(40)))
    op.add_column("archive", Column("shelf", Integer))
    op.create_index("idx_archive_stored_on", "archive", ["stored_on"])
    print("Boxes have a shelf.")


def rollback():
    op.drop_index("idx_archive_stored_on", "archive")
    op.drop_column("archive", "shelf")
    op.drop_table("shelves")
    print("Boxes have no shelf.")
'''
BASES = {"raw": RAW, "verbs": VERBS}

CREATE_SHELVES = (
    '            connection.execute(text("CREATE TABLE IF NOT EXISTS shelves (id INTEGER PRIMARY KEY, room VARCHAR(40))"))\n'
)
DROP_SHELVES = '            connection.execute(text("DROP TABLE IF EXISTS shelves"))\n'
ADD_SHELF = '                connection.execute(text("ALTER TABLE archive ADD COLUMN shelf INTEGER"))\n'
LOOK = '        archive = columns("archive")\n'
DONE = '        print("Boxes have a shelf.")\n'
IMPORT_OP = ("from app import app, db\n", "from app import app, db\nfrom nonstop import op\n")

Changes = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Mutant:
    """A good script with one thing wrong. ``why`` says what the promise means here."""

    name: str
    promise: Promise
    text: str
    why: str
    databases: tuple[str, ...]


def mutant(
    promise: Promise,
    name: str,
    why: str,
    base: str,
    *changes: tuple[str, str],
    on: tuple[str, ...] = BOTH,
) -> Mutant:
    """``base`` with all that is old replaced by what is new."""
    text = base
    for old, new in changes:
        assert old in text, f"{name}: {old!r} is not in the script"
        text = text.replace(old, new)
    return Mutant(name, promise, text, why, on)


def also_sends(apply: str, rollback: str = "") -> Changes:
    """Changes of RAW: one more statement in ``apply``'s transaction, and one in ``rollback``'s."""
    return (
        (CREATE_SHELVES, CREATE_SHELVES + _sent(apply)),
        (DROP_SHELVES, DROP_SHELVES + (_sent(rollback) if rollback else "")),
    )


def also_calls(apply: str, rollback: str) -> Changes:
    """Changes of VERBS: one more line at the end of ``apply``, and one at the end of ``rollback``."""
    return (
        ('    print("Boxes have a shelf.")', f'    {apply}\n    print("Boxes have a shelf.")'),
        ('    print("Boxes have no shelf.")', f'    {rollback}\n    print("Boxes have no shelf.")'),
    )


def _sent(statement: str) -> str:
    return f'            connection.execute(text("""{statement}"""))\n'


ADDITIVE = (
    mutant(
        Promise.ADDITIVE,
        "drops_a_view",
        "whoever reads the view fails",
        RAW,
        *also_sends(
            "DROP VIEW IF EXISTS archive_labels", "CREATE VIEW archive_labels AS SELECT id, label FROM archive"
        ),
        (DROP_SHELVES, DROP_SHELVES + _sent("DROP VIEW IF EXISTS archive_labels")),
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
            + _sent("ALTER TABLE archive_pages RENAME COLUMN scan TO image"),
        ),
        (
            DROP_SHELVES,
            DROP_SHELVES
            + '            if "image" in pages:\n    '
            + _sent("ALTER TABLE archive_pages RENAME COLUMN image TO scan"),
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
            '        op.set_not_null("archive", "shelf")\n        op.drop_default("archive", "shelf")\n' + DONE,
        ),
    ),
    mutant(
        Promise.NULLABLE,
        "demands_it_by_trigger",
        "the column may be NULL, and still no INSERT works without it",
        RAW,
        (
            '            connection.execute(text("CREATE INDEX',
            _sent(DEMAND_ON_POSTGRESQL) + '            connection.execute(text("CREATE INDEX',
        ),
        (
            '            if "shelf" in archive',
            _sent("DROP TRIGGER IF EXISTS demand_shelf ON archive")
            + _sent("DROP FUNCTION IF EXISTS demand_shelf()")
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
            _sent(DEMAND_ON_SQLITE) + '            connection.execute(text("CREATE INDEX',
        ),
        (
            '            if "shelf" in archive',
            _sent("DROP TRIGGER IF EXISTS demand_shelf") + '            if "shelf" in archive',
        ),
        on=SQLITE,
    ),
)
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
        *also_sends(
            """
            CREATE TRIGGER IF NOT EXISTS touch_item AFTER UPDATE ON items
            BEGIN
                INSERT INTO item_changes (item_id) VALUES (NEW.id);
            END""",
            "DROP TRIGGER IF EXISTS touch_item",
        ),
        on=SQLITE,
    ),
)
REVERSIBLE = (
    mutant(
        Promise.REVERSIBLE,
        "has_no_rollback",
        "there is no function of that name",
        RAW,
        ("def rollback():", "def undo():"),
    ),
    mutant(
        Promise.REVERSIBLE,
        "forgets_the_index",
        "it stays behind",
        RAW,
        ('            connection.execute(text("DROP INDEX IF EXISTS idx_archive_stored_on"))\n', ""),
    ),
    mutant(Promise.REVERSIBLE, "forgets_the_table", "it stays behind", RAW, (DROP_SHELVES, "")),
    mutant(
        Promise.REVERSIBLE,
        "gives_up",
        "nothing is undone",
        VERBS,
        ('    op.drop_index("idx_archive_stored_on", "archive")', '    op.irreversible("nobody will want that")'),
    ),
    mutant(
        Promise.REVERSIBLE,
        "leaves_a_default",
        "it was none before",
        VERBS,
        (
            '    op.create_index("idx',
            '    op.set_default("archive", "memo", "none")\n    op.create_index("idx',
        ),
    ),
)
IDEMPOTENT = (
    mutant(
        Promise.IDEMPOTENT,
        "creates_without_looking",
        "the second time the table is there",
        RAW,
        ("CREATE TABLE IF NOT EXISTS", "CREATE TABLE"),
    ),
    mutant(
        Promise.IDEMPOTENT,
        "adds_without_looking",
        "the second time the column is there",
        RAW,
        ('            if "shelf" not in archive:\n' + ADD_SHELF, ADD_SHELF.removeprefix("    ")),
    ),
    mutant(
        Promise.IDEMPOTENT,
        "drops_without_looking",
        "the second time the table is gone",
        RAW,
        ("DROP TABLE IF EXISTS", "DROP TABLE"),
    ),
    mutant(
        Promise.IDEMPOTENT,
        "one_more_box_each_time",
        "the second time there are two",
        RAW,
        *also_sends(
            "INSERT INTO archive (label) VALUES ('Overflow')", "DELETE FROM archive WHERE label = 'Overflow'"
        ),
    ),
)
RETURN_EARLY = (
    LOOK + "        with db.engine.begin() as connection:\n" + CREATE_SHELVES,
    LOOK
    + '        if inspect(db.engine).has_table("shelves"):\n            return True\n'
    + "        with db.engine.begin() as connection:\n"
    + CREATE_SHELVES,
)
CRASH_SAFE = (
    mutant(
        Promise.CRASH_SAFE,
        "two_transactions",
        "killed between them, the table makes the next run believe that all is done",
        RAW,
        RETURN_EARLY,
        (
            '            if "shelf" not in archive:\n',
            '        with db.engine.begin() as connection:\n            if "shelf" not in archive:\n',
        ),
    ),
    mutant(
        Promise.CRASH_SAFE,
        "each_statement_alone",
        "the same, in autocommit mode",
        RAW,
        RETURN_EARLY,
        (
            "        with db.engine.begin() as connection:\n" + CREATE_SHELVES,
            '        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:\n'
            + CREATE_SHELVES,
        ),
    ),
    mutant(
        Promise.CRASH_SAFE,
        "counts_twice",
        "killed after the box was made, the next run makes another",
        RAW,
        (
            LOOK + "        with db.engine.begin() as connection:\n" + CREATE_SHELVES,
            LOOK
            + '        if "shelf" in archive:\n            return True\n'
            + "        with db.engine.begin() as connection:\n"
            + _sent("INSERT INTO archive (label) VALUES ('Overflow')")
            + "        with db.engine.begin() as connection:\n"
            + CREATE_SHELVES,
        ),
        (DROP_SHELVES, DROP_SHELVES + _sent("DELETE FROM archive WHERE label = 'Overflow'")),
    ),
)
NO_DOWNTIME = (
    mutant(
        Promise.NO_DOWNTIME,
        "volatile_default",
        "every row is written anew under ACCESS EXCLUSIVE",
        RAW,
        (ADD_SHELF, ADD_SHELF.replace("INTEGER", "INTEGER DEFAULT length(random()::text) - length(random()::text)")),
        on=POSTGRESQL,
    ),
    mutant(
        Promise.NO_DOWNTIME,
        "reindex",
        "nobody writes while the indexes are built",
        RAW,
        *also_sends("REINDEX TABLE archive"),
        on=POSTGRESQL,
    ),
    mutant(
        Promise.NO_DOWNTIME,
        "lock_table",
        "nobody reads until the commit",
        RAW,
        *also_sends("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE"),
        on=POSTGRESQL,
    ),
    mutant(
        Promise.NO_DOWNTIME,
        "many_rows",
        "whoever changes one of them waits until the commit",
        RAW,
        *also_sends("UPDATE archive SET memo = memo"),
        on=POSTGRESQL,
    ),
)
SUPPRESS = ("from sqlalchemy import", "from contextlib import suppress\nfrom sqlalchemy import")
DOCUMENTED = (
    mutant(
        Promise.DOCUMENTED,
        "no_docstring",
        "it does not say what it does",
        RAW,
        (RAW.partition("import os")[0], ""),
    ),
    mutant(
        Promise.DOCUMENTED,
        "title_only",
        "its number is in its name",
        VERBS,
        (VERBS.partition("from sqlalchemy")[0], '"""Migration 001"""\n\n'),
    ),
    mutant(
        Promise.DOCUMENTED,
        "swallows_errors",
        "a failure counts as success",
        RAW,
        SUPPRESS,
        ("with db.engine.begin() as connection:", "with suppress(Exception), db.engine.begin() as connection:"),
    ),
    mutant(
        Promise.DOCUMENTED,
        "swallows_errors_of_verbs",
        "a failure counts as success",
        VERBS,
        SUPPRESS,
        ("    op.", "    with suppress(Exception): op."),
    ),
)
MUTANTS = (
    *ADDITIVE, *NULLABLE, *COMPATIBLE, *REVERSIBLE, *IDEMPOTENT, *CRASH_SAFE, *NO_DOWNTIME, *DOCUMENTED,
)  # fmt: skip
