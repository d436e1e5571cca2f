"""A partition that is taken off its table, while others read and write both."""

from __future__ import annotations

from nonstop.check.corrections.pieces import Piece, Stage
from nonstop.check.corrections.render import call, literal, names, option, slug
from nonstop.check.corrections.verbs import NoCorrectionError, string
from nonstop.check.shapes.changes import ChangedOther
from nonstop.check.shapes.shape import Shape
from nonstop.databases.postgresql_reader import Reader


def changed(change: ChangedOther, before: Shape) -> Piece:
    """One that is detached. Raises NoCorrectionError for others: a new one reads what the default partition has, and this
    is not seen here."""
    former = change.before
    if former is None or change.after is not None:
        raise NoCorrectionError("a partition that is attached")
    siblings = [
        one for one in before.others.values() if one.kind == "partition" and one.table == former.table
    ]
    if any(one.definition.startswith("DEFAULT") for one in siblings):
        raise NoCorrectionError(f"{former.table} has a default partition: beside it none is detached online")
    partition, parent = former.name, former.table
    bound, _, condition = former.definition.partition("\n")
    known = Reader.of(partition).name()
    check, where = f"ck_{slug(known.last)}_bound", f"inhrelid = to_regclass({string(partition)})"
    schema = option("schema", known.schema)
    alter = f"ALTER TABLE {parent}"
    return Piece(
        f"detach {partition} from {parent}",
        f"no code looks for the rows of {partition} in {parent} any longer.",
        (
            "# A detachment that was broken off half-way is finished.",
            call(
                "op.execute",
                literal(f"{alter} DETACH PARTITION {partition} FINALIZE"),
                f"done_when={literal(f'SELECT NOT EXISTS (SELECT FROM pg_inherits WHERE {where} AND inhdetachpending)')}",
                f"tables={names([partition])}",
            ),
            "# The CHECK says what the bound says: on the way back no row is read under a lock.",
            call("op.add_check", literal(check), literal(known.last), literal(condition), schema),
            call(
                "op.execute",
                literal(f"{alter} DETACH PARTITION {partition} CONCURRENTLY"),
                f"done_when={literal(f'SELECT NOT EXISTS (SELECT FROM pg_inherits WHERE {where})')}",
                "in_transaction=False",
            ),
        ),
        (
            call(
                "op.execute",
                literal(f"{alter} ATTACH PARTITION {partition} {bound}"),
                f"done_when={literal(f'SELECT EXISTS (SELECT FROM pg_inherits WHERE {where})')}",
                f"tables={names([partition])}",
            ),
            call("op.drop_constraint", literal(check), literal(known.last), schema),
        ),
        Stage.WHEN_UNUSED,
        f"code that does without the rows of {partition} in {parent}",
        note=f"{partition} keeps its rows, as a table of its own.",
        loses=f"{partition} keeps its rows",
        is_contract=True,
    )
