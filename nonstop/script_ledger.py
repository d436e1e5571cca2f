"""The ledger as one script in one direction sees it: how far it got, how it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.descriptions.history import RunIdentity
from nonstop.descriptions.scripts import Direction, Script
from nonstop.errors import NonstopError, Stopped, StoppedPartWay
from nonstop.ledger import Ledger


class transaction:  # reads as a verb: with transaction(database, connection)
    """One transaction of the ledger's own connection."""

    def __init__(self, database: Database, connection: DBAPIConnection) -> None:
        self._database = database
        self._connection = connection

    def __enter__(self) -> None:
        self._database.begin_if_needed(self._connection, "INSERT")

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self._connection.commit()
        else:
            self._connection.rollback()


@dataclass(frozen=True)
class ScriptLedger:
    """Methods that take a connection write into its open transaction, with the script's own work; the others have one
    of their own, on ``connection``.
    """

    ledger: Ledger
    database: Database
    connection: DBAPIConnection
    script: Script
    direction: Direction
    identity: RunIdentity

    def record_commit(self, connection: DBAPIConnection, description: str, deferred: Sequence[str]) -> None:
        """Note a commit in the middle of the script, and what it leaves to be done."""
        about = (connection, self.script, self.direction, self.identity)
        with self.database.own_settings(connection):
            self.ledger.record_commit(*about, self.database.redact(description))
            for statement in deferred:
                self.ledger.record_deferred(*about, statement)

    def record_end(self, connection: DBAPIConnection, duration_ms: int, notes: Sequence[str]) -> None:
        """Note that the script has ended well."""
        self.ledger.record_end(
            connection,
            self.script,
            self.direction,
            self.identity,
            duration_ms,
            self.database.redact("; ".join(notes)),
        )

    def record_step(self, description: str) -> None:
        """Note a step that ran outside transactions."""
        self.in_transaction(lambda connection: self.record_commit(connection, description, ()))

    def record_returned(self) -> None:
        """Note that the script itself has nothing more to do; what it has deferred may be left."""
        self.in_transaction(
            lambda connection: self.ledger.record_returned(
                connection, self.script, self.direction, self.identity
            )
        )

    def deferred(self) -> tuple[list[str], bool]:
        """See :meth:`Ledger.deferred`."""
        with transaction(self.database, self.connection):
            return self.ledger.deferred(self.connection, self.script, self.direction)

    def forget_deferred(self, statement: str) -> None:
        """A deferred statement was carried out."""
        self.in_transaction(
            lambda connection: self.ledger.forget_deferred(connection, self.script, statement)
        )

    def commits(self) -> tuple[str, ...]:
        """What is noted of each commit of the script, in order."""
        with transaction(self.database, self.connection):
            return self.ledger.commits_of(self.connection, self.script)

    def record_failure(self, failure: NonstopError) -> None:
        """Note how the script failed. What goes wrong with that is added to ``failure``, which comes first."""
        kind = "interruption" if isinstance(failure, Stopped) else "failure"
        try:
            with transaction(self.database, self.connection):
                if not isinstance(failure, StoppedPartWay):
                    self.ledger.record_undone(self.connection, self.script, self.identity)
                detail = self.database.redact(" | ".join((failure.message, *failure.details)))
                self.ledger.record_event(self.connection, kind, self.script, self.identity, detail)
        except Exception as error:
            failure.details += (
                f"The failure could not be noted in the ledger: {self.database.redact(str(error))}",
            )

    def in_transaction(self, write: Callable[[DBAPIConnection], None]) -> None:
        """Write on the ledger's own connection, so that it survives what the script's does."""
        with transaction(self.database, self.connection):
            write(self.connection)
