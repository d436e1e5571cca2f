"""The transactions of one script: what it has open, what it has committed, and what each commit leaves to be done.

A commit is a commit: when it returns, the script's work is durable and everybody sees it. In the same transaction, just
before, goes a row of the ledger that says which commit of the script this is. The steps of ``op`` are the one
exception, where a database takes DDL and has one writer: they share a transaction until the script does something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import NamedTuple

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.databases.wording import is_write
from nonstop.errors import UsageError
from nonstop.guard.connections import Connections
from nonstop.guard.deferred import Deferred
from nonstop.guard.losses import Losses
from nonstop.guard.repeats import Repeats
from nonstop.guard.stalls import Stalls
from nonstop.guard.threads import ScriptThreads

RecordCommit = Callable[[DBAPIConnection, str, Sequence[str]], None]


class _Steps(NamedTuple):
    """Steps of ``op`` that share an open transaction; ``summary`` is that of the last."""

    connection: DBAPIConnection
    summary: str


class _Commit(NamedTuple):
    """A commit that is being sent, and the statements that are to be carried out after it."""

    summary: str
    deferred: list[str]


class Transactions:
    """What one script has open and has committed.

    ``record_commit(connection, summary, deferred)`` writes the ledger's rows of a commit into it: the last statement
    that may have written, and the statements that are to be carried out after it. ``losses`` looks at a transaction
    before it is kept, and may refuse it.
    """

    def __init__(
        self, database: Database, connections: Connections, record_commit: RecordCommit, losses: Losses
    ) -> None:
        self._database = database
        self.connections = connections
        self._record_commit = record_commit
        self._losses = losses
        self._open_steps: _Steps | None = None
        self._written: dict[int, str] = {}
        self._last_statement: dict[int, str] = {}
        self._committing: dict[int, _Commit] = {}
        self.deferred = Deferred()
        self.stalls = Stalls()
        self.threads = ScriptThreads()
        self.one_at_a_time = RLock()
        """Held by a thread of the script while it works on the ledger's connection, which all of them share."""
        self.repeats = Repeats(database)
        self.is_undoing = False
        self.called_others = False
        """Whether the script has started a process, a thread or another client, whose commits nobody sees."""
        self.committed: list[str] = []
        """One line for each commit of this run that stays: the last statement of it that may have written."""
        self.dropped_writes = False
        """Whether a transaction that had written was rolled back."""

    # --- statements -------------------------------------------------------------------------------------------

    def before_statement(self, connection: DBAPIConnection) -> None:
        """Commit the open steps of ``op`` unless the next statement of ``connection`` is one of them."""
        if self._open_steps is not None and self._open_steps.connection is not connection:
            self.commit_open_steps()

    def note_statement(self, connection: DBAPIConnection, statement: str, summary: str) -> None:
        """Note a statement that is going to be sent, and that the transaction writes if it may."""
        self._last_statement[id(connection)] = summary
        if is_write(statement):
            self._written[id(connection)] = summary

    def note_write_lock(self, connection: DBAPIConnection, statement: str) -> None:
        """Note that nobody else can write until the open transaction of ``connection`` has ended."""
        writes = self.connections.is_own(connection) or is_write(statement)  # a step begins none but to write
        if self._database.has_one_writer and writes and self._database.in_transaction(connection):
            self.stalls.begins(connection)

    @property
    def has_open_writes(self) -> bool:
        """Whether a transaction of the script may hold locks: a concurrent build would wait for it."""
        return bool(self._written)

    def has_written(self, connection: DBAPIConnection) -> bool:
        """Whether the open transaction of ``connection`` may hold locks that others wait for."""
        return id(connection) in self._written

    def note_others(self) -> None:
        """The script starts a process, a thread or another client: it sees what ``op`` has done, and may do anything."""
        self.commit_open_steps()
        self.called_others = True

    # --- commits ----------------------------------------------------------------------------------------------

    def before_commit(self, connection: DBAPIConnection) -> None:
        """Look at what the open transaction loses, and write the row of this commit into it if it changes anything.

        Raises Refused where data would be lost, LockNotObtained where another runner has taken over, and what a deferred
        constraint says. As after a COMMIT that fails, the transaction is over then.
        """
        if not self._database.can_commit(connection):
            return
        try:
            with self.one_at_a_time:
                self._losses.before_commit(connection)
            deferred = self.deferred.take(connection)
            if deferred or self._database.has_changes(connection):
                summary = self.summary(connection)
                self._record_commit(connection, summary, deferred)
                self._committing[id(connection)] = _Commit(summary, deferred)
        except BaseException:
            if self._database.is_usable(connection):
                connection.rollback()
            self.rolled_back(connection)
            raise

    def after_commit(self, connection: DBAPIConnection) -> None:
        """Note that the commit has succeeded; what it deferred is due."""
        self._ended(connection)
        if (commit := self._committing.pop(id(connection), None)) is not None:
            self.committed.append(commit.summary)
            self.deferred.add_due(commit.deferred)

    def commit_left_nothing(self) -> None:
        """Forget the last commit: all that it had was deferred, and that has failed and is undone."""
        del self.committed[-1:]

    def commit_failed(self, connection: DBAPIConnection) -> None:
        """Forget a commit whose error goes to the script: it leaves nothing."""
        self.repeats.clear()
        self._committing.pop(id(connection), None)

    def committed_at_once(self, connection: DBAPIConnection, statement: str) -> None:
        """Note that a statement on a session in autocommit mode has succeeded."""
        summary = self.summary(connection)
        self._ended(connection)
        if not self.is_undoing and self._losses.may_change(statement):
            self.committed.append(summary)

    def failed_at_once(self, connection: DBAPIConnection) -> None:
        """Note that a statement on a session in autocommit mode has left nothing: it holds no lock any longer."""
        self._written.pop(id(connection), None)

    def rolled_back(self, connection: DBAPIConnection) -> None:
        """Note that the open transaction of ``connection`` leaves nothing."""
        self.deferred.take(connection)
        self._losses.rolled_back(connection)
        self._committing.pop(id(connection), None)
        self.dropped_writes |= id(connection) in self._written
        self._ended(connection)

    def forget(self, connection: DBAPIConnection) -> None:
        """Forget a connection that the script has given back."""
        self.deferred.take(connection)
        self._ended(connection)
        self._losses.given_back(connection)

    # --- steps of op ------------------------------------------------------------------------------------------

    def refuse_op_beside_threads(self) -> None:
        """See :meth:`ScriptThreads.refuse_op`."""
        self.threads.refuse_op()

    @contextmanager
    def undoing(self) -> Iterator[None]:
        """What is committed in the block takes back what a failed step left: it is no part of the script that stays."""
        self.is_undoing = True
        try:
            yield
        finally:
            self.is_undoing = False

    def hold_open(self, connection: DBAPIConnection, summary: str) -> None:
        """Keep the transaction of a step of ``op`` open for further steps."""
        self._losses.before_commit(connection)
        self._written.pop(id(connection), None)
        self._open_steps = _Steps(connection, summary)

    def commit_open_steps(self) -> None:
        """Commit the steps of ``op`` that share a transaction, if there are any, with the row of this commit."""
        if (steps := self._open_steps) is None:
            return
        if self.is_undoing:  # what takes back is no progress, and not noted
            self._commit_steps(steps, lambda connection: None)
        else:
            self._commit_steps(steps, lambda connection: self._record_commit(connection, steps.summary, ()))
            self.committed.append(steps.summary)

    def commit_end(self, record_end: Callable[[DBAPIConnection], None]) -> bool:
        """Commit the open steps together with the row of the script's end; False where there are none."""
        if (steps := self._open_steps) is None:
            return False
        self._commit_steps(steps, record_end)
        return True

    def close_read_transactions(self, own: DBAPIConnection) -> None:
        """End this thread's other transactions, whose snapshots would stop the step of ``op`` that works on ``own``.

        Raises UsageError where one of them has changed something that is not committed.
        """
        if self._open_steps is not None and self._open_steps.connection is not own:
            self.commit_open_steps()
        for other in self.connections.of_this_thread():
            if other is own or not self._database.in_transaction(other):
                continue
            if id(other) in self._written or (
                self._database.can_commit(other) and self._database.has_changes(other)
            ):
                raise UsageError(
                    f"op was called while the script has not committed: {self.summary(other)}",
                    next_step="commit that transaction before the call of op",
                )
            other.rollback()

    # --- the end ----------------------------------------------------------------------------------------------

    def rollback_uncommitted(self) -> None:
        """Undo the open steps of ``op``, and whatever the script has left open."""
        if self._open_steps is not None:
            steps, self._open_steps = self._open_steps, None
            steps.connection.rollback()
            self.stalls.ends(steps.connection)
        for connection in self.connections.usable():
            if not self.connections.is_own(connection):
                connection.rollback()
                self.rolled_back(connection)

    @property
    def can_be_retried(self) -> bool:
        """Whether nothing of the script has had an effect that stays, as far as what is open is undone."""
        return not self.committed and not self.called_others and self.connections.are_seen

    def undo_everything(self) -> bool:
        """Undo the script if it can be run again; return False if something of it may be permanent."""
        if not self.can_be_retried:
            return False
        self.rollback_uncommitted()
        return True

    # --- details ----------------------------------------------------------------------------------------------

    def summary(self, connection: DBAPIConnection) -> str:
        """The last statement of a transaction that may have written; of one by a function's call, the last of all."""
        return self._written.get(id(connection)) or self._last_statement.get(id(connection), "")

    def _ended(self, connection: DBAPIConnection) -> None:
        self.repeats.clear()
        self._losses.ended(connection)
        self.stalls.ends(connection)
        self._written.pop(id(connection), None)
        self._last_statement.pop(id(connection), None)

    def _commit_steps(self, steps: _Steps, record: Callable[[DBAPIConnection], None]) -> None:
        self._open_steps = None
        try:
            self._losses.before_commit(steps.connection)
            record(steps.connection)
            steps.connection.commit()
        except BaseException:
            if self._database.is_usable(steps.connection):
                steps.connection.rollback()
            raise
        finally:
            self._losses.ended(steps.connection)
            self.stalls.ends(steps.connection)
