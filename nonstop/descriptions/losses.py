"""What a transaction takes away, as values, and who finds it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Loss:
    """Data that is gone when the transaction is committed.

    ``subject`` is a table (``parts``) or a column (``orders.car_number``), ``unit`` what is counted, in the singular.
    ``count`` is None where nobody could count, and an estimate where not ``is_exact``; 0 means that nothing is lost.
    ``doubt`` says why nobody can tell whether anything is.
    """

    subject: str
    unit: str
    count: int | None
    is_exact: bool = True
    doubt: str = ""

    @property
    def is_real(self) -> bool:
        """Whether anything is lost, as far as can be known."""
        return self.count != 0

    @property
    def amount(self) -> str:
        """``5,000 values``, ``about 5,000 values``, ``all its values``."""
        if self.count is None:
            return f"all its {self.unit}s"
        return (
            f"{'' if self.is_exact else 'about '}{self.count:,} {self.unit}{'' if self.count == 1 else 's'}"
        )

    @property
    def verb(self) -> str:
        return "is" if self.count == 1 else "are"

    def __str__(self) -> str:
        return f"{self.subject}: {self.doubt or self.amount}"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the text of a statement tells about losses before it is sent.

    ``changes``: it may change something, so that the transaction has to be looked at before it is committed.
    ``locks_rows``: it changes nothing, and gives the transaction a number as a change would.
    ``commits``: it ends the transaction by its own text.
    ``wants_commit_of_ours``: on a session in autocommit mode it needs a transaction, for there to be a commit to look before.
    ``loses_unseen``: it may lose data, and commits or does so where no look can come in between.
    """

    changes: bool = False
    commits: bool = False
    wants_commit_of_ours: bool = False
    loses_unseen: bool = False
    locks_rows: bool = False


@dataclass(frozen=True, slots=True)
class DriverGate:
    """What stands before the statements and commits of a driver's own, on one connection.

    ``is_looked_at()``: whether nothing was sent since the transaction was looked at. ``look()`` does so, and raises Refused;
    ``ended()`` is called behind the commit. ``refuse(what)``: whether ``what``, at which nobody can look, must not be.
    """

    is_looked_at: Callable[[], bool]
    look: Callable[[], None]
    ended: Callable[[], None]
    refuse: Callable[[str], bool]


class LossWatch(Protocol):
    """Finds what the open transactions of one script take away. ``connection`` is a plain driver's."""

    begin: str
    """How a transaction that is going to write is opened."""

    def outlook(self, statement: str) -> Outlook:
        """What the text tells."""

    def taken_out(self, connection: Any, gate: DriverGate) -> None:
        """The script gets a connection, which it may use without SQLAlchemy too."""

    def before(self, connection: Any, statement: str) -> None:
        """Note what has to be known afterwards, and count what ``statement`` is going to take away."""

    def may_repeat(self, connection: Any, statement: str) -> bool:
        """Whether :meth:`before` has nothing to look at when ``statement``, which was sent, or one before it follows once
        more in the same transaction."""

    def after(self, connection: Any, statement: str, rows: int) -> None:
        """Note that ``statement`` has succeeded, and how many ``rows`` it has changed."""

    def mind_savepoint(self, connection: Any, control: Any) -> None:
        """Note that a savepoint was set, released or returned to, as a TransactionControl says."""

    def found(self, connection: Any) -> Sequence[Loss]:
        """What the open transaction takes away; what it has found it does not find again."""

    def forget(self, connection: Any) -> None:
        """The transaction has ended."""

    def given_back(self, connection: Any) -> None:
        """The script has given the connection back: what has its identity next may be another one."""
