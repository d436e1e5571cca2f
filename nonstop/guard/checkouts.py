"""The sessions that a script takes out of SQLAlchemy's pools: made ready for it, and put back as they were."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy.engine import Connection, Dialect, Engine

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.errors import NonstopError
from nonstop.guard.commit_hooks import CommitHooks
from nonstop.guard.commits import Commits
from nonstop.guard.foreign_databases import refuse_asynchronous_driver
from nonstop.guard.losses import Losses
from nonstop.guard.stop_reasons import StopReasons
from nonstop.guard.transactions import Transactions


class Checkouts:
    """What happens when a session is taken out, used through SQLAlchemy, and given back. ``prepare`` makes it ready."""

    def __init__(
        self,
        database: Database,
        prepare: Callable[[DBAPIConnection], None],
        transactions: Transactions,
        losses: Losses,
        commits: Commits,
        stops: StopReasons,
    ) -> None:
        self._database = database
        self._prepare = prepare
        self._transactions = transactions
        self._connections = transactions.connections
        self._losses = losses
        self._commits = commits
        self._stops = stops
        self._commit_hooks: dict[Dialect, CommitHooks] = {}
        self._engines: set[Engine] = set()

    def on_checkout(self, connection: DBAPIConnection) -> None:
        """Prepare a session. Raises UsageError where it leads to another database than the ledger's."""
        if not self._database.is_reached_by(connection):
            self._stops.remember(partial(refuse_asynchronous_driver, connection))
            self._connections.note_foreign(connection)
            return
        self._connections.checked_out(connection)
        try:
            self._database.check_same(connection)
            self._prepare(connection)
            self._losses.taken_out(connection)
        except Exception as error:
            self._connections.refused(connection)
            if isinstance(error, NonstopError):
                self._stops.refusal = error
            raise

    def on_connect(self, connection: Connection) -> None:
        """Note that the script uses a session through SQLAlchemy, and see its commits."""
        self._engines.add(connection.engine)
        self._connections.goes_through_sqlalchemy(connection.connection.dbapi_connection)
        with self._transactions.one_at_a_time:
            if connection.dialect not in self._commit_hooks:
                self._commit_hooks[connection.dialect] = CommitHooks(connection.dialect, self._commits)

    def on_checkin(self, connection: DBAPIConnection) -> None:
        """Give a session its own settings back."""
        if self._connections.is_foreign(connection):
            self._connections.forget_foreign(connection)
            return
        if not self._connections.is_out(connection):  # taken out before the script, by the application
            return
        self._connections.checked_in(connection)
        self._transactions.forget(connection)
        if self._database.is_usable(connection):
            self._database.restore_session(connection)

    def remove_hooks(self) -> None:
        """Leave the script's dialects as they were."""
        for commit_hooks in self._commit_hooks.values():
            commit_hooks.remove()

    def dispose_engines(self, own: Engine) -> None:
        """Close the pooled sessions of the script, so that the next one gets fresh ones: no setting, no temporary table."""
        for engine in self._engines - {own}:
            engine.dispose()
