"""Triggers, functions and sequences that stand alone, made and taken away by their own statements."""

from __future__ import annotations

import re

from nonstop.check.corrections.pieces import Piece, Stage
from nonstop.check.corrections.render import call, literal, names
from nonstop.check.corrections.verbs import NoCorrectionError
from nonstop.check.shapes.shape import OtherShape

RANKS = {"sequence": -1, "function": -1, "procedure": -1, "trigger": 2}
"""Of each kind that one statement can make beside readers and writers: a column's default may ask a sequence or a function,
and a trigger calls a function. Each is dropped in the opposite order. What is not here (an exclusion constraint reads the
whole table under a lock, PostgreSQL manual, "ALTER TABLE") has no correction."""


def changed(before: OtherShape | None, after: OtherShape | None) -> Piece:
    """A piece that makes ``after`` of ``before``. Raises NoCorrectionError for kinds that can't be had online."""
    one = after or before
    assert one is not None
    if one.kind not in RANKS or (one.kind == "sequence" and before and after):
        raise NoCorrectionError(f"the {one.kind} {one.name} can't be made by a statement that blocks nobody")
    rank, label = _rank(one), f"the {one.kind} {one.name}"
    if after is None:
        return Piece(
            f"drop {label}",
            f"nothing needs {label} any longer.",
            (_drop(one),),
            (_make(one),),
            Stage.WHEN_UNUSED,
            f"code that no longer needs {label}",
            loses=f"nothing has asked {label} for numbers since the release before this script"
            if one.kind == "sequence"
            else "",
            is_contract=True,
            rank=-rank,
        )
    return Piece(
        f"define {label}",
        f"the release that comes next needs {label}.",
        (_make(after),),
        (_make(before) if before else _drop(after),),
        rank=rank,
    )


def _rank(one: OtherShape) -> int:
    # The body of one in SQL is read when it is made, so that the tables in it have to be there.
    return 1 if "\n LANGUAGE sql" in one.definition else RANKS[one.kind]


def _make(one: OtherShape) -> str:
    # SQLite keeps the statement that was sent.
    sql = re.sub(
        r"(?i)^create\s+trigger\s+(if\s+not\s+exists\s+)?", "CREATE TRIGGER IF NOT EXISTS ", one.definition
    )
    return call("op.execute", literal(sql.strip()), _locking(one))


def _drop(one: OtherShape) -> str:
    return call("op.execute", literal(f"DROP {one.kind.upper()} IF EXISTS {one.name}"), _locking(one))


def _locking(one: OtherShape) -> str:
    return f"tables={names([one.table])}" if one.table else ""
