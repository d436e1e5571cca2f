"""The commits and rollbacks of a script: each commit carries its row, and a rollback ends as it would without us."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.errors import MadeWay
from nonstop.guard.commit_hooks import Send
from nonstop.guard.stop_reasons import StopReasons
from nonstop.guard.transactions import Transactions


class Commits:
    """Sends what a script commits and rolls back. ``run_deferred()`` carries out what a commit leaves to be done.

    ``was_interrupted()`` tells whether a session of the script was canceled because the application waited for it.
    """

    def __init__(
        self,
        database: Database,
        transactions: Transactions,
        stops: StopReasons,
        run_deferred: Callable[[], None],
        was_interrupted: Callable[[], bool],
    ) -> None:
        self._database = database
        self._transactions = transactions
        self._connections = transactions.connections
        self._stops = stops
        self._run_deferred = run_deferred
        self._was_interrupted = was_interrupted
        self._errors_at_begin: dict[int, BaseException | None] = {}
        self.undone_by_error = ""
        """The last statement of a transaction that an error has undone, although plain Python would have kept some of it."""

    def note_begin(self, connection: DBAPIConnection) -> None:
        """Note that a transaction begins, with the error that the script is just handling, if any."""
        self._errors_at_begin[id(connection)] = sys.exc_info()[1]

    def commit(self, connection: DBAPIConnection, send: Send) -> None:
        """Send a commit of the script, with its row; what it deferred is in place when this returns."""
        if self._connections.is_own(connection):
            send()
            return
        if (interruption := self._remember_interruption(connection)) is not None:
            raise interruption
        self._stops.remember(partial(self._transactions.before_commit, connection))
        try:
            send()
        except BaseException:
            self._transactions.commit_failed(connection)
            raise
        self._transactions.after_commit(connection)
        self._stops.remember(self._run_deferred)

    def roll_back(self, connection: DBAPIConnection, send: Send) -> None:
        """Send a rollback of the script. What the driver alone would have committed by now stays, as without us.

        On the way of an error everything is undone. A script that goes on as if that had not happened has failed.
        """
        if self._connections.is_own(connection):  # a step of op that was canceled is tried again by itself
            self._transactions.rolled_back(connection)
            send()
            return
        self._remember_interruption(connection)
        if self._database.survives_rollback(connection):
            if sys.exc_info()[1] is self._errors_at_begin.get(id(connection)):
                self._transactions.dropped_writes |= self._database.roll_back_driver_part(connection)
                self.commit(connection, connection.commit)
                return
            self.undone_by_error = self.undone_by_error or self._transactions.summary(connection)
        self._transactions.rolled_back(connection)
        send()

    def _remember_interruption(self, connection: DBAPIConnection) -> MadeWay | None:
        """Note that a transaction was canceled, if it was: by a cursor of the driver, say, whose error only the script saw."""
        if self._stops.interruption is not None or not self._was_interrupted():
            return None
        if not self._database.in_transaction(connection) or self._database.can_commit(connection):
            return None
        summary = self._transactions.summary(connection)
        interruption = MadeWay(f"the application waited for a transaction: {summary}", broken_off=True)
        self._stops.interruption = interruption
        return interruption

    def end_open_transactions(self) -> None:
        """End what the script has left open when it returned, as the end of its process would."""
        for connection in self._connections.usable():
            if not self._connections.is_own(connection) and self._database.in_transaction(connection):
                self.roll_back(connection, connection.rollback)
