"""What has to be done for one change of the schema, without stopping anybody: pieces of scripts to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from textwrap import indent

from nonstop.check.corrections import tables, verbs
from nonstop.check.corrections.batches import fill, qualified, quoted
from nonstop.check.corrections.render import ENGINE, call, literal
from nonstop.check.shapes import changes
from nonstop.check.shapes.shape import ColumnShape, TableShape


class Stage(IntEnum):
    """When a piece can be run; each is a script, and between two of them code is deployed."""

    NOW = 0
    ROWS = 1
    """At once too, but in a script that has no way back."""
    WHEN_WRITTEN = 2
    WHEN_UNUSED = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """``does`` and ``why`` are for the docstring, ``deploy`` is what has to be deployed before it.

    ``functions`` are whole functions that ``apply`` calls. ``loses`` says which data goes, and why that is right.
    ``irreversible`` says why there is no way back. ``is_contract``: the script takes away what was there, or its data can't be brought back.
    """

    does: str
    why: str
    apply: tuple[str, ...]
    rollback: tuple[str, ...] = ()
    stage: Stage = Stage.NOW
    deploy: str = ""
    functions: tuple[str, ...] = ()
    note: str = ""
    irreversible: str = ""
    loses: str = ""
    is_contract: bool = False
    rank: int = 0
    """Among the pieces of one script: what others stand on goes after them."""

    def at(self, rank: int) -> Piece:
        """The same in another place."""
        return replace(self, rank=rank)


Filling = tuple[tuple[str, str], ...]
"""Functions that give a new column its values, each its name and code: the UPDATEs that the script had sent."""


def added_column(table: TableShape, column: ColumnShape, filling: Filling = ()) -> list[Piece]:
    """A new column: at once where nobody waits for it, else empty first."""
    where = f"{table.display}.{column.name}"
    add = Piece(
        f"add {where}",
        f"the release that comes next keeps something in {where}.",
        (verbs.add_column(table, verbs.whole(column)) if not verbs.differs_by_row(column) else "",),
        (verbs.on_column("drop_column", table, column.name),),
        functions=tuple(code for _, code in filling),
    )
    calls = tuple(f"{name}()" for name, _ in filling)
    if column.computed:
        return _written_by_code(table, column, add)
    if verbs.differs_by_row(column):
        return [_numbered_by_row(table, column, add)]
    if column.nullable or column.default is not None:
        return [replace(add, apply=(*add.apply, *calls))]
    optional = verbs.add_column(table, verbs.described(column))
    require = Piece(
        f"require {where}",
        f"from the release on that writes {where} a row without it would be a mistake.",
        (*calls, verbs.on_column("set_not_null", table, column.name)),
        (verbs.on_column("drop_not_null", table, column.name),),
        Stage.WHEN_WRITTEN,
        f"code that always writes {where}",
        functions=tuple(code for _, code in filling),
        note=""
        if filling
        else f"Rows that have no {column.name} by then have to get one first: it says how many there are.",
    )
    return [replace(add, apply=(optional, *calls)), require]


def add_unless_there(table: TableShape, column: ColumnShape) -> str:
    """A column that gets its default afterwards; with it, the verb would take it for another one."""
    schema = f", schema={literal(table.schema)}" if table.schema else ""
    look = f"inspect({ENGINE}).get_columns({literal(table.name)}{schema})"
    added = indent(verbs.add_column(table, verbs.described(column)), "    ")
    return f'if {literal(column.name)} not in {{column["name"] for column in {look}}}:\n{added}'


def _numbered_by_row(table: TableShape, column: ColumnShape, add: Piece) -> Piece:
    """A value that differs from row to row: empty, then as a default for new rows, then in batches for the old ones."""
    note = ""
    if column.identity:
        sequence = f"{table.name}_{column.name}_seq"
        column = replace(column, default=f"nextval('{sequence}')")
        note = "The numbers come from a sequence: an identity can't be given to rows that are there without locking them all."
    default = verbs.default_of(column) or ""
    apply = [add_unless_there(table, column)]
    if verbs.sequence_of(column) is not None:
        apply.append(verbs.create_sequence(table, column))
    apply.append(verbs.set_default(table, column))
    fill_it, functions = filled(table, column.name, default)
    apply += fill_it
    if not column.nullable:
        apply.append(verbs.on_column("set_not_null", table, column.name))
    return replace(add, apply=tuple(apply), functions=functions, note=note)


def _written_by_code(table: TableShape, column: ColumnShape, add: Piece) -> list[Piece]:
    """A computed column can't be added without writing every row: code writes it instead."""
    where = f"{table.display}.{column.name}"
    fill_it, functions = filled(table, column.name, column.computed)
    later = Piece(
        f"fill {where}",
        "the rows that are there are filled beside the code that runs.",
        tuple(fill_it),
        stage=Stage.WHEN_WRITTEN,
        deploy=f"code that always writes {where} ({column.computed})",
        functions=functions,
        note="Rolling back leaves the values where they are: they are worked out from other columns.",
        is_contract=True,
    )
    return [replace(add, apply=(verbs.add_column(table, verbs.described(column)),)), later]


def filled(table: TableShape, column: str, expression: str) -> tuple[list[str], tuple[str, ...]]:
    """The lines that fill a column, and the functions that they call."""
    if table.key:
        name, code = fill(table, column, expression)
        return [f"{name}()"], (code,)
    sql = f"UPDATE {qualified(table)} SET {quoted(column)} = {expression} WHERE {quoted(column)} IS NULL"
    return [no_key(table), call("op.execute", literal(sql))], ()


def no_key(table: TableShape) -> str:
    """Advice, where rows can't be told apart."""
    return (
        f"# {table.display} has no key to go by in batches: this is one statement for all rows.\n"
        "# Give the table a primary key first (op.add_primary_key), or run this when nobody uses it."
    )


def dropped_column(table: TableShape, column: ColumnShape) -> list[Piece]:
    """A column that goes: once no code uses it, and optional before that, if new code could not insert without it."""
    where = f"{table.display}.{column.name}"
    back = bring_back(table, column)
    drop = Piece(
        f"drop {where}",
        f"no code uses {where} any longer.",
        (verbs.on_column("drop_column", table, column.name),),
        back,
        Stage.WHEN_UNUSED,
        f"code that no longer uses {where}",
        note="Rolling back brings the column back, empty.",
        loses=f"no code has used {where} since the release before this script",
        is_contract=True,
    )
    if column.nullable or (column.default is not None and not verbs.differs_by_row(column)):
        return [drop]
    return [relaxed(table, column), drop]


def relaxed(table: TableShape, column: ColumnShape, stage: Stage = Stage.NOW) -> Piece:
    """A column that has to be there gets optional: code that does not write it can insert."""
    where = f"{table.display}.{column.name}"
    return Piece(
        f"make {where} optional",
        f"code that no longer uses {where} inserts rows without it.",
        (verbs.on_column("drop_not_null", table, column.name),),
        (verbs.on_column("set_not_null", table, column.name),),
        stage,
    )


def bring_back(table: TableShape, column: ColumnShape) -> tuple[str, ...]:
    """The lines of a rollback that make a dropped column anew, empty."""
    if column.computed or column.identity:
        reason = f"to bring {table.display}.{column.name} back every row would be written anew under a lock"
        return (f"op.irreversible({literal(reason)})",)
    if not verbs.differs_by_row(column):
        can_be_required = column.default is not None
        return (
            verbs.add_column(
                table, verbs.whole(replace(column, nullable=column.nullable or not can_be_required))
            ),
        )
    sequence = (verbs.create_sequence(table, column),) if verbs.sequence_of(column) else ()
    return (add_unless_there(table, column), *sequence, verbs.set_default(table, column))


def changed_default(change: changes.ChangedDefault) -> Piece:
    """A default that is new or another one; one that goes has to wait for the code."""
    table, before, after = change.table, change.before, change.after
    where = f"{table.display}.{after.name}"
    if after.default is not None:
        return Piece(
            f"set the default of {where}",
            f"rows that are inserted without {after.name} get another value from now on.",
            (verbs.set_default(table, after),),
            (verbs.default_before(table, before),),
        )
    return Piece(
        f"drop the default of {where}",
        f"all code names {after.name} when it inserts.",
        (verbs.on_column("drop_default", table, after.name),),
        (verbs.set_default(table, before),),
        Stage.WHEN_UNUSED,
        f"code that always writes {where}",
        is_contract=True,
    )


def changed_nullability(
    change: changes.ChangedNullability, filling: Sequence[tuple[str, str]] | None
) -> Piece:
    """``filling`` are the functions that give the column its values: once more, when code writes it. None: nothing does."""
    table, column = change.table, change.column
    where = f"{table.display}.{column.name}"
    drop, require = (verbs.on_column(verb, table, column.name) for verb in ("drop_not_null", "set_not_null"))
    if column.nullable:
        return Piece(
            f"make {where} optional", f"there are rows that have no {column.name}.", (drop,), (require,)
        )
    code = f"code that always writes {where}"
    piece = Piece(
        f"require {where}",
        f"a row without {column.name} would be a mistake.",
        (*(f"{name}()" for name, _ in filling or ()), require),
        (drop,),
        functions=tuple(text for _, text in filling or ()),
    )
    if filling is None:
        return replace(piece, note=f"Before it: deploy {code}.")
    return replace(piece, stage=Stage.WHEN_WRITTEN, deploy=code)


def dropped_table(table: TableShape) -> Piece:
    return Piece(
        f"drop {table.display}",
        f"no code uses {table.display} any longer.",
        (tables.drop_table(table),),
        tuple(tables.create_table(table)),
        Stage.WHEN_UNUSED,
        f"code that no longer uses {table.display}",
        note="Rolling back brings the table back, empty.",
        loses=f"no code has used {table.display} since the release before this script",
        is_contract=True,
        rank=1,
    )


def both_ways(does: str, why: str, there: Sequence[str], back: Sequence[str]) -> Piece:
    """A piece that is done at once, and undone by its inverse."""
    return Piece(does, why, tuple(there), tuple(back))
