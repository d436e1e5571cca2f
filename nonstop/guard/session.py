"""The guard: what happens around every statement, commit and rollback of a script."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Thread

from sqlalchemy.engine import Connection

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.databases.transaction_control import Verb, transaction_control
from nonstop.databases.wording import one_line
from nonstop.errors import MadeWay
from nonstop.guard import hooks, threads
from nonstop.guard.checkouts import Checkouts
from nonstop.guard.commits import Commits
from nonstop.guard.foreign_databases import refuse_foreign_write
from nonstop.guard.hidden_commits import refuse_hidden_commits
from nonstop.guard.hooks import is_autocommit
from nonstop.guard.journal import Journal
from nonstop.guard.losses import Losses
from nonstop.guard.plain_sql import PlainSql
from nonstop.guard.stop_reasons import Answer, StopReasons
from nonstop.guard.transactions import Transactions


class Guard:
    """Ties a script's connections to the ledger's database, its lock and its transactions.

    ``prepare`` makes a session ready for the script. ``checkpoint`` is called before every statement and may raise an
    Interruption. ``stops`` remembers what it raised, and what the guard refused.
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
        self._connections = transactions.connections
        self._transactions = transactions
        self._journal = journal
        self._checkpoint = checkpoint
        self._plain_sql = plain_sql
        self._losses = losses
        self._repeats = transactions.repeats
        self.changed_at_import = ""
        """The first statement by which the application has changed the database while it was imported."""
        self.stops = StopReasons()
        self.commits = Commits(
            database, transactions, self.stops, plain_sql.run_deferred, plain_sql.was_broken_off
        )
        self.checkouts = Checkouts(database, prepare, transactions, losses, self.commits, self.stops)

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Watch this context for the length of the block: the script and its threads, not the application's others."""
        hooks.install()
        threads.install()
        token = hooks.active.set(self)
        try:
            yield
        finally:
            hooks.active.reset(token)
            self.stops.script_has_ended = True
            self.checkouts.remove_hooks()

    @contextmanager
    def loading(self) -> Iterator[None]:
        """While the script, and with it the application, is imported: what it does is the application's business."""
        active = hooks.active.set(None)
        importing = hooks.importing.set(self._note_import)
        try:
            yield
        finally:
            hooks.importing.reset(importing)
            hooks.active.reset(active)

    def _note_import(self, statement: str) -> None:
        if not self.changed_at_import:
            self.changed_at_import = one_line(statement, 100)

    def watches(self, connection: Connection) -> bool:
        """Whether ``connection`` leads to the ledger's kind of database."""
        foreign = self._connections.foreign
        return not foreign or id(connection.connection.dbapi_connection) not in foreign

    # --- statements -------------------------------------------------------------------------------------------

    def before_foreign_statement(self, statement: str) -> None:
        """Raise UsageError where ``statement`` may change another database than the ledger's."""
        self.stops.remember(partial(refuse_foreign_write, statement))

    def before_statement(self, connection: Connection, statement: str) -> str:
        """Return what is to be sent in the place of ``statement``."""
        self.stops.refuse_after_the_end()
        dbapi = connection.connection.dbapi_connection
        if self._repeats.has(dbapi, statement):
            now = time.monotonic()
            if now >= self._repeats.checkpoint_at:
                self.stops.remember(self._checkpoint)
                self._repeats.note_checkpoint(now)
            self._journal.repeats(dbapi, statement, now)
            return statement
        self._repeats.before_other(statement, self._is_of_script(connection))
        self.stops.remember(self._checkpoint)
        self._journal.begin(dbapi, statement)
        self._transactions.before_statement(dbapi)
        self.stops.remember(partial(self._mind_transaction, dbapi, statement, is_autocommit(connection)))
        with self._transactions.one_at_a_time:
            self._losses.before_statement(dbapi, statement, is_autocommit(connection))
        if self._is_commit(dbapi, statement):
            self.stops.remember(partial(self._transactions.before_commit, dbapi))
        if not self._connections.is_own(dbapi):
            statement = self.stops.remember(partial(self._before_plain_sql, connection, statement))
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
            self.commits.commit(connection, connection.commit)
        is_new = not self._database.in_transaction(connection)
        self._journal.belongs_to(connection, is_new)
        if is_new:
            self.commits.note_begin(connection)
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
        if done.is_repeated:
            self._losses.after_statement(dbapi, statement, rows)
            return
        if (look := done.look) is not None:
            done.effect = self._looking(
                connection, statement, lambda: self._database.effect_since(dbapi, look)
            )
        self._database.lift_lock_limit(dbapi)
        with self._transactions.one_at_a_time:
            self._losses.after_statement(dbapi, statement, rows)
        self._database.statement_succeeded(dbapi, statement)
        control = transaction_control(statement)
        if control is not None and control.verb is Verb.ROLLBACK:
            self._transactions.rolled_back(dbapi)
        elif not self._database.in_transaction(dbapi) or (
            control is not None and control.verb is Verb.COMMIT
        ):
            self._after_commit_as_text(connection, statement)
        elif not self._losses.may_repeat(dbapi, statement):
            self._repeats.clear()
        elif done.look is None and done.sent == done.sql and self._is_of_script(connection):
            self._repeats.passes(dbapi, statement)

    def _is_of_script(self, connection: Connection) -> bool:
        """Whether the statements of ``connection`` are the script's own, and stand in transactions."""
        return not (
            is_autocommit(connection) or self._connections.is_own(connection.connection.dbapi_connection)
        )

    def _after_commit_as_text(self, connection: Connection, statement: str) -> None:
        """Note what has been committed by a COMMIT, or by a statement on a session in autocommit mode."""
        dbapi = connection.connection.dbapi_connection
        if transaction_control(statement) is not None:
            self._transactions.after_commit(dbapi)
        elif is_autocommit(connection):
            self._transactions.committed_at_once(dbapi, statement)
        if not self._connections.is_own(dbapi):
            self.stops.remember(self._plain_sql.run_deferred)

    def on_error(self, connection: Connection | None, statement: str, error: BaseException) -> None:
        self._repeats.clear()
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
            was_interrupted = self._plain_sql.was_broken_off()
            happened = "the application waited for" if was_interrupted else "no lock for"
            reason = str(error).strip().partition("\n")[0]
            self.stops.interruption = MadeWay(
                f"{happened} {self._summary(dbapi)}: {reason}", broken_off=was_interrupted
            )
            raise self.stops.interruption

    # --- details ----------------------------------------------------------------------------------------------

    def before_others_look(self) -> None:
        self._transactions.note_others()

    def before_thread(self, thread: Thread) -> None:
        """Note that the script starts ``thread``."""
        self._transactions.note_others()
        self._transactions.threads.add(thread)

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
