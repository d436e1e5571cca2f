"""Looks, before a script's commit, for data that would be lost by it.

What counts is what the database shows of the transaction, not what the script's text says: so nothing passes unseen, be
it a step of ``op``, plain SQL, a CASCADE, a function or a block. An ``apply`` that loses data is refused, unless
somebody has said that it may; a ``rollback`` may, and says how much.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.databases.transaction_control import Verb, transaction_control
from nonstop.databases.wording import is_write, one_line
from nonstop.descriptions.losses import DriverGate, Loss, LossWatch
from nonstop.descriptions.scripts import Direction
from nonstop.errors import NonstopError, Refused

MOST_NAMED = 10
"""So many losses are named one by one."""
DECLARE_IT = (
    'say why in the script (discards_data = "why"), or pass --discard-data;'
    " or move what drops it into a later migration, for when no running code needs it"
)


class Losses:
    """The look before each commit of one script.

    ``discarding`` is the reason why an ``apply`` may lose data, None where it may not. ``say(note)`` is told what is lost;
    ``remember(error)`` keeps a refusal, so that a script that swallows it has not succeeded.
    """

    def __init__(
        self,
        database: Database,
        watch: LossWatch,
        direction: Direction,
        discarding: str | None,
        say: Callable[[str], None],
        remember: Callable[[NonstopError], None],
    ) -> None:
        self._database = database
        self._watch = watch
        self._direction = direction
        self._discarding = discarding
        self._say = say
        self._remember = remember
        self._changing: set[int] = set()
        self._enclosed: set[int] = set()
        self._looked_at: set[int] = set()
        """Connections on which nothing was sent since the last look."""
        self._refusal: Refused | None = None
        self.told: list[str] = []
        """What is lost, note by note."""

    def may_change(self, statement: str) -> bool:
        """Whether ``statement`` may change data or schema, also by a function that it calls."""
        return is_write(statement) or self._watch.outlook(statement).changes

    # --- connections ------------------------------------------------------------------------------------------

    def taken_out(self, connection: DBAPIConnection) -> None:
        """Look also before what the script does on ``connection`` without SQLAlchemy."""
        gate = DriverGate(
            lambda: id(connection) in self._looked_at,
            partial(self.before_commit, connection),
            partial(self.ended, connection),
            self._refuse_unseen,
        )
        self._watch.taken_out(connection, gate)

    def given_back(self, connection: DBAPIConnection) -> None:
        """Forget a connection."""
        self.ended(connection)
        self._watch.given_back(connection)

    def _refuse_unseen(self, what: str) -> bool:
        if self._may_lose:
            if f"not counted: {what}" not in self.told:
                self.told.append(f"not counted: {what}")
                self._say(self.told[-1])
            return False
        self._refuse("this may lose data, and nobody can look before it is committed", what)
        return True

    # --- statements -------------------------------------------------------------------------------------------

    def before_statement(self, connection: DBAPIConnection, statement: str, is_autocommit: bool) -> None:
        """Note what ``statement`` may take away. Raises Refused where no look can come between it and its commit."""
        if self._refusal is not None:  # it was swallowed
            raise self._refusal
        outlook = self._watch.outlook(statement)
        self._looked_at.discard(id(connection))
        if outlook.loses_unseen and not self._may_lose:
            raise self._refuse(
                "this statement may lose data, and nobody can look before it is committed", statement
            )
        if outlook.commits:
            self.before_commit(connection)
        if self._has_failed(connection):
            return
        if outlook.locks_rows and not is_autocommit:
            self._watch.before(connection, statement)
        if not outlook.changes:
            return
        if is_autocommit and not self._database.in_transaction(connection):
            if not outlook.wants_commit_of_ours:
                return
            connection.cursor().execute(self._watch.begin)
            self._enclosed.add(id(connection))
        self._changing.add(id(connection))
        self._watch.before(connection, statement)

    def after_statement(self, connection: DBAPIConnection, statement: str, rows: int) -> None:
        """Note what the statement has done; look, and commit, where it stands in a transaction of ours."""
        control = transaction_control(statement)
        if control is not None and control.verb in (Verb.SAVEPOINT, Verb.RELEASE, Verb.ROLLBACK_TO):
            self._watch.mind_savepoint(connection, control)
        elif id(connection) in self._changing:
            self._watch.after(connection, statement, rows)
        if id(connection) in self._enclosed:
            self.before_commit(connection)
            self._enclosed.discard(id(connection))
            connection.cursor().execute("COMMIT")
            self.ended(connection)

    def may_repeat(self, connection: DBAPIConnection, statement: str) -> bool:
        """Whether nothing has to be looked at when this statement, or one before it, follows in the same transaction."""
        return self._watch.may_repeat(connection, statement)

    def statement_failed(self, connection: DBAPIConnection) -> None:
        """Undo a transaction of ours around a statement that failed."""
        if id(connection) in self._enclosed:
            self._roll_back(connection)

    # --- transactions -----------------------------------------------------------------------------------------

    def before_commit(self, connection: DBAPIConnection) -> None:
        """Find what the open transaction takes away. Raises Refused, and rolls it back, where that must not be."""
        if id(connection) in self._looked_at or not self._database.can_commit(connection):
            return
        is_changing = id(connection) in self._changing
        self._changing.discard(id(connection))
        # What goes through a driver's cursor no event tells of.
        if not (is_changing or self._database.has_changes(connection)):
            return
        self._looked_at.add(id(connection))
        found = self._watch.found(connection)
        lost = [loss for loss in found if loss.is_real]
        if lost and not self._may_lose:
            self._roll_back(connection)
            is_certain = any(not loss.doubt for loss in lost)
            raise self._refuse(f"this {'would' if is_certain else 'may'} lose data: {_listed(lost)}")
        for loss in found:
            self._tell(loss)

    def rolled_back(self, connection: DBAPIConnection) -> None:
        """Forget what a transaction would have taken away."""
        self._enclosed.discard(id(connection))
        self.ended(connection)

    def ended(self, connection: DBAPIConnection) -> None:
        """Note that a transaction has ended."""
        self._changing.discard(id(connection))
        self._looked_at.discard(id(connection))
        self._watch.forget(connection)

    # --- details ----------------------------------------------------------------------------------------------

    def _has_failed(self, connection: DBAPIConnection) -> bool:
        """Whether an error has ended the transaction: nothing of it will be kept, and it answers no question."""
        return self._database.in_transaction(connection) and not self._database.can_commit(connection)

    @property
    def _may_lose(self) -> bool:
        return self._direction is Direction.ROLLBACK or self._discarding is not None

    def _tell(self, loss: Loss) -> None:
        if not loss.is_real:
            if self._direction is Direction.APPLY:
                self._say(f"{loss.subject}: gone, it had no {loss.unit}")
            return
        is_rollback = self._direction is Direction.ROLLBACK
        if loss.doubt:
            self.told.append(f"{loss}{'' if is_rollback else f' ({self._discarding})'}")
            self._say(self.told[-1])
            return
        self.told.append(f"{loss} {loss.verb} {'lost' if is_rollback else f'discarded ({self._discarding})'}")
        self._say(self.told[-1])

    def _roll_back(self, connection: DBAPIConnection) -> None:
        if id(connection) in self._enclosed:
            connection.cursor().execute("ROLLBACK")
        else:
            connection.rollback()
        self.rolled_back(connection)

    def _refuse(self, message: str, statement: str = "") -> Refused:
        details = (f"statement: {one_line(statement, 500)}",) if statement else ()
        self._refusal = Refused(message, details=details, next_step=DECLARE_IT)
        self._remember(self._refusal)
        return self._refusal


def _listed(losses: list[Loss]) -> str:
    named = [str(loss) for loss in losses[:MOST_NAMED]]
    more = len(losses) - len(named)
    return "; ".join(named) + (f"; and {more} more" if more else "")
