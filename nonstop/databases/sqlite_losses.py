"""What an open transaction of SQLite takes away: the file as others still see it, and as the transaction sees it, are compared.

Before each commit, and only there: so it does not matter by which way a statement was sent, nor what a savepoint has taken
back. Rows and values are compared by their number. A table that is renamed stays the same, one that is made by the script
is its own; where another table has taken a name, its rows and columns must have everything that the old one had.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from nonstop.databases.sqlite_places import Places
from nonstop.databases.sqlite_table_losses import Compared, lost
from nonstop.databases.sqlite_tables import Key, Table, schema_version, tables
from nonstop.databases.sqlite_unseen import UnseenLosses
from nonstop.databases.transaction_control import TransactionControl, Verb
from nonstop.databases.wording import is_write
from nonstop.descriptions.losses import DriverGate, Loss, Outlook

TAKES_AWAY = re.compile(r"\b(delete|drop|replace)\b", re.IGNORECASE)
DROPS = re.compile(r"\bdrop\b", re.IGNORECASE)
OUTSIDE_TRANSACTIONS = re.compile(r"\s*(vacuum|attach|detach|pragma)\b", re.IGNORECASE)
COMMITS = re.compile(r"\s*(commit|end)\b", re.IGNORECASE)
CHANGES_SCHEMA = re.compile(r"\s*(create|alter|drop)\b", re.IGNORECASE)
COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
PATIENCE = 200
"""Milliseconds that the look waits for the file: who keeps it for longer keeps it to the end of the transaction."""
DELETES_UNSEEN = """
    SELECT 1 FROM sqlite_master WHERE (type = 'trigger' AND (sql LIKE '%delete%' OR sql LIKE '%replace%'))
    OR (type = 'table' AND sql LIKE '%conflict%replace%') LIMIT 1"""


class Words(NamedTuple):
    """What the words of a statement tell."""

    takes_away: bool
    drops: bool
    creates: bool
    changes_schema: bool


@lru_cache(maxsize=128)
def _words(statement: str) -> Words:
    plain = COMMENTS.sub(" ", statement)
    return Words(
        TAKES_AWAY.search(plain) is not None,
        DROPS.search(plain) is not None,
        plain.lstrip()[:6].lower() == "create",
        CHANGES_SCHEMA.match(plain) is not None,
    )


@dataclass(slots=True)
class Seen:
    """What was seen of an open transaction. What else it did went another way than through SQLAlchemy."""

    takes_away: bool = False
    drops: list[str] = field(default_factory=list)
    """Its statements that drop something, in lower case."""
    is_harmless: bool = False
    """Whether no trigger and no constraint deletes."""
    rows: int = 0
    """How many rows its statements have changed."""
    schema_changes: int = 0
    """By how much they have raised the version of the schema; ``version`` is that before the last one."""
    version: int = 0
    places: Places | None = None
    told: dict[str, int] = field(default_factory=dict)
    """What an earlier look at the same transaction has found, by its subject."""


class FileLosses:
    """A :class:`nonstop.descriptions.losses.LossWatch` on SQLite.

    ``others`` is a connection that the script does not use. Tables called as in ``ignored`` are not looked at.
    """

    begin = "BEGIN IMMEDIATE"

    def __init__(self, others: sqlite3.Connection, ignored: frozenset[str]) -> None:
        self._others = others
        self._ignored = {name.rpartition(".")[2].strip('"').lower() for name in ignored}
        self._made: set[Key] = set()
        self._made_columns: set[tuple[Key, str]] = set()
        self._first_names: dict[Key, str] = {}
        """What tables were called when the script began, in lower case."""
        self._seen: dict[int, Seen] = {}
        self._changes: dict[int, int] = {}
        """How many rows a connection had changed when its last transaction ended."""
        self._unseen: dict[int, UnseenLosses] = {}

    def outlook(self, statement: str) -> Outlook:
        return _outlook(statement)

    def taken_out(self, connection: sqlite3.Connection, gate: DriverGate) -> None:
        self._unseen[id(connection)] = UnseenLosses(connection, self._others, gate)

    # --- statements -------------------------------------------------------------------------------------------

    def before(self, connection: sqlite3.Connection, statement: str) -> None:
        if not connection.in_transaction:
            connection.execute(self.begin)
        words = _words(statement)
        seen = self._seen.setdefault(id(connection), Seen())
        if words.drops:
            seen.drops.append(statement.lower())
        if words.changes_schema:
            seen.version = schema_version(connection)
            seen.is_harmless = False
            seen.places = seen.places or Places(tables(connection), self._first_names)
        if seen.takes_away or words.creates:
            return
        if words.takes_away:
            seen.takes_away = True
        elif not seen.is_harmless:
            seen.is_harmless = connection.execute(DELETES_UNSEEN).fetchone() is None
            seen.takes_away = not seen.is_harmless

    def may_repeat(self, connection: sqlite3.Connection, statement: str) -> bool:
        return True

    def after(self, connection: sqlite3.Connection, statement: str, rows: int) -> None:
        seen = self._seen.setdefault(id(connection), Seen())
        seen.rows += max(rows, 0)
        if seen.places is not None and _words(statement).changes_schema:
            seen.places.follow(tables(connection))
            seen.schema_changes += schema_version(connection) - seen.version

    def mind_savepoint(self, connection: sqlite3.Connection, control: TransactionControl) -> None:
        """What is there at the commit counts; the way there is not known any longer behind a return."""
        seen = self._seen.setdefault(id(connection), Seen())
        if control.verb is Verb.ROLLBACK_TO and seen.places is not None:
            seen.places = None
            changes = schema_version(connection) - schema_version(self._others)
            seen.schema_changes = min(seen.schema_changes, changes)

    # --- before the commit ------------------------------------------------------------------------------------

    def found(self, connection: sqlite3.Connection) -> list[Loss]:
        seen = self._seen.setdefault(id(connection), Seen())
        wait = self._others.execute("PRAGMA busy_timeout").fetchone()[0]
        self._others.execute(f"PRAGMA busy_timeout = {PATIENCE}")
        try:
            return [loss for loss in self._compare(connection, seen) if self._is_new(loss, seen)]
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            return [
                Loss("the file", "row", None, doubt="nobody else can read it, so nothing can be compared")
            ]
        finally:
            self._others.execute(f"PRAGMA busy_timeout = {wait}")

    def _compare(self, connection: sqlite3.Connection, seen: Seen) -> list[Loss]:
        unseen_rows = connection.total_changes - self._changes.get(id(connection), 0) != seen.rows
        was, now = schema_version(self._others), schema_version(connection)
        unseen_schema = now - was != seen.schema_changes
        if not (seen.takes_away or unseen_rows or now != was):
            return []
        before = [table for table in tables(self._others) if table.name.lower() not in self._ignored]
        after = tables(connection)
        compared = Compared(
            self._others, connection, {table.key: table for table in after},
            {table.name.lower(): table for table in after},
            None if unseen_schema else seen.places,
            None if unseen_schema else seen.drops, seen.takes_away or unseen_rows, self._made_columns,
        )  # fmt: skip
        losses = [loss for table in before for loss in self._lost(table, compared)]
        self._note_what_is_made(before, after)
        return losses

    def _lost(self, table: Table, compared: Compared) -> Iterator[Loss]:
        if table.key in self._made:
            return
        first_name = self._first_names.setdefault(table.key, table.name.lower())
        yield from lost(table, first_name, compared)

    def _note_what_is_made(self, before: list[Table], after: list[Table]) -> None:
        """A table that takes the name of an old one is expected to have its rows: it is the script's own no longer."""
        keys = {table.key for table in before}
        taken = {table.name.lower() for table in before if table.key not in self._made}
        taken.update(self._first_names.values())
        self._made = {
            table.key
            for table in after
            if (table.key in self._made or table.key not in keys) and table.name.lower() not in taken
        }
        kept = {table.key for table in after}
        self._made_columns = {(key, column) for key, column in self._made_columns if key in kept}

    def _is_new(self, loss: Loss, seen: Seen) -> bool:
        known = seen.told.get(loss.subject)
        seen.told[loss.subject] = loss.count or 0
        return known is None or (loss.count or 0) > known

    # --- the end ----------------------------------------------------------------------------------------------

    def forget(self, connection: sqlite3.Connection) -> None:
        self._seen.pop(id(connection), None)
        try:
            self._changes[id(connection)] = connection.total_changes
        except sqlite3.ProgrammingError:  # it is closed
            self._changes.pop(id(connection), None)

    def given_back(self, connection: sqlite3.Connection) -> None:
        self._changes.pop(id(connection), None)
        if (unseen := self._unseen.pop(id(connection), None)) is not None:
            unseen.remove()


@lru_cache(maxsize=256)
def _outlook(statement: str) -> Outlook:
    plain = COMMENTS.sub(" ", statement)
    changes = is_write(statement) and not OUTSIDE_TRANSACTIONS.match(plain)
    return Outlook(changes, commits=bool(COMMITS.match(plain)), wants_commit_of_ours=changes)
