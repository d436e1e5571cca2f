"""Two good scripts, and how mutants are made of them: one thing is replaced by another."""

from __future__ import annotations

from dataclasses import dataclass

from nonstop.descriptions.promises import Promise
from tests.check.corpus.examples import BOTH

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

CREATE_SHELVES = '            connection.execute(text("CREATE TABLE IF NOT EXISTS shelves (id INTEGER PRIMARY KEY, room VARCHAR(40))"))\n'
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
        (CREATE_SHELVES, CREATE_SHELVES + sent(apply)),
        (DROP_SHELVES, DROP_SHELVES + (sent(rollback) if rollback else "")),
    )


def also_calls(apply: str, rollback: str) -> Changes:
    """Changes of VERBS: one more line at the end of ``apply``, and one at the end of ``rollback``."""
    return (
        ('    print("Boxes have a shelf.")', f'    {apply}\n    print("Boxes have a shelf.")'),
        ('    print("Boxes have no shelf.")', f'    {rollback}\n    print("Boxes have no shelf.")'),
    )


def sent(statement: str) -> str:
    """The lines that send a statement in RAW's transactions."""
    return f'            connection.execute(text("""{statement}"""))\n'
