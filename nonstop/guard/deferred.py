"""Statements that a script's commit leaves to be done: online forms, which can't run inside its transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from threading import get_ident
from typing import NamedTuple

from nonstop.databases.base import DBAPIConnection
from nonstop.databases.transaction_control import TransactionControl, Verb
from nonstop.databases.wording import is_write
from nonstop.descriptions.statements import Kind, Need, Reached

READS_CATALOGS = re.compile(
    r"\bpg_\w|\binformation_schema\b|\bto_reg\w|\breg(class|type|oper)\b", re.IGNORECASE
)
"""A query of the server's own tables: it would see that an index or a constraint is missing."""
ADDING = (Kind.READS, Kind.ONLINE_INDEX, Kind.NOT_VALID)
"""Statements that leave tables, columns and what others have made as they are, unless they drop something too."""


class Pending(NamedTuple):
    """A statement that waits for a commit: the oids of its ``tables``, and the ``names`` of what it makes or drops.

    ``may_fail``: the rows decide whether it succeeds. Then it has to be alone in its transaction, for nothing of that could
    be undone after the commit.
    """

    text: str
    tables: frozenset[int]
    names: frozenset[str]
    may_fail: bool

    def is_noticed_by(self, text: str, need: Need, reached: Callable[[], Iterable[Reached]]) -> bool:
        """Whether a statement may find that this one is not carried out yet. ``reached()``: the tables that it locks."""
        if need.kind is Kind.UNKNOWN or READS_CATALOGS.search(text):
            return True
        if self.may_fail and (need.kind is not Kind.READS or is_write(text)):
            return True
        if not self.names.isdisjoint(need.new_names):
            return True
        if any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) for name in self.names):
            return True
        if need.kind in ADDING and not need.loses_data:
            return False
        if need.is_strong and not (need.relations or need.indexes):
            return True
        return any(table.oid in self.tables for table in reached())


class Deferred:
    """Those of open transactions, and those that are due because their transaction was committed."""

    def __init__(self) -> None:
        self._waiting: dict[int, list[Pending]] = {}
        self._savepoints: dict[int, list[tuple[str, int]]] = {}
        self._dropped: dict[int, set[str]] = {}
        self._due: dict[int, list[str]] = {}

    # --- until the commit -------------------------------------------------------------------------------------

    def add(self, connection: DBAPIConnection, statement: Pending) -> None:
        """Carry out ``statement`` when the open transaction of ``connection`` has been committed."""
        self._waiting.setdefault(id(connection), []).append(statement)

    def of(self, connection: DBAPIConnection) -> list[Pending]:
        """What the open transaction of ``connection`` has deferred so far."""
        return self._waiting.get(id(connection), [])[:]

    def take(self, connection: DBAPIConnection) -> list[str]:
        """The same as texts, and forget it: the transaction ends."""
        self._savepoints.pop(id(connection), None)
        self._dropped.pop(id(connection), None)
        return [pending.text for pending in self._waiting.pop(id(connection), [])]

    def note_dropped(self, connection: DBAPIConnection, indexes: Iterable[str]) -> None:
        """Note indexes that the open transaction of ``connection`` drops."""
        self._dropped.setdefault(id(connection), set()).update(indexes)

    def has_dropped(self, connection: DBAPIConnection, indexes: Iterable[str]) -> bool:
        """Whether the open transaction of ``connection`` has dropped one of ``indexes``."""
        return not self._dropped.get(id(connection), set()).isdisjoint(indexes)

    def mind_savepoints(self, connection: DBAPIConnection, control: TransactionControl) -> None:
        """Note a savepoint; what was deferred after it goes with a rollback to it.

        A name may stand for several savepoints, of which the last counts (PostgreSQL manual, "SAVEPOINT").
        """
        marks = self._savepoints.setdefault(id(connection), [])
        if control.verb is Verb.SAVEPOINT:
            marks.append((control.savepoint, len(self.of(connection))))
            return
        found = [place for place, (name, _) in enumerate(marks) if name == control.savepoint]
        if not found:
            return  # the statement fails
        if control.verb is Verb.ROLLBACK_TO:
            del self._waiting.get(id(connection), [])[marks[found[-1]][1] :]
            del marks[found[-1] + 1 :]
        elif control.verb is Verb.RELEASE:
            del marks[found[-1] :]

    # --- after it ---------------------------------------------------------------------------------------------

    def add_due(self, statements: Iterable[str]) -> None:
        """Carry these out next, in the thread that has committed."""
        self._due.setdefault(get_ident(), []).extend(statements)

    @property
    def next_due(self) -> str | None:
        """The statement that this thread is to carry out next; it stays until :meth:`done`."""
        return next(iter(self._due.get(get_ident(), ())), None)

    def done(self, statement: str) -> None:
        """A statement that was due has been carried out."""
        self._due[get_ident()].remove(statement)
