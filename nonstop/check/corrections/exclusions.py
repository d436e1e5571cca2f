"""Exclusion constraints: one that keeps apart what is equal is a uniqueness, which can be had online."""

from __future__ import annotations

from nonstop.check.corrections import verbs
from nonstop.check.corrections.pieces import Piece
from nonstop.check.corrections.verbs import NoCorrectionError
from nonstop.check.shapes.changes import ChangedOther
from nonstop.check.shapes.shape import KeyShape, Shape
from nonstop.databases.postgresql_reader import Reader
from nonstop.databases.postgresql_tokens import Sort


def changed(change: ChangedOther, before: Shape) -> Piece:
    """A new one as a uniqueness of the same columns: "If all of the specified operators test for equality, this is
    equivalent to a UNIQUE constraint" (PostgreSQL manual, "CREATE TABLE").

    Raises NoCorrectionError for any other: it reads the whole table under a lock, and has no other form.
    """
    new = change.after
    if new is None or change.before is not None:
        raise NoCorrectionError("an exclusion constraint that goes, or is another one")
    owner, columns = Reader.of(new.table).name(), _of_equality(new.definition)
    table = before.table_called(owner.schema, owner.last)
    if table is None or not columns:
        raise NoCorrectionError("an exclusion constraint can't be made by statements that block nobody")
    name = Reader.of(new.name).name().last
    return Piece(
        f"make {', '.join(columns)} unique in {table.display}",
        "the database itself refuses rows that break it.",
        (verbs.add_constraint(table, KeyShape(name, columns)),),
        (verbs.drop_constraint(table, name),),
        note=f"{name} is a uniqueness instead of an exclusion constraint: it forbids the same, and can be had beside writers.",
    )


def _of_equality(definition: str) -> tuple[str, ...]:
    """The columns of ``EXCLUDE USING gist (a WITH =, b WITH =)``; none where it says anything else."""
    reader, columns = Reader.of(definition), []
    if not reader.accept("exclude using"):
        return ()
    reader.name()
    for clause in reader.brackets().clauses():
        columns.append(clause.name().last)
        if not (columns[-1] and clause.accept("with") and clause.source().strip() == "="):
            return ()
    return tuple(columns) if reader.peek().sort is Sort.END else ()
