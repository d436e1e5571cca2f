"""What a script is told whose own SQL is refused before it is sent: why, and how to write it."""

from __future__ import annotations

from nonstop.databases.wording import one_line
from nonstop.errors import Refused
from nonstop.guard.deferred import Pending
from nonstop.guard.judged import Judged


def unseen_names(text: str) -> Refused:
    """A statement that means a table which an earlier one of the same text is going to rename."""
    return Refused(
        f"refused, for nobody can see beforehand what it locks: {one_line(text)}",
        details=("It names a table that is not there yet, behind other statements in one text.",),
        next_step="send each statement with an execute() of its own",
    )


def gap_without_index(one: Judged) -> Refused:
    """An index that the transaction has dropped and creates again."""
    return Refused(
        f"refused, for there would be no such index until it is built: {one_line(one.text)}",
        details=(f"On a table as large as {one.names[0]} it is built online, after the commit.",),
        next_step="build it under another name and commit; then drop the old one and rename it, in one transaction",
    )


def unknown_name(one: Judged) -> Refused:
    """An index or a constraint whose name only the server could tell."""
    return Refused(
        f"refused, for the name that PostgreSQL would choose is not known: {one_line(one.text)}",
        details=(f"On a table as large as {one.names[0]} it is done online, which takes a name.",),
        next_step="name the index or the constraint in the statement",
    )


def may_fail_halfway(one: Judged) -> Refused:
    """What rows may violate, beside other changes, which would be permanent by then."""
    return Refused(
        f"refused, for it may fail when other changes are permanent already: {one_line(one.text)}",
        details=(
            f"On a table as large as {one.names[0]} it is checked after the commit, beside readers and writers.",
        ),
        next_step="give it a statement and a transaction of its own: commit before it and after it",
    )


def notices_deferred(text: str, pending: Pending) -> Refused:
    """A statement that could find that ``pending`` is not carried out yet."""
    return Refused(
        f"refused, for an earlier statement is carried out after the commit: {one_line(text)}",
        details=(f"It may depend on this, which large tables take online only: {pending.text}",),
        next_step="commit before this statement",
    )


def blocks(one: Judged, size: int) -> Refused:
    """A statement that keeps others waiting for as long as it runs, on tables of ``size`` bytes."""
    what = ", ".join(one.names) or "all tables together"
    return Refused(
        f"refused, for it would keep the application waiting: {one_line(one.text)}",
        details=(
            f"It {one.need.reason or 'blocks for as long as it runs'}.",
            f"Size: {what} {'have' if len(one.tables) != 1 else 'has'} {size // (1024 * 1024):,} MB.",
            *(["Instead:", *one.need.correction.splitlines()] if one.need.correction else ()),
        ),
        next_step='correct the script as shown, or accept the waiting with --allow-blocking "the reason"',
    )
