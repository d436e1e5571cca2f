"""Mutants with no way back, no second run, no life after a crash, no regard for others, no word about it."""

from __future__ import annotations

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import POSTGRESQL
from tests.check.mutants.making import (
    ADD_SHELF,
    CREATE_SHELVES,
    DROP_SHELVES,
    LOOK,
    RAW,
    VERBS,
    also_sends,
    mutant,
    sent,
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
        (
            '    op.drop_index("idx_archive_stored_on", "archive")',
            '    op.irreversible("nobody will want that")',
        ),
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
            + sent("INSERT INTO archive (label) VALUES ('Overflow')")
            + "        with db.engine.begin() as connection:\n"
            + CREATE_SHELVES,
        ),
        (DROP_SHELVES, DROP_SHELVES + sent("DELETE FROM archive WHERE label = 'Overflow'")),
    ),
)
NO_DOWNTIME = (
    mutant(
        Promise.NO_DOWNTIME,
        "volatile_default",
        "every row is written anew under ACCESS EXCLUSIVE",
        RAW,
        (
            ADD_SHELF,
            ADD_SHELF.replace("INTEGER", "INTEGER DEFAULT (random() * 0)::integer"),
        ),
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
        (
            "with db.engine.begin() as connection:",
            "with suppress(Exception), db.engine.begin() as connection:",
        ),
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
