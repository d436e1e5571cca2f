"""Carries out what ``op`` describes: looks whether a step is done, does it, and looks again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from contextvars import Context
from functools import partial
from itertools import cycle
from typing import Protocol

from sqlalchemy import Connection, Engine

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.descriptions.operations import LockClass, Operation, Step
from nonstop.errors import MigrationFailed
from nonstop.operations import steps_for


class Connections(Protocol):
    """The guard's record of which connections run steps of ``op``."""

    def adopt(self, connection: DBAPIConnection) -> None: ...


class Transactions(Protocol):
    """What the executor needs of the guard: whose transactions are open, and when they end."""

    @property
    def connections(self) -> Connections: ...
    def refuse_op_beside_threads(self) -> None: ...
    def undoing(self) -> AbstractContextManager[None]: ...
    def close_read_transactions(self, own: DBAPIConnection) -> None: ...
    def hold_open(self, connection: DBAPIConnection, summary: str) -> None: ...
    def commit_open_steps(self) -> None: ...


LockPatiently = Callable[[Sequence[str], LockClass, Callable[[int, bool], None]], None]
"""Calls ``attempt(lock_timeout_ms, past_autovacuum)`` until a lock of that class on the tables was to be had."""


class Executor:
    """Runs the operations of one script on connections of its own. Close it when the script has ended.

    ``record_step(summary)`` notes a step that ran outside transactions and so could not carry its own ledger row.
    """

    def __init__(
        self,
        database: Database,
        engine: Engine,
        transactions: Transactions,
        record_step: Callable[[str], None],
        say: Callable[[str], None],
        lock_patiently: LockPatiently,
        before_retry: Callable[[], None],
    ) -> None:
        self._database = database
        self._engine = engine
        self._connections = transactions.connections
        self._transactions = transactions
        self._record_step = record_step
        self._say = say
        self._lock_patiently = lock_patiently
        self._before_retry = before_retry
        self._connection: Connection | None = None
        self._begun: Step | None = None
        self.left_behind = ""
        """The step outside transactions that was broken off and left something of which the next run takes care."""

    def execute(self, operation: Operation) -> None:
        """Bring the database to where ``operation`` wants it, step by step.

        Raises DefinitionConflict where a name is taken by something else, UsageError where the script holds an
        uncommitted transaction or has threads at work, and the database's own errors.
        """
        self._transactions.refuse_op_beside_threads()
        steps = steps_for(operation, self._database)
        if not self.run(steps):
            self._say(f"{steps[-1].summary}: is so already")

    def run(self, steps: Sequence[Step]) -> bool:
        """Carry out ``steps`` in order; False where there was nothing to do. Raises as :meth:`execute`."""
        try:
            while True:
                try:
                    did_something = [self._carry_out(step) for step in steps]
                    return any(did_something)
                except Exception as error:
                    # A concurrent build that was broken off: its steps see what it left, and begin anew.
                    if not self._database.is_lock_conflict(error):
                        raise
                    self._before_retry()
        except BaseException as error:  # a signal and the deadline too
            self._note_what_is_left(error)
            raise

    def names_resolve_as(self) -> tuple[str, ...]:
        """See :meth:`Database.names_resolve_as`, for the session that the steps run on."""
        connection = self._connect()
        try:
            return self._database.names_resolve_as(connection.connection.dbapi_connection)
        finally:
            self._end_look(connection)

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _carry_out(self, step: Step) -> bool:
        """Whether there was something to do."""
        connection = self._connect()
        self._transactions.close_read_transactions(connection.connection.dbapi_connection)
        if step.is_done(connection):
            self._end_look(connection)
            return False
        if step.prepare is not None:
            step = step.prepare(step, connection)
            self._end_look(connection)
        try:
            if step.in_transaction:
                orders = cycle([(), step.relations[::-1]] if len(step.relations) > 1 else [()])
                self._lock_patiently(step.relations, step.lock, partial(self._in_transaction, step, orders))
            else:
                self._begun = self._begun or step  # while it is undone it stays the one that failed
                self._outside_transactions(step)
                self._begun = None
        except Exception as error:
            self._clean_up(step, error)
            raise
        return True

    def _in_transaction(
        self, step: Step, orders: Iterator[tuple[str, ...]], lock_timeout_ms: int, past_autovacuum: bool
    ) -> None:
        """One attempt. ``orders`` gives the order in which to lock several tables first, if not the statement's own:
        where the application locks them the other way round, that order alone would meet it each time (C9)."""
        connection = self._connect()
        dbapi = connection.connection.dbapi_connection
        try:
            self._end_look(connection)
            if not connection.in_transaction():
                connection.begin()  # so that a lock that is not to be had, asked for on the driver's own, is rolled back
            self._database.limit_lock_wait(dbapi, lock_timeout_ms, step.relations if past_autovacuum else ())
            self._database.lock_in_order(dbapi, next(orders), step.lock)
            self._send(connection, step)
            self._transactions.hold_open(dbapi, step.summary)
            if self._database.commits_each_step:
                self._transactions.commit_open_steps()
        finally:
            self._end_look(connection)

    def _outside_transactions(self, step: Step) -> None:
        assert self._connection is not None
        self._end_look(self._connection)
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            dbapi = connection.connection.dbapi_connection
            self._connections.adopt(dbapi)
            self._database.allow_long_wait(dbapi)
            self._send(connection, step)
        self._record_step(step.summary)

    def _clean_up(self, step: Step, error: Exception) -> None:
        """Do what the step says to undo a failure with; what that meets is a note on the first error."""
        if step.undo is None or (step.undo.in_transaction and self._database.is_lock_conflict(error)):
            return  # after a lock conflict the operation is tried again, and takes up what is there
        try:
            with self._transactions.undoing():
                self._carry_out(step.undo)
            self._begun = None
        except Exception as second:
            error.add_note(f"cleaning up after it failed too: {second}")

    def _note_what_is_left(self, error: BaseException) -> None:
        step = self._begun
        if step is None:
            return
        try:
            # In a context of its own: after a signal or the deadline the guard lets no statement of ours pass.
            if Context().run(self._left_nothing, step):
                return
            self._record_step(f"{step.summary} (broken off)")
        except Exception as second:  # the server is gone, say: then nobody knows
            error.add_note(f"what {step.summary} left is not known: {second}")
        self.left_behind = step.summary

    def _left_nothing(self, step: Step) -> bool:
        question = step.undo.is_done if step.undo is not None else step.left_nothing
        if question is None:
            return True
        with self._engine.connect() as connection:
            return question(connection)

    def _send(self, connection: Connection, step: Step) -> None:
        plain = connection.execution_options(no_parameters=True)  # a '%' in a name or a default is just that
        for statement in step.statements:
            plain.exec_driver_sql(statement)
        if step.is_verifiable and not (step.is_there or step.is_done)(connection):
            raise MigrationFailed(
                f"{step.summary}: the statement succeeded, but the catalog does not show it",
                next_step="look at the object in the database, then run again",
            )

    def _end_look(self, connection: Connection) -> None:
        """End the transaction, so that no snapshot and no lock stays behind; steps that share a transaction stay open."""
        if self._database.commits_each_step:
            connection.rollback()

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            self._connections.adopt(self._connection.connection.dbapi_connection)
            self._database.prepare_steps(self._connection.connection.dbapi_connection)
        return self._connection


class SqlCollector:
    """Stands in for the executor where SQL is only shown: nothing is looked up, nothing runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.statements: list[str] = []

    def execute(self, operation: Operation) -> None:
        """Note the statements of ``operation`` as they would be sent to a database that has none of it yet."""
        for step in steps_for(operation, self._database):
            self.statements += [f"{statement};" for statement in step.statements]
