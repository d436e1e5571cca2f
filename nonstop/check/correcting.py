"""What to write instead of a refused script: found in what the script did, or was to do where it fails."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from sqlalchemy.exc import DBAPIError

from nonstop import scripts
from nonstop.check.corrections import otherwise
from nonstop.check.corrections.batches import qualified
from nonstop.check.corrections.correction import corrected
from nonstop.check.observations import Observations
from nonstop.check.rehearsal import Asked, Theatre
from nonstop.check.rows.populate import rows_for_both
from nonstop.check.running_code.matrix import matrix
from nonstop.check.shapes.shape import Shape, shape_of
from nonstop.databases import open_database
from nonstop.databases.rehearsal import Scratch
from nonstop.descriptions.promises import Correction, Promise, Verdict
from nonstop.descriptions.scripts import Direction, Script


def of_refused(
    theatre: Theatre, seen: Observations, verdicts: Sequence[Verdict], base: Scratch, after: Scratch, asked: Asked
) -> Correction | None:  # fmt: skip
    """Instead of a script that brings ``base`` to ``after`` and breaks promises; None where nothing is known."""
    on_many_rows = seen.measured[0].ran.outcome if seen.measured else None
    sent = [record.sql for record in (on_many_rows.statements if on_many_rows else seen.statements)]
    shapes = _shape(theatre, base, asked), _shape(theatre, after, asked)
    found = corrected(seen.script, *shapes, sent, seen.failing)
    if found is not None:
        return _with_deployment(theatre, seen, found, base, after, asked)
    if [verdict.promise for verdict in verdicts if verdict.holds is False] == [Promise.DOCUMENTED]:
        return otherwise.documented(seen.script, [fact.text for fact in verdicts[0].evidence])
    return otherwise.online(seen.script, seen.on_schema.outcome.allowed if seen.on_schema.outcome else ())


def of_failed(theatre: Theatre, script: Script, base: Scratch, asked: Asked) -> Correction | None:
    """Instead of a script that fails on ``base``: made from what it was to do, which shows on empty tables where each of its
    statements is committed by itself. None where it fails even so."""
    with theatre.copy(base) as scratch:
        before = _shape(theatre, scratch, asked)
        _empty(theatre, scratch, before)
        ran = theatre.try_out(scratch, script)
        if not ran.succeeded or ran.outcome is None:
            return None
        sent = [record.sql for record in ran.outcome.statements]
        return corrected(script, before, _shape(theatre, scratch, asked), sent)


def _empty(theatre: Theatre, scratch: Scratch, shape: Shape) -> None:
    """Take the rows away that came along in a copy of a file, where foreign keys are not looked at; a trigger may keep some."""
    with theatre.engine(scratch) as engine, engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        for table in shape.tables.values():
            with suppress(DBAPIError):
                connection.exec_driver_sql(f"DELETE FROM {qualified(table)}")


def _with_deployment(
    theatre: Theatre, seen: Observations, correction: Correction, base: Scratch, after: Scratch, asked: Asked
) -> Correction:  # fmt: skip
    """What the code that runs can't live with whoever writes the script is to be deployed first: try it."""
    if asked.old is None or not any(fact.breaks for fact in seen.running_code or ()):
        return correction
    folder = theatre.ground.folder / f"correction_{seen.script.number}"
    folder.mkdir(exist_ok=True)
    path = folder / correction.scripts[0].file
    path.write_text(correction.scripts[0].text, encoding="utf-8")
    elsewhere = replace(theatre, setting=theatre.setting._replace(folder=folder))
    with theatre.copy(base) as before:
        rows_for_both(theatre, before, after, asked)
        with theatre.copy(before) as applied:
            ran = elsewhere.run(applied, scripts.read(path), Direction.APPLY)
            if ran is None or not ran.succeeded:
                return correction
            met, _ = matrix(elsewhere, asked.old, None, before, applied)
    breaking = [] if isinstance(met, str) else [fact.text for fact in met.away if fact.breaks]
    if not breaking:
        return correction
    return correction._replace(first=f"code that can live with it ({'; '.join(breaking[:3])})")


def _shape(theatre: Theatre, scratch: Scratch, asked: Asked) -> Shape:
    with theatre.engine(scratch) as engine, engine.connect() as connection:
        return shape_of(open_database(scratch.url), connection, asked.own)
