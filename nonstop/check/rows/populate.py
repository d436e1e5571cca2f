"""Rows for the scratch databases of a script: a sample of the target's, where that was asked for, and made-up ones."""

from __future__ import annotations

from collections.abc import Sequence

from nonstop.check.rehearsal import Asked, Theatre
from nonstop.check.rows.filling import fill
from nonstop.check.rows.many import multiply
from nonstop.check.rows.sample import sample
from nonstop.databases import open_database
from nonstop.databases.rehearsal import Scratch


def some_rows(theatre: Theatre, scratch: Scratch, asked: Asked) -> None:
    """Make up a few rows in each table that has none."""
    with theatre.engine(scratch) as engine:
        fill(engine, open_database(scratch.url), ignored=asked.own)


def rows_for_both(theatre: Theatre, rows: Scratch, after: Scratch, asked: Asked) -> dict[str, str]:
    """Rows in each table of ``rows`` that suit the schema of ``after`` too, where that can be; by table, why they do not."""
    with (
        theatre.copy(after) as fitting,
        theatre.engine(rows) as engine,
        theatre.engine(fitting) as fits,
    ):
        if asked.sampled is not None:
            source = asked.sampled.engine()
            try:
                sample(source, engine, open_database(rows.url), ignored=asked.own)
            finally:
                source.dispose()
        return fill(engine, open_database(rows.url), fits, ignored=asked.own).unfit


def many_rows(
    theatre: Theatre, tables: Sequence[str], large: Scratch, after: Scratch, asked: Asked
) -> dict[str, int]:
    """Let each of ``tables`` in ``large`` have as many rows as were asked for, such as suit the schema of ``after`` too; how
    many each has then."""
    sizes: dict[str, int] = {}
    with theatre.engine(large) as engine, theatre.engine(after) as later:
        for table in tables:
            schema, _, name = table.rpartition(".")
            reached = multiply(engine, open_database(large.url), name, schema or None, asked.rows, later)
            if reached:
                sizes[table] = reached
    return sizes
