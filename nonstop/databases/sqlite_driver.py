"""What Python's ``sqlite3`` does about transactions by itself, so that a script ends as it would with the driver alone.

In its usual mode the driver begins a transaction before INSERT, UPDATE, DELETE and REPLACE; whatever else is sent outside
of one commits itself (Python manual, "sqlite3", "Transaction control"). Nonstop begins before every statement that
writes, so that the tables of a script that fails are undone too. Here it is remembered what the driver would have begun
and committed by now.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from nonstop.databases.transaction_control import Verb, transaction_control
from nonstop.databases.wording import first_word, is_write, only_asks

SAVEPOINT = "nonstop_driver"
BEGUN_BY_DRIVER = frozenset({"insert", "update", "delete", "replace"})
OUTSIDE_TRANSACTIONS = frozenset({"vacuum", "attach", "detach"})
ALIKE_IN_TRANSACTIONS = BEGUN_BY_DRIVER | {"create", "alter", "drop", "reindex", "analyze", "with"}
"""Statements that do the same inside a transaction that the driver would not have begun."""


@dataclass(slots=True)
class BegunByUs:
    """A transaction that the driver would not have begun: ``is_used`` once a statement has succeeded in it.

    ``driver_began``: the driver would have begun one inside of it by now.
    """

    is_used: bool = False
    driver_began: bool = False


class DriverTransactions:
    """The transactions of the connections of a script, by ``id(connection)``."""

    def __init__(self) -> None:
        self._begun_by_us: dict[int, BegunByUs] = {}
        self._outermost: dict[int, str] = {}
        """The savepoints that have begun a transaction."""

    # --- who begins -------------------------------------------------------------------------------------------

    def begin_if_needed(self, connection: sqlite3.Connection, statement: str) -> None:
        """Begin before what writes; mark, by a savepoint, where the driver would begin inside our transaction."""
        verb = first_word(statement)
        driver_begins = verb in BEGUN_BY_DRIVER and connection.isolation_level is not None
        ours = self._begun_by_us.get(id(connection))
        if connection.in_transaction:
            if driver_begins and ours is not None and not ours.is_used:
                del self._begun_by_us[
                    id(connection)
                ]  # nothing before it succeeded: the driver would begin here
            elif driver_begins and ours is not None and not ours.driver_began:
                connection.execute(f"SAVEPOINT {SAVEPOINT}")
                ours.driver_began = True
            return
        self._begun_by_us.pop(id(connection), None)
        self._outermost.pop(id(connection), None)
        control = transaction_control(statement)
        if control is not None and control.verb is Verb.SAVEPOINT:
            self._outermost[id(connection)] = control.savepoint
        elif is_write(statement) and verb not in OUTSIDE_TRANSACTIONS:
            connection.execute("BEGIN IMMEDIATE")
            if not driver_begins:
                self._begun_by_us[id(connection)] = BegunByUs()

    def succeeded(self, connection: sqlite3.Connection, statement: str) -> None:
        """Note that ``statement`` has succeeded: outside of a transaction the driver would have committed it."""
        if (ours := self._begun_by_us.get(id(connection))) is not None:
            ours.is_used |= is_write(statement)

    # --- what the driver would have committed -----------------------------------------------------------------

    def commits_before(self, connection: sqlite3.Connection, statement: str) -> bool:
        """Whether ``statement`` would find no transaction without us, and does something else inside of one."""
        ours = self._begun_by_us.get(id(connection))
        return (
            connection.in_transaction
            and ours is not None
            and not ours.driver_began
            and first_word(statement) not in ALIKE_IN_TRANSACTIONS
            and not only_asks(statement)
        )

    def survives_rollback(self, connection: sqlite3.Connection) -> bool:
        """Whether the driver would have committed something of the open transaction."""
        ours = self._begun_by_us.get(id(connection))
        return connection.in_transaction and ours is not None and ours.is_used

    def roll_back_driver_part(self, connection: sqlite3.Connection) -> bool:
        """Undo what the driver would undo; False where it would have begun nothing."""
        ours = self._begun_by_us.get(id(connection))
        if ours is None or not ours.driver_began:
            return False
        connection.execute(f"ROLLBACK TO {SAVEPOINT}")
        connection.execute(f"RELEASE {SAVEPOINT}")
        return True

    def release_commits(self, connection: sqlite3.Connection, savepoint: str) -> bool:
        """Whether the transaction began with ``savepoint``: its release is a commit (SQLite manual, "Savepoints")."""
        return connection.in_transaction and self._outermost.get(id(connection)) == savepoint
