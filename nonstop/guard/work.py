"""The transactions of one script. Its last commit is held back for a moment, so that it can carry the ledger's row.

A script that knows nothing of us commits when it likes. Whether a commit is its last can be seen only when the script
returns. So a commit is not sent at once: it is sent before the next thing that the script does to the database, or
before it starts a process that may look (and then carries a row that says how far the script got), or with the row that
says that the script has ended. A script of one transaction is therefore applied and recorded in the same instant, or
not at all. A script that does something else for long after a commit has it sent after ``HOLD_LIMIT`` where others wait
for its locks (not on SQLite, whose connections belong to one thread).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.databases.wording import is_write
from nonstop.errors import UsageError
from nonstop.guard.deferred import Deferred
from nonstop.guard.losses import Losses
from nonstop.guard.stalls import Stalls

HOLD_LIMIT = 0.1
"""Seconds that a script's commit may wait for the script to return."""
SAVEPOINT = "nonstop_held"


RecordCommit = Callable[[DBAPIConnection, str, Sequence[str]], None]


def _note_nothing(connection: DBAPIConnection, description: str, deferred: Sequence[str]) -> None:
    pass


@dataclass(slots=True)
class _Held:
    """A transaction that is ready to be committed.

    ``requested``: the script asked for the commit; otherwise steps of ``op`` are gathered and a failure undoes them.
    """

    connection: DBAPIConnection
    requested: bool
    description: str
    deferred: list[str] = field(default_factory=list)
    afterwards: list[Callable[[], None]] = field(default_factory=list)


class Work:
    """What one script has open and has committed.

    ``record_commit(connection, description, deferred)`` writes the ledger's rows of a commit in the middle: what it
    was, and the statements that are to be carried out after it. ``losses`` looks at a transaction before it is kept,
    and may refuse it.
    """

    def __init__(self, database: Database, record_commit: RecordCommit, losses: Losses) -> None:
        self._database = database
        self._record_commit = record_commit
        self._losses = losses
        self._held: _Held | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.RLock()
        self._late_error: BaseException | None = None
        self._checked_out: dict[int, DBAPIConnection] = {}
        self._own: set[int] = set()
        self._written: dict[int, str] = {}
        self._bare: set[int] = set()
        self._used_bare = False
        self.deferred = Deferred()
        self.stalls = Stalls()
        self.is_undoing = False
        self.commits = 0
        """How many commits have been sent, the final one not counted."""
        self.dropped_writes = False
        """Whether a transaction that had written was rolled back."""

    # --- what connections do ----------------------------------------------------------------------------------

    def checked_out(self, connection: DBAPIConnection) -> None:
        with self._lock:
            self._checked_out[id(connection)] = connection
            self._bare.add(id(connection))

    def goes_through_sqlalchemy(self, connection: DBAPIConnection) -> None:
        """A ``Connection`` is made over it: its commits will be seen."""
        self._bare.discard(id(connection))

    def checked_in(self, connection: DBAPIConnection) -> None:
        with self._lock:
            self._used_bare |= id(connection) in self._bare
            self.refused(connection)

    def refused(self, connection: DBAPIConnection) -> None:
        """Forget a connection; one that never reaches the script has nothing to tell."""
        with self._lock:
            self._bare.discard(id(connection))
            self._checked_out.pop(id(connection), None)
            self._own.discard(id(connection))
            self._written.pop(id(connection), None)
            self.deferred.take(connection)

    @property
    def has_unseen_commits(self) -> bool:
        """Whether the script may have committed where we don't see it: on a bare ``engine.raw_connection()``."""
        return self._used_bare or bool(self._bare)

    def is_checked_out(self, connection: DBAPIConnection) -> bool:
        return id(connection) in self._checked_out

    def is_own(self, connection: DBAPIConnection) -> bool:
        """Whether steps of ``op`` work on ``connection``: they mind the application themselves."""
        return id(connection) in self._own

    def adopt(self, connection: DBAPIConnection) -> None:
        """Take ``connection`` for one that steps of ``op`` work on."""
        self._own.add(id(connection))

    @property
    def has_open_writes(self) -> bool:
        """Whether a transaction of the script may hold locks: a concurrent build would wait for it."""
        return bool(self._written)

    def has_written(self, connection: DBAPIConnection) -> bool:
        """Whether the open transaction of ``connection`` may hold locks that others wait for."""
        return id(connection) in self._written

    def session_ids(self) -> frozenset[int]:
        """What the database calls the sessions that the script has out."""
        connections = list(self._checked_out.values())
        return frozenset(self._database.session_id(c) for c in connections if self._database.is_usable(c))

    def cancel(self) -> None:
        """Break off whatever statement the script is waiting for."""
        for connection in list(self._checked_out.values()):
            if self._database.is_usable(connection):
                self._database.cancel(connection)

    def before_statement(self, connection: DBAPIConnection, statement: str) -> None:
        """Send what is held unless ``statement`` belongs to the same transaction, or only asks in it."""
        with self._lock:
            self._raise_late_error()
            self.deferred.mind_savepoints(connection, statement)
            held = self._held
            if held is not None and (
                held.connection is not connection or (held.requested and self._losses.may_change(statement))
            ):
                self.release()

    def note_commit_as_text(self, connection: DBAPIConnection, statement: str) -> None:
        """Note a COMMIT that the script sends as a statement, in the transaction that it ends."""
        with self._lock:
            if statement.strip("; \t\r\n").lower().split(None, 1)[:1] not in (["commit"], ["end"]):
                return
            if self.holds(connection):
                self.release()
            elif self._database.can_commit(connection):
                deferred = self.deferred.take(connection)
                self._record_commit(connection, self._written.pop(id(connection), ""), deferred)
                self.deferred.add_due(deferred)
                self.commits += 1

    def note_write(self, connection: DBAPIConnection, statement: str, summary: str) -> None:
        """Note that the open transaction of ``connection`` is going to write, if ``statement`` may."""
        if is_write(statement):
            with self._lock:
                self._written[id(connection)] = summary

    def note_write_lock(self, connection: DBAPIConnection, statement: str) -> None:
        """Note that nobody else can write until the open transaction of ``connection`` has ended."""
        writes = self.is_own(connection) or is_write(statement)  # a step of op begins none but to write
        if self._database.has_one_writer and writes and self._database.in_transaction(connection):
            self.stalls.begins(connection)

    def rolled_back(self, connection: DBAPIConnection) -> None:
        self.stalls.ends(connection)
        self.deferred.take(connection)
        self._losses.rolled_back(connection)
        if self._written.pop(id(connection), None):
            self.dropped_writes = True

    def committed_at_once(self, connection: DBAPIConnection) -> None:
        """Note a commit that could not be held: of a statement on a session in autocommit mode."""
        self._written.pop(id(connection), None)
        self.commits += not self.is_undoing

    def failed_at_once(self, connection: DBAPIConnection) -> None:
        """Note that a statement on a session in autocommit mode has left nothing: it holds no lock any longer."""
        self._written.pop(id(connection), None)

    @contextmanager
    def undoing(self) -> Iterator[None]:
        """What is committed in the block takes back what a failed step left: it is no part of the script that stays."""
        self.is_undoing = True
        try:
            yield
        finally:
            self.is_undoing = False

    # --- holding ----------------------------------------------------------------------------------------------

    def holds(self, connection: DBAPIConnection) -> bool:
        with self._lock:  # a late release that is under way has ended when this is answered
            return self._held is not None and self._held.connection is connection

    def hold(self, connection: DBAPIConnection) -> None:
        """Keep a commit that the script asked for until the script does something else, or returns."""
        with self._lock:
            if self.holds(connection):
                return
            self._losses.before_commit(connection)
            connection.cursor().execute(f"SAVEPOINT {SAVEPOINT}")  # fails if the session is lost
            deferred = self.deferred.take(connection)
            self._held = _Held(connection, True, self._written.pop(id(connection), ""), deferred)
            if self._database.commits_each_step:
                self._timer = threading.Timer(HOLD_LIMIT, self._release_late)
                self._timer.daemon = True
                self._timer.start()

    def gather(self, connection: DBAPIConnection, description: str) -> None:
        """Keep the transaction of ``op`` open for further steps."""
        with self._lock:
            self._losses.before_commit(connection)
            self._written.pop(id(connection), None)
            self._held = _Held(connection, False, description)

    def back_to_held(self, connection: DBAPIConnection) -> None:
        """Undo what the script did on a held transaction after its commit; an error there must not cost it."""
        with self._lock:
            if self.holds(connection):
                connection.cursor().execute(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")

    def when_released(self, connection: DBAPIConnection, action: Callable[[], None]) -> None:
        """Do ``action`` after the held transaction of ``connection`` has ended; at once where it holds none."""
        with self._lock:
            if self._held is not None and self._held.connection is connection:
                self._held.afterwards.append(action)
            else:
                action()

    def release(self, record: RecordCommit | None = None) -> bool:
        """Commit what is held, as a commit in the middle of the script unless ``record`` notes it as something else.

        False where nothing is held.
        """
        with self._lock:
            held = self._take()
            if held is None:
                return False
            # What takes back is no progress, and not noted.
            note = (record or self._record_commit) if not self.is_undoing else _note_nothing
            self._end(held, lambda: note(held.connection, held.description, held.deferred))
            self.deferred.add_due(held.deferred)
            self.commits += not self.is_undoing
            return True

    @property
    def has_deferred(self) -> bool:
        """Whether something is to be carried out after the commit that is held, or after earlier ones."""
        with self._lock:
            is_held = self._held is not None and bool(self._held.deferred)
            return is_held or self.deferred.next_due is not None

    def finish(self, record_end: Callable[[DBAPIConnection], None]) -> bool:
        """Commit what is held together with the row of the script's end; False where nothing is held."""
        with self._lock:
            self._raise_late_error()
            held = self._take()
            if held is None:
                return False
            self._end(held, lambda: record_end(held.connection))
            return True

    def abandon(self) -> None:
        """The script failed: keep what it had committed, undo the rest."""
        with self._lock:
            if self._held is not None and self._held.requested:
                self.release()
                return
            held = self._take()
            if held is not None:
                held.connection.rollback()
                self.stalls.ends(held.connection)
                for action in held.afterwards:
                    action()

    def undo(self) -> bool:
        """Undo everything, if nothing is committed; False where the script has committed, or asked for it."""
        if self.commits or (self._held is not None and self._held.requested):
            return False
        self.abandon()
        self.roll_back_open()
        return True

    def roll_back_open(self) -> None:
        """End the transactions that the script has left open, to the collector, say."""
        for connection in list(self._checked_out.values()):
            if self._database.is_usable(connection) and not self.is_own(connection):
                self.dropped_writes |= bool(self._written.pop(id(connection), None))
                connection.rollback()
                self.stalls.ends(connection)

    def settle(self, connection: DBAPIConnection | None) -> None:
        """Make way for a step of ``op`` that works on ``connection``: no other session may stand in its way.

        A transaction of the script that only read is ended (its snapshot would stop a concurrent build). Raises
        UsageError where one has written and is not committed.
        """
        if self._held is not None and self._held.connection is not connection:
            self.release()
        for other in list(self._checked_out.values()):
            if other is connection or not self._database.in_transaction(other) or self.holds(other):
                continue
            if id(other) in self._written:
                raise UsageError(
                    f"op was called while the script has not committed: {self._written[id(other)]}",
                    next_step="commit that transaction before the call of op",
                )
            other.rollback()

    # --- details ----------------------------------------------------------------------------------------------

    def _take(self) -> _Held | None:
        held, self._held = self._held, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return held

    def _end(self, held: _Held, record: Callable[[], None]) -> None:
        try:
            if held.requested and not self._database.can_commit(held.connection):
                # A read that the script made after its commit has failed: that must not cost the commit.
                held.connection.cursor().execute(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
            record()
            held.connection.commit()
        except BaseException:
            if self._database.is_usable(held.connection):
                held.connection.rollback()
            raise
        finally:
            self.stalls.ends(held.connection)
            for action in held.afterwards:
                action()

    def _release_late(self) -> None:
        try:
            self.release()
        except BaseException as error:
            # On a thread of its own nobody would see it: the script's thread raises it at its next statement.
            self._late_error = error

    def _raise_late_error(self) -> None:
        if self._late_error is not None:
            error, self._late_error = self._late_error, None
            raise error
