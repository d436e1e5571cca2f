"""Triggers, functions, schemas and sequences that stand alone, made and taken away by their own statements."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from nonstop.check.corrections import exclusions, materialized_views, partitions
from nonstop.check.corrections.pieces import Piece, Stage
from nonstop.check.corrections.render import call, literal, names
from nonstop.check.corrections.verbs import NoCorrectionError
from nonstop.check.shapes.changes import ChangedOther
from nonstop.check.shapes.shape import OtherShape, Shape
from nonstop.databases.postgresql_reader import Reader

RANKS = {"sequence": -1, "function": -1, "procedure": -1, "trigger": 2, "constraint trigger": 2}
"""Of each kind that one statement can make beside readers and writers: a column's default may ask a sequence or a function,
and a trigger calls a function. Each is dropped in the opposite order. What is not here (a deferrable key, say) has no
correction."""


def changed(change: ChangedOther, before: Shape, after: Shape) -> list[Piece]:
    """What has to be done for one of them. Raises NoCorrectionError for kinds that can't be had online."""
    one = change.after or change.before
    assert one is not None
    match one.kind:
        case "materialized view":
            return materialized_views.changed(change, before, after)
        case "index of a materialized view":
            return materialized_views.changed_index(change, before, after)
        case "partition":
            return [partitions.changed(change, before)]
        case "exclusion constraint":
            return [exclusions.changed(change, before)]
    if one.kind not in RANKS or (one.kind == "sequence" and change.before and change.after):
        raise NoCorrectionError(f"the {one.kind} {one.name} can't be made by a statement that blocks nobody")
    return [_dropped(one) if change.after is None else _defined(change.after, change.before)]


def fires_in_vain(failing: Collection[str], before: Shape, after: Shape) -> bool:
    """Whether code fails on a table that is as it was but for a trigger: what that writes to is not there, or does not take
    it, and its author alone knows what should be."""
    was, now = ({table.display: table for table in shape.tables.values()} for shape in (before, after))
    fires_on = {
        one.table
        for key, one in after.others.items()
        if "trigger" in one.kind and one != before.others.get(key)
    }
    return any(table in failing and was.get(table) == now.get(table) for table in fires_on)


def _defined(one: OtherShape, former: OtherShape | None) -> Piece:
    label = f"the {one.kind} {one.name}"
    return Piece(
        f"define {label}",
        f"the release that comes next needs {label}.",
        (_make(one),),
        (_make(former) if former else _drop(one),),
        rank=_rank(one),
    )


def _dropped(one: OtherShape) -> Piece:
    label = f"the {one.kind} {one.name}"
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
        rank=-_rank(one),
    )


def _rank(one: OtherShape) -> int:
    # The body of one in SQL is read when it is made, so that the tables in it have to be there.
    return 1 if "\n LANGUAGE sql" in one.definition else RANKS[one.kind]


def _make(one: OtherShape) -> str:
    # SQLite keeps the statement that was sent.
    sql = re.sub(
        r"(?i)^create\s+trigger\s+(if\s+not\s+exists\s+)?", "CREATE TRIGGER IF NOT EXISTS ", one.definition
    ).strip()
    if one.kind == "constraint trigger":  # which can't be replaced: it is dropped and made in one transaction
        sql = f"DROP TRIGGER IF EXISTS {one.name}; {sql}"
    return call("op.execute", literal(sql), _locking(one))


def _drop(one: OtherShape) -> str:
    kind = one.kind.removeprefix("constraint ").upper()
    return call("op.execute", literal(f"DROP {kind} IF EXISTS {one.name}"), _locking(one))


def _locking(one: OtherShape) -> str:
    return f"tables={names([one.table])}" if one.table else ""


def new_schemas(sent: Sequence[str], before: Shape) -> list[Piece]:
    """The schemas that the script makes; which of them have been there already, without a table, no shape tells."""
    known = {table.schema for table in before.tables.values()}
    found = []
    for sql in sent:
        reader = Reader.of(sql)
        if not reader.accept("create schema [if not exists]"):
            continue
        name = reader.name()
        if name.last and name.last not in known:
            found.append(
                Piece(
                    f"create the schema {name.last}",
                    f"tables of the next release are in {name.last}.",
                    (call("op.execute", literal(f"CREATE SCHEMA IF NOT EXISTS {name.written}")),),
                    note=f"Rolling back leaves the schema {name.last}, which may be older than this script.",
                    rank=-2,
                )
            )
    return found
