"""What would break code that is running the moment it happens: another name, another type. Old and new live side by side
until no code uses the old one."""

from __future__ import annotations

from dataclasses import replace

from nonstop.check.corrections import tables, verbs
from nonstop.check.corrections.batches import RowStatement, loop, qualified, quoted
from nonstop.check.corrections.pieces import Piece, Stage, bring_back, filled, no_key, relaxed
from nonstop.check.corrections.render import call, literal
from nonstop.check.corrections.verbs import NoCorrectionError
from nonstop.check.shapes.changes import RenamedTable, ReplacedColumn
from nonstop.check.shapes.index import IndexShape
from nonstop.check.shapes.shape import (
    CheckShape,
    ColumnShape,
    Constraint,
    ForeignKeyShape,
    KeyShape,
    TableShape,
)


def replaced_column(change: ReplacedColumn, alters_in_place: bool) -> list[Piece]:
    """Another name or type for a column: a new one beside it, filled, and the old one dropped in the end."""
    table, old, new = change.table, change.before, change.after
    if table.primary_key is not None and old.name in table.primary_key.columns:
        raise NoCorrectionError(f"{table.display}.{old.name} is (a part of) the key")
    if not change.is_renamed and alters_in_place and verbs.only_wider(old.type, new.type):
        return [_widened(table, old, new)]
    if not change.is_renamed:
        new = replace(new, name=f"new_{old.name}")
    was, now = f"{table.display}.{old.name}", f"{table.display}.{new.name}"
    why = (
        f"{was} becomes {now}. Code that is running asks for the old name: both are there until none does."
        if change.is_renamed
        else f"{was} becomes {new.type}, as {now}: to change the type in place, everybody would wait while each row is"
        " written anew."
    )
    optional = replace(new, nullable=True, default=None)
    add = Piece(
        f"add {now}",
        why,
        (verbs.add_column(table, verbs.whole(optional)),),
        (verbs.on_column("drop_column", table, new.name),),
    )
    drop = Piece(
        f"drop {was}",
        f"{now} has taken its place.",
        (
            *(taken_away(table, part) for part in _over(table, old.name)),
            verbs.on_column("drop_column", table, old.name),
        ),
        (
            *bring_back(table, replace(old, nullable=old.nullable or old.default is None)),
            *(made(table, part) for part in _over(table, old.name)),
        ),
        Stage.WHEN_UNUSED,
        f"code that uses {now} only",
        note="Rolling back brings the column back, empty.",
        loses=f"{now} has the same values",
        is_contract=True,
    )
    return [add, *_filled(change, new), drop]


def _filled(change: ReplacedColumn, new: ColumnShape) -> list[Piece]:
    """The new column gets what the old one has: values, what lies over it, default, NOT NULL."""
    table, old = change.table, change.before
    was, now = f"{table.display}.{old.name}", f"{table.display}.{new.name}"
    expression = quoted(old.name) if change.is_renamed else f"CAST({quoted(old.name)} AS {new.type})"
    there, functions = filled(table, new.name, expression)
    back: list[str] = []
    for part in change.belongings:
        copy = _copied(table, part, change.after.name, old.name, new.name)
        there.append(made(table, copy))
        back.append(taken_away(table, copy))
    if new.default is not None:
        there.append(verbs.set_default(table, new))
        back.append(verbs.on_column("drop_default", table, new.name))
    if not new.nullable:
        there.append(verbs.on_column("set_not_null", table, new.name))
        back.append(verbs.on_column("drop_not_null", table, new.name))
    filling = Piece(
        f"fill {now}",
        f"from here on {now} says what {was} says, in every row; code may read it.",
        tuple(there),
        tuple(reversed(back)),
        Stage.WHEN_WRITTEN,
        f"code that writes both {was} and {now}, and reads {was}",
        functions=functions,
        note=f"Rolling back leaves the values in {now}: they are copies.",
        is_contract=True,
    )
    needs_it = not old.nullable and old.default is None
    return [filling, relaxed(table, old, Stage.WHEN_WRITTEN)] if needs_it else [filling]


def _widened(table: TableShape, old: ColumnShape, new: ColumnShape) -> Piece:
    where = f"{table.display}.{new.name}"
    return Piece(
        f"let {where} be longer",
        f"what is to be kept in {where} does not fit into {old.type}.",
        verbs.set_type(table, new),
        verbs.set_type(table, old),
    )


def _over(table: TableShape, column: str) -> list[IndexShape | Constraint]:
    """The indexes and constraints of a table that name the column: SQLite does not drop one that is in use."""
    indexes: list[IndexShape | Constraint] = [part for part in table.indexes if column in part.names]
    constraints: list[KeyShape | ForeignKeyShape] = [*table.foreign_keys, *table.uniques]
    return [*indexes, *(part for part in constraints if part.name and column in part.columns)]


def _copied(
    table: TableShape, part: IndexShape | Constraint, now: str, old: str, new: str
) -> IndexShape | Constraint:
    """The same over the new column, under a name of its own as long as both are there."""
    taken = part.name
    name = taken.replace(old, new) if old in taken and old != new else f"{taken}_{new}"
    if isinstance(part, IndexShape):
        keys, plain = (tuple(new if key == now else key for key in keys) for keys in (part.keys, part.names))
        return replace(part, name=name, keys=keys, names=plain, text="")
    if isinstance(part, CheckShape):
        return part
    return replace(part, name=name, columns=tuple(new if key == now else key for key in part.columns))


def made(table: TableShape, part: IndexShape | Constraint) -> str:
    return (
        verbs.create_index(table, part) if isinstance(part, IndexShape) else verbs.add_constraint(table, part)
    )


def taken_away(table: TableShape, part: IndexShape | Constraint) -> str:
    if isinstance(part, IndexShape):
        return verbs.drop_index(table, part)
    return verbs.drop_constraint(table, part.name)


def renamed_table(change: RenamedTable) -> list[Piece]:
    """Another name for a table: a new one beside it, filled, and the old one dropped in the end."""
    old, new = change.before, _with_names_of_its_own(change.before, change.after)
    was, now = old.display, new.display
    create = Piece(
        f"create {now}",
        f"{was} becomes {now}. Code that is running asks for the old name: both are there until none does.",
        tuple(tables.create_table(new)),
        (tables.drop_table(new),),
    )
    there, functions = _copy_lines(old, new)
    fill_it = Piece(
        f"fill {now}",
        f"from here on {now} has every row that {was} has; code may read it.",
        tuple(there),
        (),
        Stage.WHEN_WRITTEN,
        f"code that writes both {was} and {now}, and reads {was}",
        functions=functions,
        note=f"Rolling back leaves the rows in {now}: they are copies.",
        is_contract=True,
    )
    drop = Piece(
        f"drop {was}",
        f"{now} has taken its place.",
        (tables.drop_table(old),),
        tuple(tables.create_table(old)),
        Stage.WHEN_UNUSED,
        f"code that uses {now} only",
        note="Rolling back brings the table back, empty.",
        loses=f"{now} has the same rows",
        is_contract=True,
        rank=1,
    )
    return [create, fill_it, drop]


def _copy_lines(old: TableShape, new: TableShape) -> tuple[list[str], tuple[str, ...]]:
    columns = ", ".join(quoted(column.name) for column in new.columns if not column.computed)
    head = f"INSERT INTO {qualified(new)} ({columns}) SELECT {columns} FROM {qualified(old)} AS old"
    if not old.key:
        sql = f"{head} WHERE NOT EXISTS (SELECT 1 FROM {qualified(new)})"
        return [no_key(old), call("op.execute", literal(sql))], ()
    same = " AND ".join(f"new.{quoted(column)} = old.{quoted(column)}" for column in old.key)
    missing = f"NOT EXISTS (SELECT 1 FROM {qualified(new)} AS new WHERE {same})"
    statement = RowStatement("insert", old.schema, old.name, "old", head, missing, is_joined=True)
    name, code = loop(f"copy {old.display} to {new.display}", old, statement)
    lines = [f"{name}()"]
    for column in new.columns:
        if verbs.sequence_of(column) is not None or column.identity:
            sequence = f"pg_get_serial_sequence('{qualified(new)}', '{column.name}')"
            sql = f"SELECT setval({sequence}, max({quoted(column.name)})) FROM {qualified(new)}"
            lines.append(call("op.execute", literal(sql)))
    return lines, (code,)


def _with_names_of_its_own(old: TableShape, new: TableShape) -> TableShape:
    """As long as both tables are there, what belongs to them needs two names."""
    parts: list[IndexShape | Constraint] = [*old.indexes, *old.uniques, *old.checks, *old.foreign_keys]
    taken = {part.name for part in parts}

    def fresh(name: str) -> str:
        if not name or name not in taken:
            return name
        return name.replace(old.name, new.name) if old.name in name else f"{new.name}_{name}"

    key = new.primary_key
    return replace(
        new,
        primary_key=KeyShape("", key.columns) if key else None,
        uniques=tuple(replace(part, name=fresh(part.name)) for part in new.uniques),
        checks=tuple(replace(part, name=fresh(part.name)) for part in new.checks),
        foreign_keys=tuple(replace(part, name=fresh(part.name)) for part in new.foreign_keys),
        indexes=tuple(
            replace(part, name=fresh(part.name), text=part.text.replace(part.name, fresh(part.name), 1))
            for part in new.indexes
        ),
    )
