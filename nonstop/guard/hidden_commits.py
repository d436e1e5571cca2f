"""Refuses commits that nobody can look at before they are sent, nor tell whether they came to be."""

from __future__ import annotations

from collections.abc import Sequence

from nonstop.databases.transaction_control import Verb, transaction_control
from nonstop.databases.wording import one_line
from nonstop.errors import Refused

PREPARED = (Verb.PREPARE, Verb.COMMIT_PREPARED)
ENDING = (Verb.COMMIT, Verb.ROLLBACK)


def refuse_hidden_commits(statements: Sequence[str]) -> None:
    """Raise Refused where a commit is split in two, or stands in the middle of the ``statements`` of one text."""
    for statement in statements:
        control = transaction_control(statement)
        if control is None:
            continue
        summary = one_line(statement)
        if control.verb in PREPARED:
            raise Refused(
                f"refused, for a commit in two phases can't be watched: {summary}",
                details=("A prepared transaction keeps its locks until somebody commits it by its name.",),
                next_step="use an ordinary transaction",
            )
        if control.verb in ENDING and len(statements) > 1:
            raise Refused(
                f"refused, for a text of several statements may not end a transaction: {summary}",
                next_step="send each statement with an execute() of its own",
            )
