"""Rows that a session of PostgreSQL deletes in its open transaction, by the session's own statistics.

Three things have to be told apart from a loss, for the statistics count each of them as a deleted row:

* what an earlier transaction has deleted: its numbers stay for up to a second. So they are read before the first change.
* what a rollback to a savepoint has taken back. So they are read before the first statement behind it that may delete.
* a row that an UPDATE moves to another partition. So they are read before and after such updates: exactly those rows are
  moved that the statement has changed and not updated in place. As long as updates follow each other it is asked once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from nonstop.databases import postgresql_doomed as text
from nonstop.databases.base import DBAPIConnection
from nonstop.databases.postgresql_asking import ask, literal
from nonstop.databases.postgresql_loss_queries import AT_FIRST_CHANGE, COUNTS_NOTHING, PARTITIONED, STATISTICS
from nonstop.databases.postgresql_statements import needs
from nonstop.databases.transaction_control import TransactionControl, Verb
from nonstop.descriptions.statements import Kind


class Numbers(NamedTuple):
    """What a session has counted for a table."""

    root: int
    """The partitioned table above it; without one, itself."""
    deleted: int
    updated: int


Statistics = dict[int, Numbers]


@dataclass(slots=True)
class Updates:
    """Updates of one partitioned table that follow each other: ``rows`` they have changed in all."""

    root: int
    before: Statistics
    rows: int = 0


@dataclass(slots=True)
class Savepoint:
    """``deleted`` is what the transaction had deleted by then; None until it may have deleted something since."""

    name: str
    deleted: dict[int, int] | None = None


@dataclass(slots=True)
class Session:
    """One session, and its open transaction."""

    is_fresh: bool = True
    """Whether no transaction has ended in it, so that its numbers began with zero."""
    ignored: dict[int, int] | None = None
    """By table, what is counted and no loss; None until it was read."""
    is_certain: bool = True
    """Whether ``ignored`` was read before the first change."""
    savepoints: list[Savepoint] = field(default_factory=list)
    updates: Updates | None = None
    roots: dict[str, int | None] = field(default_factory=dict)
    """By the name of a table, its partitioned root."""
    is_uncounted: str = ""
    """Why the server may not have counted."""

    def end(self) -> None:
        """The transaction has ended."""
        self.is_fresh, self.ignored, self.is_certain, self.updates, self.is_uncounted = (
            False,
            None,
            True,
            None,
            "",
        )
        self.savepoints.clear()
        self.roots.clear()


class DeletedRows:
    """The sessions of one script, by the server's process."""

    def __init__(self) -> None:
        self._sessions: dict[int, Session] = {}

    # --- statements -------------------------------------------------------------------------------------------

    def before(self, connection: DBAPIConnection, statement: str) -> None:
        """Read what has to be known before ``statement``, which may change something, is sent."""
        session = self._session(connection)
        if text.names_the_counting(statement):
            session.is_uncounted = "a statement names track_counts"
        if session.ignored is None and (not session.is_fresh or text.changes_rows(statement)):
            (_, _, has_changed, _), *statistics = ask(connection, AT_FIRST_CHANGE)
            session.is_certain = session.is_fresh or not has_changed
            session.ignored = {} if has_changed else {oid: deleted for oid, _, deleted, _ in statistics}
        root = self._updated_root(connection, session, statement)
        if session.updates is not None and session.updates.root != root:
            _end_updates(connection, session)
        if root is not None or text.may_delete(statement):
            self._mark(connection, session)
        if root is not None and session.updates is None:
            session.updates = Updates(root, _statistics(connection))

    def follows_updates_of(self, connection: DBAPIConnection, statement: str) -> bool:
        """Whether ``statement`` updates a partitioned table, and is looked at before each run of such updates."""
        table = text.updated_table(statement)
        return bool(table) and self._session(connection).roots.get(table) is not None

    def after(self, connection: DBAPIConnection, rows: int) -> None:
        """Note how many ``rows`` the statement has changed."""
        if (updates := self._session(connection).updates) is not None:
            updates.rows += rows

    def mind_savepoint(self, connection: DBAPIConnection, control: TransactionControl) -> None:
        """Note a savepoint, or what a rollback to it has taken back."""
        session = self._session(connection)
        if control.verb is Verb.SAVEPOINT:
            _end_updates(connection, session)
            session.savepoints.append(Savepoint(control.savepoint))
            return
        places = [i for i, one in enumerate(session.savepoints) if one.name == control.savepoint]
        if not places:
            return
        if control.verb is Verb.RELEASE:
            _end_updates(connection, session)
            del session.savepoints[places[-1] :]
            return
        session.updates = None
        del session.savepoints[places[-1] + 1 :]
        if (was := session.savepoints[-1].deleted) is not None:
            now = _deleted(_statistics(connection))
            session.ignored = {oid: deleted - was.get(oid, 0) for oid, deleted in now.items()}

    def _mark(self, connection: DBAPIConnection, session: Session) -> None:
        unmarked = [one for one in session.savepoints if one.deleted is None]
        if unmarked:
            now = _since(_deleted(_statistics(connection)), session.ignored)
            for one in unmarked:
                one.deleted = now

    def _updated_root(self, connection: DBAPIConnection, session: Session, statement: str) -> int | None:
        """The partitioned table that ``statement`` updates, and nothing else."""
        table = text.updated_table(statement)
        if not table:
            if any(
                need.kind is not Kind.READS for _, need in needs(statement)
            ):  # names may get another meaning
                session.roots.clear()
            return None
        if table not in session.roots:
            found = ask(connection, PARTITIONED.format(name=literal(table)))
            session.roots[table] = found[0][0] if found else None
        return session.roots[table]

    # --- the end of the transaction ---------------------------------------------------------------------------

    def settle(self, connection: DBAPIConnection) -> Session:
        """The session with all that is known of the open transaction."""
        session = self._session(connection)
        _end_updates(connection, session)
        if session.ignored is None:
            session.ignored, session.is_certain = {}, session.is_fresh
        return session

    def why_uncounted(self, connection: DBAPIConnection) -> str:
        """Why the server may not have counted what was deleted; empty where it has."""
        found = ask(connection, COUNTS_NOTHING)
        return self._session(connection).is_uncounted or (found[0][0] if found else "")

    def ended(self, connection: DBAPIConnection) -> None:
        """The transaction has ended."""
        if not connection.closed:
            self._session(connection).end()

    def _session(self, connection: DBAPIConnection) -> Session:
        return self._sessions.setdefault(int(connection.info.backend_pid), Session())


def _end_updates(connection: DBAPIConnection, session: Session) -> None:
    """Take out of what was deleted the rows that updates have only moved, if they have done nothing else."""
    updates, session.updates = session.updates, None
    if updates is None:
        return
    now = {oid: one for oid, one in _statistics(connection).items() if one.root == updates.root}
    before = {oid: updates.before.get(oid, Numbers(one.root, 0, 0)) for oid, one in now.items()}
    gone = {oid: one.deleted - before[oid].deleted for oid, one in now.items()}
    updated = sum(one.updated - before[oid].updated for oid, one in now.items())
    if sum(gone.values()) == updates.rows - updated:  # else a trigger has deleted or updated too
        known = session.ignored or {}
        session.ignored = known | {oid: known.get(oid, 0) + n for oid, n in gone.items()}


def _statistics(connection: DBAPIConnection) -> Statistics:
    return {oid: Numbers(*numbers) for oid, *numbers in ask(connection, STATISTICS)}


def _deleted(statistics: Statistics) -> dict[int, int]:
    return {oid: numbers.deleted for oid, numbers in statistics.items()}


def _since(deleted: dict[int, int], ignored: dict[int, int] | None) -> dict[int, int]:
    return {oid: n - (ignored or {}).get(oid, 0) for oid, n in deleted.items()}
