"""The guard: hooks on every SQLAlchemy engine, effective only in the context that runs a script."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.pool import Pool

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.databases.wording import is_write
from nonstop.errors import Interruption, MadeWay, NonstopError, UsageError
from nonstop.guard.held_commits import HeldCommits
from nonstop.guard.journal import Journal
from nonstop.guard.losses import Losses
from nonstop.guard.plain_sql import PlainSql
from nonstop.guard.work import Work

CALLING_OTHERS = frozenset(
    {"subprocess.Popen", "os.system", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec", "sqlite3.connect"}
)
"""Python's audit events by which a script calls somebody who may look for what it has committed."""

Answer = TypeVar("Answer")

_active: ContextVar[Guard | None] = ContextVar("nonstop_guard", default=None)


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
        work: Work,
        journal: Journal,
        checkpoint: Callable[[], None],
        plain_sql: PlainSql,
        losses: Losses,
    ) -> None:
        self._database = database
        self._prepare_session = prepare
        self._work = work
        self._journal = journal
        self._checkpoint = checkpoint
        self._plain_sql = plain_sql
        self._losses = losses
        self._loading = False
        self._held_commits: dict[Dialect, HeldCommits] = {}
        self._engines: set[Engine] = set()
        self._prepared: dict[int, DBAPIConnection] = {}
        self.interruption: Interruption | None = None
        self.refusal: NonstopError | None = None

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Watch this context (not the application's other threads) for the length of the block."""
        install()
        token = _active.set(self)
        try:
            yield
        finally:
            _active.reset(token)
            for held_commits in self._held_commits.values():
                held_commits.remove()

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

    # --- what the hooks call ----------------------------------------------------------------------------------

    def on_connect(self, connection: Connection) -> None:
        self._engines.add(connection.engine)
        self._work.goes_through_sqlalchemy(connection.connection.dbapi_connection)
        if connection.dialect not in self._held_commits:
            self._held_commits[connection.dialect] = HeldCommits(
                connection.dialect, self._database, self._work
            )

    def on_checkout(self, connection: DBAPIConnection) -> None:
        # First: a late release that comes now must leave the session as it is.
        self._work.checked_out(connection)
        if id(connection) not in self._prepared:  # else it comes back with a commit that is still held
            self._prepare(connection)

    def _prepare(self, connection: DBAPIConnection) -> None:
        try:
            self._database.check_same(connection)
            self._prepare_session(connection)
            self._prepared[id(connection)] = connection
        except Exception as error:
            self._work.refused(connection)
            if isinstance(error, NonstopError):
                self.refusal = error
            raise

    def on_checkin(self, connection: DBAPIConnection) -> None:
        self._work.checked_in(connection)
        self._work.when_released(connection, lambda: self._restore(connection))

    def _restore(self, connection: DBAPIConnection) -> None:
        if self._work.is_checked_out(connection):  # the script took it again while its commit was held
            return
        self._prepared.pop(id(connection), None)
        if self._database.is_usable(connection):
            self._database.restore_session(connection)

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
        self._work.before_statement(dbapi, statement)
        self._journal.belongs_to(dbapi, not self._database.in_transaction(dbapi))
        self._losses.before_statement(dbapi, statement, is_autocommit(connection))
        if not self._work.is_own(dbapi):
            statement = self._remembered(partial(self._before_plain_sql, connection, statement))
            self._work.note_write(dbapi, statement, self._summary(dbapi))
        if not is_autocommit(connection):
            self._database.begin_if_needed(dbapi, statement)
        self._work.note_commit_as_text(dbapi, statement)
        self._work.note_write_lock(dbapi, statement)
        look = self._looking(connection, statement, lambda: self._database.look_before(dbapi, statement))
        self._journal.sends(dbapi, statement, look)
        return statement

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
        if is_autocommit(connection) and is_write(statement):
            self._work.committed_at_once(dbapi)
            if not self._work.is_own(dbapi):
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
        if dbapi is None or self._work.is_own(dbapi):
            return
        self._work.back_to_held(dbapi)
        self._database.lift_lock_limit(dbapi)
        if connection is not None and is_autocommit(connection):
            self._work.failed_at_once(dbapi)
        if self._plain_sql.had_to_make_way(dbapi, statement, error):
            self.interruption = MadeWay(
                f"no lock for {self._summary(dbapi)}: {str(error).strip().partition(chr(10))[0]}",
                broken_off=self._plain_sql.was_broken_off(),
            )
            raise self.interruption

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
        self._work.release()

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


def is_autocommit(connection: Connection) -> bool:
    """Whether each statement on this connection commits itself."""
    chosen = connection.get_execution_options().get("isolation_level")
    level = chosen or getattr(connection.dialect, "_on_connect_isolation_level", None)
    return level == "AUTOCOMMIT"


# --- hooks ----------------------------------------------------------------------------------------------------


@cache
def install() -> None:
    """Put the hooks on SQLAlchemy's classes, once per process; without an armed guard they do nothing."""
    event.listen(Pool, "checkout", _on_checkout)
    event.listen(Pool, "checkin", _on_checkin)
    event.listen(Engine, "engine_connect", _on_connect)
    event.listen(Engine, "before_cursor_execute", _before, retval=True)
    event.listen(Engine, "after_cursor_execute", _after)
    event.listen(Engine, "handle_error", _on_error)
    sys.addaudithook(_on_audit)


def _on_connect(connection: Connection) -> None:
    if (guard := _active.get()) is not None:
        guard.on_connect(connection)


def _on_checkout(connection: DBAPIConnection, record: Any, proxy: Any) -> None:
    if (guard := _active.get()) is not None:
        guard.on_checkout(connection)


def _on_checkin(connection: DBAPIConnection | None, record: Any) -> None:
    if (guard := _active.get()) is not None and connection is not None:
        guard.on_checkin(connection)


def _before(
    connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> tuple[str, Any]:
    if (guard := _active.get()) is not None:
        statement = guard.before_statement(connection, statement)
    return statement, parameters


def _after(
    connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> None:
    if (guard := _active.get()) is not None:
        guard.after_statement(connection, statement, cursor.rowcount)


def _on_error(context: Any) -> None:
    if (guard := _active.get()) is not None and context.statement is not None:
        guard.on_error(context.connection, context.statement, context.original_exception)


def _on_audit(name: str, arguments: tuple[Any, ...]) -> None:
    if name in CALLING_OTHERS and (guard := _active.get()) is not None:
        guard.before_others_look()
