"""Enumerated types and views: made at once, dropped when no code uses them."""

from __future__ import annotations

from nonstop.check.corrections import tables
from nonstop.check.corrections.pieces import Piece, Stage, both_ways
from nonstop.check.corrections.render import literal
from nonstop.check.shapes import changes


def changed(change: changes.Change, alters_in_place: bool) -> Piece:
    """A piece for one change of a type or a view."""
    match change:
        case changes.AddedEnum(owner, values):
            why = f"columns to come hold one of: {', '.join(values)}."
            does, there, back = (
                f"create the type {owner[1]}",
                tables.create_enum(owner, values),
                tables.drop_enum(owner),
            )
            return both_ways(does, why, [there], [back])
        case changes.DroppedEnum(owner, values):
            return Piece(
                f"drop the type {owner[1]}",
                "no column is of it any longer.",
                (tables.drop_enum(owner),),
                (tables.create_enum(owner, values),),
                Stage.WHEN_UNUSED,
                f"code that no longer uses the type {owner[1]}",
                is_contract=True,
                rank=2,
            )
        case changes.AddedEnumValue(owner, value, following, preceding):
            return _enum_value(owner, value, following, preceding)
        case changes.ChangedView(owner, was, now):
            return _view(owner, was, now, alters_in_place)
    raise AssertionError(change)


def _enum_value(owner: tuple[str | None, str], value: str, after: str, before: str) -> Piece:
    place = f", before={literal(before)}" if before else ""
    schema = f", schema={literal(owner[0])}" if owner[0] else ""
    return both_ways(
        f"add {value} to the type {owner[1]}",
        f"the next release writes {value}. The database can't take a value back: rolling back leaves it.",
        [f"op.add_enum_value({literal(owner[1])}, {literal(value)}{place}{schema})"],
        [],
    )


def _view(owner: tuple[str | None, str], was: str, now: str, alters_in_place: bool) -> Piece:
    if not now:
        return Piece(
            f"drop the view {owner[1]}",
            "no query asks for it any longer.",
            (tables.drop_view(owner),),
            (tables.create_view(owner, was, alters_in_place),),
            Stage.WHEN_UNUSED,
            f"code that no longer uses the view {owner[1]}",
            is_contract=True,
            rank=-1,
        )
    there = [tables.create_view(owner, now, alters_in_place)]
    back = [tables.create_view(owner, was, alters_in_place)] if was else [tables.drop_view(owner)]
    if was and not alters_in_place:
        there, back = [tables.drop_view(owner), *there], [tables.drop_view(owner), *back]
    return both_ways(f"define the view {owner[1]}", "the next release asks for it.", there, back)
