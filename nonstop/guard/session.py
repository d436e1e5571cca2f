"""The guard: what happens around every statement, commit and rollback of a script."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from sqlalchemy.engine import Connection, Dialect, Engine

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.databases.transaction_control import Verb, transaction_control
from nonstop.databases.wording import is_write
from nonstop.errors import Interruption, MadeWay, NonstopError, UsageError
from nonstop.guard import hooks
from nonstop.guard.commit_hooks import CommitHooks, Send
from nonstop.guard.hidden_commits import refuse_hidden_commits
from nonstop.guard.hooks import is_autocommit
from nonstop.guard.journal import Journal
from nonstop.guard.losses import Losses
from nonstop.guard.plain_sql import PlainSql
from nonstop.guard.transactions import Transactions

Answer = TypeVar("Answer")


class Guard:
    """Ties a script's connections to the ledger's database, its lock and its transactions.

    ``prepare`` makes a session ready for the script. ``checkpoint`` is called before every statement and may raise an
    Interruption. What it raised is remembered in ``interruption``, and what the guard refused in ``refusal``: a script
    can't turn either into success.
    """

    def __init__(
        self,
        database: Database,
        prepare: Callable[[DBAPIConnection], None],
        transactions: Transactions,
        journal: Journal,
        checkpoint: Callable[[], None],
        plain_sql: PlainSql,
        losses: Losses,
    ) -> None:
        self._database = database
        self._prepare_session = prepare
        self._connections = transactions.connections
        self._transactions = transactions
        self._journal = journal
        self._checkpoint = checkpoint
        self._plain_sql = plain_sql
        self._losses = losses
        self._loading = False
        self._commit_hooks: dict[Dialect, CommitHooks] = {}
        self._engines: set[Engine] = set()
        self._errors_at_begin: dict[int, BaseException | None] = {}
        self.interruption: Interruption | None = None
        self.refusal: NonstopError | None = None
        self.undone_by_error = ""
        """The last statement of a transaction that an error has undone, although plain Python would have kept some of it."""

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Watch this context (not the application's other threads) for the length of the block."""
        hooks.install()
        token = hooks.active.set(self)
        try:
            yield
        finally:
            hooks.active.reset(token)
            for commit_hooks in self._commit_hooks.values():
                commit_hooks.remove()

    @contextmanager
    def loading(self) -> Iterator[None]:
        """While the script, and with it the application, is imported: nothing may write."""
        self._loading = True
        try:
            yield
        finally:
            self._loading = False

    def dispose_engines(self, own: Engine) -> None:
        """Close the pooled sessions of the script, so that the next one gets fresh ones: no setting, no temporary table."""
        for engine in self._engines - {own}:
            engine.dispose()

    # --- connections ------------------------------------------------------------------------------------------

    def on_connect(self, connection: Connection) -> None:
        self._engines.add(connection.engine)
        self._connections.goes_through_sqlalchemy(connection.connection.dbapi_connection)
        if connection.dialect not in self._commit_hooks:
            self._commit_hooks[connection.dialect] = CommitHooks(connection.dialect, self)

    def on_checkout(self, connection: DBAPIConnection) -> None:
        self._connections.checked_out(connection)
        try:
            self._database.check_same(connection)
            self._prepare_session(connection)
        except Exception as error:
            self._connections.refused(connection)
            if isinstance(error, NonstopError):
                self.refusal = error
            raise

    def on_checkin(self, connection: DBAPIConnection) -> None:
        self._connections.checked_in(connection)
        self._transactions.forget(connection)
        if self._database.is_usable(connection):
            self._database.restore_session(connection)

    # --- statements -------------------------------------------------------------------------------------------

    def before_statement(self, connection: Connection, statement: str) -> str:
        """Return what is to be sent in the place of ``statement``."""
        self._remembered(self._checkpoint)
        dbapi = connection.connection.dbapi_connection
        self._journal.begin(dbapi, statement)
        if self._loading and is_write(statement):
            self.refusal = UsageError(
                f"the application changes the database while it is imported: {self._summary(dbapi)}",
                next_step="move that out of the import (a create_all belongs into init_db.py or a migration)",
            )
            raise self.refusal
        self._transactions.before_statement(dbapi)
        self._remembered(partial(self._mind_transaction, dbapi, statement, is_autocommit(connection)))
        self._losses.before_statement(dbapi, statement, is_autocommit(connection))
        if self._is_commit(dbapi, statement):
            self._remembered(partial(self._transactions.before_commit, dbapi))
        if not self._connections.is_own(dbapi):
            statement = self._remembered(partial(self._before_plain_sql, connection, statement))
            self._transactions.note_statement(dbapi, statement, self._summary(dbapi))
        self._transactions.note_write_lock(dbapi, statement)
        look = self._looking(connection, statement, lambda: self._database.look_before(dbapi, statement))
        self._journal.sends(dbapi, statement, look)
        return statement

    def _mind_transaction(self, connection: DBAPIConnection, statement: str, autocommits: bool) -> None:
        """See to it that ``statement`` finds the transaction that it would find without us, or a stricter one."""
        parts = self._database.split(statement)
        refuse_hidden_commits(parts)
        is_own = self._connections.is_own(connection)
        if not (autocommits or is_own) and self._database.commits_before(connection, statement):
            self.commit(connection, connection.commit)
        is_new = not self._database.in_transaction(connection)
        self._journal.belongs_to(connection, is_new)
        if is_new:
            self._errors_at_begin[id(connection)] = sys.exc_info()[1]
        if not autocommits:
            self._database.begin_if_needed(connection, statement)
        for one in parts:
            if (control := transaction_control(one)) is not None:
                self._transactions.deferred.mind_savepoints(connection, control)

    def _is_commit(self, connection: DBAPIConnection, statement: str) -> bool:
        """Whether ``statement`` commits by its own text."""
        control = transaction_control(statement)
        return control is not None and (
            control.verb is Verb.COMMIT
            or (
                control.verb is Verb.RELEASE and self._database.release_commits(connection, control.savepoint)
            )
        )

    def _before_plain_sql(self, connection: Connection, statement: str) -> str:
        self._plain_sql.run_deferred()
        dbapi = connection.connection.dbapi_connection
        return self._plain_sql.before(dbapi, statement, is_autocommit(connection))

    def after_statement(self, connection: Connection, statement: str, rows: int) -> None:
        dbapi = connection.connection.dbapi_connection
        done = self._journal.end(dbapi, rows)
        if (look := done.look) is not None:
            done.effect = self._looking(
                connection, statement, lambda: self._database.effect_since(dbapi, look)
            )
        self._database.lift_lock_limit(dbapi)
        self._losses.after_statement(dbapi, statement)
        self._database.statement_succeeded(dbapi, statement)
        control = transaction_control(statement)
        if control is not None and control.verb is Verb.ROLLBACK:
            self._transactions.rolled_back(dbapi)
        elif not self._database.in_transaction(dbapi) or (
            control is not None and control.verb is Verb.COMMIT
        ):
            self._after_commit_as_text(connection, statement)

    def _after_commit_as_text(self, connection: Connection, statement: str) -> None:
        """Note what has been committed by a COMMIT, or by a statement on a session in autocommit mode."""
        dbapi = connection.connection.dbapi_connection
        if transaction_control(statement) is not None:
            self._transactions.after_commit(dbapi)
        elif is_autocommit(connection):
            self._transactions.committed_at_once(dbapi, statement)
        if not self._connections.is_own(dbapi):
            self._remembered(self._plain_sql.run_deferred)

    def on_error(self, connection: Connection | None, statement: str, error: BaseException) -> None:
        self._journal.fail(statement, str(error))
        dbapi = (
            connection.connection.dbapi_connection
            if connection is not None and not connection.closed
            else None
        )
        if dbapi is not None:
            self._losses.statement_failed(dbapi)
            self._transactions.commit_failed(dbapi)
        if dbapi is None or self._connections.is_own(dbapi):
            return
        self._database.lift_lock_limit(dbapi)
        if not self._database.in_transaction(dbapi):
            self._transactions.failed_at_once(dbapi)
        if self._plain_sql.had_to_make_way(dbapi, statement, error):
            self.interruption = MadeWay(
                f"no lock for {self._summary(dbapi)}: {str(error).strip().partition(chr(10))[0]}",
                broken_off=self._plain_sql.was_broken_off(),
            )
            raise self.interruption

    # --- commits and rollbacks --------------------------------------------------------------------------------

    def commit(self, connection: DBAPIConnection, send: Send) -> None:
        """Send a commit of the script, with its row; what it deferred is in place when this returns."""
        if self._connections.is_own(connection):
            send()
            return
        self._remembered(partial(self._transactions.before_commit, connection))
        try:
            send()
        except BaseException:
            self._transactions.commit_failed(connection)
            raise
        self._transactions.after_commit(connection)
        self._remembered(self._plain_sql.run_deferred)

    def roll_back(self, connection: DBAPIConnection, send: Send) -> None:
        """Send a rollback of the script. What the driver alone would have committed by now stays, as without us.

        On the way of an error everything is undone. A script that goes on as if that had not happened has failed.
        """
        if not self._connections.is_own(connection) and self._database.survives_rollback(connection):
            if sys.exc_info()[1] is self._errors_at_begin.get(id(connection)):
                self._transactions.dropped_writes |= self._database.roll_back_driver_part(connection)
                self.commit(connection, connection.commit)
                return
            self.undone_by_error = self.undone_by_error or self._summary(connection)
        self._transactions.rolled_back(connection)
        send()

    def end_open_transactions(self) -> None:
        """End what the script has left open when it returned, as the end of its process would."""
        for connection in self._connections.usable():
            if not self._connections.is_own(connection) and self._database.in_transaction(connection):
                self.roll_back(connection, connection.rollback)

    # --- details ----------------------------------------------------------------------------------------------

    def _remembered(self, call: Callable[[], Answer]) -> Answer:
        """Call what may stop the script, and remember that it did."""
        try:
            return call()
        except Interruption as interruption:
            self.interruption = interruption
            raise
        except NonstopError as error:
            self.refusal = error
            raise

    def before_others_look(self) -> None:
        """The script starts a process, a thread or another client: it sees what ``op`` has done, and may do anything."""
        self._transactions.commit_open_steps()
        self._transactions.called_others = True

    def _summary(self, connection: DBAPIConnection) -> str:
        last = self._journal.of(connection)
        return last.summary if last else ""

    def _looking(self, connection: Connection, statement: str, look: Callable[[], Answer]) -> Answer:
        """What ``look`` tells. An error of it is one of the statement: it ends the same transaction."""
        try:
            return look()
        except Exception as error:
            self.on_error(connection, statement, error)
            raise
