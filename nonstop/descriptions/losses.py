"""What a transaction takes away, as values, and who finds it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Loss:
    """Data that is gone when the transaction is committed.

    ``subject`` is a table (``parts``) or a column (``orders.car_number``), ``unit`` what is counted, in the singular.
    ``count`` is None where nobody could count, and an estimate where not ``is_exact``; 0 means that nothing is lost.
    """

    subject: str
    unit: str
    count: int | None
    is_exact: bool = True

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
        return f"{self.subject}: {self.amount}"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the text of a statement tells about losses before it is sent.

    ``changes``: it may change something, so that the transaction has to be looked at before it is committed.
    ``commits``: it ends the transaction by its own text.
    ``wants_commit_of_ours``: on a session in autocommit mode it needs a transaction, for there to be a commit to look before.
    ``loses_unseen``: it may lose data, and commits or does so where no look can come in between.
    """

    changes: bool = False
    commits: bool = False
    wants_commit_of_ours: bool = False
    loses_unseen: bool = False


class LossWatch(Protocol):
    """Finds what the open transactions of one script take away. ``connection`` is a plain driver's."""

    begin: str
    """How a transaction that is going to write is opened."""

    def outlook(self, statement: str) -> Outlook:
        """What the text tells."""

    def before(self, connection: Any, statement: str) -> None:
        """Note what has to be known afterwards, and count what ``statement`` is going to take away."""

    def after(self, connection: Any, statement: str) -> None:
        """Note that ``statement`` has succeeded."""

    def found(self, connection: Any) -> Sequence[Loss]:
        """What the open transaction takes away; what it has found it does not find again."""

    def forget(self, connection: Any) -> None:
        """The transaction was rolled back."""
