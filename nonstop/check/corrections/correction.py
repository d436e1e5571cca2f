"""What to write instead of a script that was refused: whole scripts, made from what it did to a scratch database."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from textwrap import shorten

from nonstop.check.corrections import moves, others, pieces, swaps, tables, types_and_views, verbs
from nonstop.check.corrections import row_changes as rows
from nonstop.check.corrections.access import Access, access_of
from nonstop.check.corrections.left_out import is_left_out
from nonstop.check.corrections.pieces import Piece, Stage, both_ways
from nonstop.check.corrections.rebuilds import copies
from nonstop.check.corrections.references import stricter_references
from nonstop.check.corrections.render import Draft, call, literal, on_one_line, slug, written
from nonstop.check.corrections.row_changes import Filling
from nonstop.check.shapes import changes
from nonstop.check.shapes.difference import difference
from nonstop.check.shapes.shape import ForeignKeyShape, Shape
from nonstop.descriptions.promises import CorrectedScript, Correction
from nonstop.descriptions.scripts import Script


def corrected(
    script: Script,
    before: Shape,
    after: Shape,
    sent: Sequence[str],
    failing: Collection[str] = (),
) -> Correction | None:
    """The scripts that bring ``before`` to ``after`` without stopping anybody, and change the same rows as what was ``sent``;
    they tell which of it they leave out.

    ``failing`` are the tables on which running code fails afterwards. None where there is nothing to do, or nothing that
    could be said in a script.
    """
    if others.fires_in_vain(failing, before, after):
        return None
    sent = list(dict.fromkeys(sent))
    statements = [one for sql in sent if (one := rows.default_for_a_while(sql, after))]
    statements += [one for sql in sent for one in rows.read(sql, before)]
    copied = copies(sent, before, after)
    statements += [one for made in copied.values() for one in made or ()]
    statements = list(dict.fromkeys(statements))
    filling = rows.filling(statements, before, after)
    try:
        differing = difference(before, after)
        renamed = [change for change in differing if isinstance(change, changes.RenamedTable)]
        stricter = stricter_references(differing)
        found = [
            _in_time(piece, change, renamed, stricter)
            for change in differing
            for piece in _pieces(change, differing, before, after, filling)
        ]
        found += others.new_schemas(sent, before)
        inserted = {sql: piece for sql in sent if (piece := rows.insertion(sql, before, after))}
        found += [*inserted.values(), *rows.pieces(statements, before)]
    except verbs.NoCorrectionError:
        return None
    said = {*inserted, *(sql for sql, made in copied.items() if made is not None)}
    left_out = [sql for sql in sent if sql not in said and (sql in copied or is_left_out(sql, before, after))]
    return of_pieces(script, found, left_out) if found else None


def _pieces(
    change: changes.Change, differing: Sequence[changes.Change], before: Shape, after: Shape, filling: Filling
) -> list[Piece]:
    """What has to be done for one change."""
    match change:
        case changes.AddedColumn(table, column):
            return pieces.added_column(
                table, column, filling.get((table.schema, table.name, column.name), ())
            )
        case changes.DroppedColumn(table, column):
            return pieces.dropped_column(table, column)
        case changes.ReplacedColumn():
            return _replaced(change, differing, before)
        case changes.RenamedTable():
            return moves.renamed_table(change)
        case changes.ChangedDefault():
            return [pieces.changed_default(change)]
        case changes.ChangedNullability(table, column):
            return [pieces.changed_nullability(change, filling.get((table.schema, table.name, column.name)))]
        case changes.AddedTable(table):
            return [
                both_ways(
                    f"create {table.display}",
                    f"the release that comes next keeps something in {table.display}.",
                    tables.create_table(table),
                    [tables.drop_table(table)],
                )
            ]
        case changes.DroppedTable(table):
            return [pieces.dropped_table(table)]
        case changes.ChangedOther():
            return others.changed(change, before, after)
    return [_of_constraints(change) or types_and_views.changed(change, before.alters_in_place)]


def _replaced(
    change: changes.ReplacedColumn, differing: Sequence[changes.Change], before: Shape
) -> list[Piece]:
    if swaps.can_be_swapped(change, before):
        return swaps.swapped(change, differing, before)
    return moves.replaced_column(change, before.alters_in_place)


def _in_time(
    piece: Piece,
    change: changes.Change,
    renamed: Sequence[changes.RenamedTable],
    stricter: Collection[ForeignKeyShape],
) -> Piece:
    """A foreign key to a renamed table comes when that is filled, and then the one to the old table goes: from the next
    release on nobody writes that one. One that refuses what the old one let pass comes when code minds it."""
    match change:
        case changes.AddedConstraint(table, ForeignKeyShape() as key) | changes.DroppedConstraint(
            table, ForeignKeyShape() as key
        ):
            if key in stricter:
                first = f"code that deletes the rows of {table.display} itself before the {key.referred_table} of theirs"
                return replace(piece, stage=Stage.WHEN_UNUSED, deploy=first, is_contract=True)
            if key.referred_table in {
                name for pair in renamed for name in (pair.before.name, pair.after.name)
            }:
                return replace(piece, stage=Stage.WHEN_WRITTEN)
    return piece


def _of_constraints(change: changes.Change) -> Piece | None:
    match change:
        case changes.AddedIndex(table, index):
            return both_ways(
                f"create the index {index.name}",
                f"the next release looks for {table.display} by {', '.join(index.keys)}.",
                [verbs.create_index(table, index)],
                [verbs.drop_index(table, index)],
            )
        case changes.DroppedIndex(table, index):
            return both_ways(
                f"drop the index {index.name}",
                "no query needs it, and each write pays for it.",
                [verbs.drop_index(table, index)],
                [verbs.create_index(table, index)],
            )
        case changes.AddedConstraint(table, constraint):
            name = verbs.name_of(table, constraint)
            return both_ways(
                f"add {name} to {table.display}",
                "the database itself refuses rows that break it.",
                [verbs.add_constraint(table, constraint)],
                [verbs.drop_constraint(table, name)],
            )
        case changes.DroppedConstraint(table, constraint):
            return both_ways(
                f"drop {constraint.name} from {table.display}",
                "there are rows to come that would break it.",
                [verbs.drop_constraint(table, constraint.name)],
                [verbs.add_constraint(table, constraint)],
            )
        case changes.AddedPrimaryKey(table, key):
            name = key.name or f"{table.name}_pkey"
            optional = [name for name in key.columns if (column := table.column(name)) and column.nullable]
            return both_ways(
                f"give {table.display} the primary key {', '.join(key.columns)}",
                "each row can be named by it.",
                [verbs.add_primary_key(table, key)],
                [
                    *(verbs.on_column("drop_not_null", table, column) for column in reversed(optional)),
                    verbs.drop_constraint(table, name),
                ][::-1],
            )
        case changes.DroppedPrimaryKey(table, key):
            return both_ways(
                f"drop the primary key of {table.display}",
                "rows are named by something else.",
                [verbs.drop_constraint(table, key.name)],
                [verbs.add_primary_key(table, key)],
            )
    return None


# --- from pieces to scripts ----------------------------------------------------------------------------------


def of_pieces(script: Script, found: Sequence[Piece], left_out: Sequence[str] = ()) -> Correction:
    """The scripts that do all of ``found``, as many as there are deployments between them. The first one names the statements
    that are ``left_out``."""
    access = access_of(script.text)
    why = _reason(script.text)
    in_order = sorted(found, key=lambda piece: piece.rank)
    groups = [group for stage in Stage if (group := [piece for piece in in_order if piece.stage is stage])]
    names = [
        _name(script, group, is_only=len(groups) == 1, is_first=place == 0)
        for place, group in enumerate(groups)
    ]
    notes = [f"Left out, and yours to add: {shorten(sql, 300, placeholder=' …')}" for sql in left_out]
    scripts = []
    for place, (group, name) in enumerate(zip(groups, names, strict=True)):
        number = str(script.number + place).zfill(len(script.digits))
        text = _text(number, group, why if place == 0 else "", access, notes if place == 0 else ())
        scripts.append(CorrectedScript(f"{number}_{name}.py", text))
    between = tuple(_deployed(group) for group in groups[1:])
    return Correction(tuple(scripts), between if any(between) else ())


def _deployed(group: Iterable[Piece]) -> str:
    """What has to be deployed before the pieces of a script."""
    codes = list(dict.fromkeys(piece.deploy for piece in group if piece.deploy))
    return f"deploy {_listed(codes)}" if codes else ""


def _name(script: Script, group: Sequence[Piece], *, is_only: bool, is_first: bool) -> str:
    """The script's own name for what takes its place; the others are called after what they do."""
    if is_only or (is_first and len(group) > 1):
        return script.name
    return slug(group[0].does) + ("_and_more" if len(group) > 1 else "")


def _text(number: str, group: Sequence[Piece], why: str, access: Access, further: Sequence[str] = ()) -> str:
    deployed = _deployed(group)
    notes = [f"Before it: {deployed}."] if deployed else []
    notes += [*(piece.note for piece in group if piece.note), *further]
    losses = [piece.loses for piece in group if piece.loses]
    constants = ['phase = "contract"'] if any(piece.is_contract for piece in group) else []
    if losses:
        constants.append(f"discards_data = {on_one_line('; '.join(dict.fromkeys(losses)))}")
    reasons = list(dict.fromkeys(piece.why for piece in group))
    draft = Draft(
        f"Migration {number}: {_listed([piece.does for piece in group])}.",
        f"Why: {why or ' '.join([reasons[0], *(reason[:1].upper() + reason[1:] for reason in reasons[1:])])}",
        [line for piece in group for line in piece.apply if line],
        _way_back(group),
        list(dict.fromkeys(notes)),
        constants,
        list(dict.fromkeys(code for piece in group for code in piece.functions)),
    )
    return written(draft, access)


def _way_back(group: Sequence[Piece]) -> list[str]:
    """The lines of ``rollback``; a refusal where one of the pieces has no way back."""
    reasons = [piece.irreversible for piece in group if piece.irreversible]
    if reasons:
        return [call("op.irreversible", literal("; ".join(reasons)))]
    return [line for piece in reversed(group) for line in piece.rollback if line]


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _reason(source: str) -> str:
    """What the refused script's docstring says after ``Why:``, up to the end of the paragraph; empty without it."""
    docstring = ast.get_docstring(ast.parse(source)) or ""
    match = re.search(r"^\s*why:\s*(.+?)(?:\n\s*\n|\Z)", docstring, re.IGNORECASE | re.MULTILINE | re.DOTALL)
    return " ".join(match[1].split()) if match else ""
