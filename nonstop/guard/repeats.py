"""Statements that a script sends again and again in one transaction: what was found out about one holds for the next.

A script that updates rows one by one sends the same text thousands of times. Each check of the guard looks at the text,
at what the transaction has done before, or both. So the text of a statement on rows that has passed all checks passes
them again, as long as the transaction goes on with nothing but such statements.
"""

from __future__ import annotations

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.databases.wording import works_on_rows
from nonstop.descriptions.statements import Kind

MOST_TEXTS = 100
"""So many texts are kept. A script with more of them hardly repeats any."""
CHECKPOINT_EVERY = 0.02
"""Seconds between two checkpoints among repeated statements: a checkpoint asks the server whether the lock still holds."""


class Repeats:
    """The texts that have passed all checks, for each connection in its open transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._passed: dict[int, set[str]] = {}
        self.checkpoint_at = 0.0
        """When the next checkpoint among repeated statements is due, as ``time.monotonic()`` tells it."""

    def has(self, connection: DBAPIConnection, statement: str) -> bool:
        """Whether ``statement`` has passed, and the transaction in which it has is still open and has not failed."""
        passed = self._passed.get(id(connection))
        return passed is not None and statement in passed and self._database.can_commit(connection)

    def note_checkpoint(self, now: float) -> None:
        """Note that there was a checkpoint at ``now``, as ``time.monotonic()`` tells it."""
        self.checkpoint_at = now + CHECKPOINT_EVERY

    def before_other(self, statement: str, in_transaction: bool) -> None:
        """A statement that has not passed yet is checked next. ``in_transaction``: it stands in one of the script's own."""
        if not (in_transaction and works_on_rows(statement)):
            self.clear()

    def passes(self, connection: DBAPIConnection, statement: str) -> None:
        """Note that ``statement``, in a transaction of the script, has passed all checks, was sent as it is and succeeded."""
        if not works_on_rows(statement) or not self._database.can_commit(connection):
            return
        if all(
            need.kind is Kind.READS and not need.loses_data for _, need in self._database.needs_of(statement)
        ):
            texts = self._passed.setdefault(id(connection), set())
            if len(texts) < MOST_TEXTS:
                texts.add(statement)

    def clear(self) -> None:
        """Forget all: a transaction ends, or something happens that later statements may depend on."""
        self._passed.clear()
        self.checkpoint_at = 0.0
