"""What to write instead of a script that changes no table's shape: the online form of its statements, or a docstring."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nonstop.check.corrections.correction import of_pieces
from nonstop.check.corrections.pieces import Piece
from nonstop.check.corrections.render import call, literal
from nonstop.descriptions.promises import CorrectedScript, Correction
from nonstop.descriptions.results import AllowedToBlock
from nonstop.descriptions.scripts import Script


def online(script: Script, blocking: Sequence[AllowedToBlock]) -> Correction | None:
    """The statements in the form that blocks nobody; None where one of them has none that could be sent as it is."""
    said = [one.correction.partition("--") for one in blocking]
    forms = [form.strip().rstrip(";") for form, _, _ in said]
    if not forms or not all(forms) or any("\n" in form or "…" in form or "(" in form for form in forms):
        return None
    sent = [call("op.execute", literal(form), "in_transaction=False") for form in forms]
    why = "it is done while readers and writers go on."
    note = " ".join(
        f"{form}: {remark.strip()}." for form, (_, _, remark) in zip(forms, said, strict=True) if remark
    )
    return of_pieces(script, [Piece(f"run {', '.join(forms)}", why, tuple(sent), note=note)])


def documented(script: Script, changes: Sequence[str]) -> Correction:
    """The same script with a docstring that says what it changes; why is for its author to say."""
    title = f"Migration {script.digits}: {script.name.replace('_', ' ')}."
    what = f"It {'; '.join(changes)}." if changes else "It changes rows, or what belongs to no table's shape."
    docstring = f'"""\n{title}\n\n{what}\n\nWhy: …\n"""\n'
    lines = script.text.splitlines(keepends=True)
    body = ast.parse(script.text).body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        del lines[body[0].lineno - 1 : body[0].end_lineno]
    first = 1 if lines and lines[0].startswith("#!") else 0
    text = "".join([*lines[:first], docstring, *lines[first:]])
    return Correction((CorrectedScript(script.path.name, text),))
