"""The difference of two shapes, as values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nonstop.check.shapes.changes import (
    AddedColumn,
    AddedConstraint,
    AddedEnum,
    AddedEnumValue,
    AddedIndex,
    AddedPrimaryKey,
    AddedTable,
    Change,
    ChangedDefault,
    ChangedNullability,
    ChangedOther,
    ChangedView,
    DroppedColumn,
    DroppedConstraint,
    DroppedEnum,
    DroppedIndex,
    DroppedPrimaryKey,
    DroppedTable,
    RenamedTable,
    ReplacedColumn,
)
from nonstop.check.shapes.index import IndexShape
from nonstop.check.shapes.shape import CheckShape, ColumnShape, Constraint, Shape, TableShape


def difference(before: Shape, after: Shape) -> tuple[Change, ...]:
    """What has to be done to ``before`` for ``after``, in an order in which it can be done."""
    return (
        *_enums(before, after),
        *_tables(before, after),
        *(
            change
            for owner in sorted(before.tables.keys() & after.tables.keys(), key=repr)
            if before.tables[owner].is_partitioned == after.tables[owner].is_partitioned
            for change in _table(before.tables[owner], after.tables[owner])
        ),
        *(
            ChangedView(owner, before.views.get(owner, ""), after.views.get(owner, ""))
            for owner in sorted(before.views.keys() | after.views.keys(), key=repr)
            if before.views.get(owner) != after.views.get(owner)
        ),
        *(
            ChangedOther(before.others.get(one), after.others.get(one))
            for one in sorted(before.others.keys() | after.others.keys())
            if before.others.get(one) != after.others.get(one)
        ),
    )


def _enums(before: Shape, after: Shape) -> Iterator[Change]:
    for owner, values in after.enums.items():
        known = before.enums.get(owner)
        if known is None:
            yield AddedEnum(owner, values)
            continue
        for place, value in enumerate(values):
            if value not in known:
                following = next((later for later in values[place + 1 :] if later in known), "")
                yield AddedEnumValue(owner, value, values[place - 1] if place else "", following)
    for owner, values in before.enums.items():
        if owner not in after.enums:
            yield DroppedEnum(owner, values)


def _tables(before: Shape, after: Shape) -> Iterator[Change]:
    gone = {owner: table for owner, table in before.tables.items() if owner not in after.tables}
    new = [table for owner, table in after.tables.items() if owner not in before.tables]
    renamed = []
    for table in new:
        former = next((old for old in gone.values() if _columns(old) == _columns(table)), None)
        if former is not None:
            del gone[former.schema, former.name]
            renamed.append(RenamedTable(former, table))
    for table in parents_first([table for table in new if table not in [pair.after for pair in renamed]]):
        yield AddedTable(table)
    yield from renamed
    for table in reversed(parents_first(list(gone.values()))):
        yield DroppedTable(table)


def _columns(table: TableShape) -> list[tuple[object, ...]]:
    """What tells a renamed table: a default may name a sequence, which is renamed or not."""
    return [(column.name, column.type, column.nullable) for column in table.columns]


def parents_first(tables: list[TableShape]) -> list[TableShape]:
    """Tables that others of them refer to come before those."""
    ordered: list[TableShape] = []
    waiting = list(tables)
    while waiting:
        names = {(table.schema, table.name) for table in waiting}
        ready = [
            table
            for table in waiting
            if not any(
                (key.referred_schema, key.referred_table) in names - {(table.schema, table.name)}
                for key in table.foreign_keys
            )
        ] or waiting[:1]
        ordered += ready
        waiting = [table for table in waiting if table not in ready]
    return ordered


def _table(before: TableShape, after: TableShape) -> Iterator[Change]:
    """What differs in one table. What lies over a replaced column comes with it."""
    replaced = dict(_replaced(before, after))
    added = [
        column for column in after.columns if column.name not in replaced and not before.column(column.name)
    ]
    renamed_away = {old.name for old in replaced.values()}
    gone = [c for c in before.columns if c.name not in renamed_away and not after.column(c.name)]
    old_parts, new_parts = _parts(before), _parts(after)
    names = {old.name: new for new, old in replaced.items()}
    lost = [part for part in old_parts if _renamed(part, names) not in new_parts]
    kept = [_renamed(part, names) for part in old_parts]
    fresh = [part for part in new_parts if part not in kept]

    for name, old in replaced.items():
        new = after.column(name)
        assert new is not None
        yield ReplacedColumn(before, old, new, tuple(part for part in new_parts if name in _covered(part)))
    yield from (AddedColumn(before, column) for column in added)
    for old in before.columns:
        now = after.column(old.name)
        if now is not None and old.name not in replaced:
            if old.default != now.default:
                yield ChangedDefault(before, old, now)
            if old.nullable != now.nullable and not (
                after.primary_key and now.name in after.primary_key.columns
            ):
                yield ChangedNullability(before, now)
    yield from _primary_keys(before, after, names)
    yield from (_added(before, part) for part in fresh if not replaced.keys() & set(_covered(part)))
    yield from (_dropped(before, part) for part in lost if not renamed_away & set(_covered(part)))
    yield from (DroppedColumn(before, column) for column in gone)


def _replaced(before: TableShape, after: TableShape) -> Iterator[tuple[str, ColumnShape]]:
    """Pairs of a column's name now and what it was: another type, or in the same place another name."""
    for old, new in zip(before.columns, after.columns, strict=False):
        is_renamed = not after.column(old.name) and not before.column(new.name)
        if is_renamed and (old.type, old.nullable, old.default) == (new.type, new.nullable, new.default):
            yield new.name, old
    for old in before.columns:
        now = after.column(old.name)
        if now is not None and now.type != old.type:
            yield now.name, old


def _primary_keys(before: TableShape, after: TableShape, names: dict[str, str]) -> Iterator[Change]:
    old, new = before.primary_key, after.primary_key
    if (
        old is not None
        and new is not None
        and [names.get(name, name) for name in old.columns] == list(new.columns)
    ):
        return
    if old is not None:
        yield DroppedPrimaryKey(before, old)
    if new is not None:
        yield AddedPrimaryKey(before, new)


def _parts(table: TableShape) -> list[IndexShape | Constraint]:
    return [*table.uniques, *table.checks, *table.foreign_keys, *table.indexes]


def _covered(part: IndexShape | Constraint) -> tuple[str, ...]:
    """The columns that something lies over, as far as it names them."""
    if isinstance(part, IndexShape):
        return part.names
    return getattr(part, "columns", ())


def _renamed(part: IndexShape | Constraint, names: dict[str, str]) -> IndexShape | Constraint:
    """The same over the columns' new names."""
    if isinstance(part, IndexShape):
        keys, plain = (tuple(names.get(key, key) for key in keys) for keys in (part.keys, part.names))
        return replace(part, keys=keys, names=plain)
    if isinstance(part, CheckShape):
        return part
    return replace(part, columns=tuple(names.get(name, name) for name in part.columns))


def _added(table: TableShape, part: IndexShape | Constraint) -> Change:
    """Another thing of the same name gets a name of its own: until it is there, the former one does its work."""
    if part.name and part.name in {known.name for known in _parts(table)}:
        name = f"{part.name}_2"
        if isinstance(part, IndexShape):
            part = replace(part, text=part.text.replace(part.name, name, 1))
        part = replace(part, name=name)
    return AddedIndex(table, part) if isinstance(part, IndexShape) else AddedConstraint(table, part)


def _dropped(table: TableShape, part: IndexShape | Constraint) -> Change:
    return DroppedIndex(table, part) if isinstance(part, IndexShape) else DroppedConstraint(table, part)
