"""Carries out what ``op`` describes: looks whether a step is done, does it, and looks again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection, Engine

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.descriptions.operations import Operation, Step
from nonstop.errors import MigrationFailed
from nonstop.operations import steps_for


class Transactions(Protocol):
    """What the executor needs of the guard: whose transactions are open, and when they end."""

    def settle(self, connection: DBAPIConnection | None) -> None: ...
    def gather(self, connection: DBAPIConnection, description: str) -> None: ...
    def release(self) -> None: ...


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
    ) -> None:
        self._database = database
        self._engine = engine
        self._transactions = transactions
        self._record_step = record_step
        self._say = say
        self._connection: Connection | None = None

    def execute(self, operation: Operation) -> None:
        """Bring the database to where ``operation`` wants it, step by step.

        Raises DefinitionConflict where a name is taken by something else, UsageError where the script holds an
        uncommitted transaction, and the database's own errors.
        """
        steps = steps_for(operation, self._database)
        for step in steps:
            self._carry_out(step, is_last=step is steps[-1])

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _carry_out(self, step: Step, is_last: bool) -> None:
        connection = self._connect()
        self._transactions.settle(connection.connection.dbapi_connection)
        if step.is_done(connection):
            if is_last:
                self._say(f"{step.summary}: is so already")
            self._end_look(connection)
            return
        if step.in_transaction:
            self._in_transaction(connection, step)
        else:
            self._outside_transactions(step)

    def _in_transaction(self, connection: Connection, step: Step) -> None:
        self._send(connection, step)
        self._transactions.gather(connection.connection.dbapi_connection, step.summary)
        if self._database.commits_each_step:
            self._transactions.release()
            connection.rollback()  # tells SQLAlchemy that the transaction has ended

    def _outside_transactions(self, step: Step) -> None:
        assert self._connection is not None
        self._end_look(self._connection)
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            self._send(connection, step)
        self._record_step(step.summary)

    def _send(self, connection: Connection, step: Step) -> None:
        plain = connection.execution_options(no_parameters=True)  # a '%' in a name or a default is just that
        for statement in step.statements:
            plain.exec_driver_sql(statement)
        if not (step.is_there or step.is_done)(connection):
            raise MigrationFailed(
                f"{step.summary}: the statement succeeded, but the catalog does not show it",
                next_step="look at the object in the database, then run again",
            )

    def _end_look(self, connection: Connection) -> None:
        """End the transaction of a look, so that no snapshot stays behind; gathered steps stay open."""
        if self._database.commits_each_step:
            connection.rollback()

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
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
