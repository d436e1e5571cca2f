"""What two shapes can differ in, as values: what a script added, changed and took away."""

from __future__ import annotations

from dataclasses import dataclass

from nonstop.check.shapes.index import IndexShape
from nonstop.check.shapes.shape import ColumnShape, Constraint, KeyShape, OtherShape, Owner, TableShape


@dataclass(frozen=True, slots=True)
class AddedTable:
    table: TableShape


@dataclass(frozen=True, slots=True)
class DroppedTable:
    table: TableShape


@dataclass(frozen=True, slots=True)
class RenamedTable:
    """A table that is gone, and one that is new with the same columns."""

    before: TableShape
    after: TableShape


@dataclass(frozen=True, slots=True)
class AddedColumn:
    """``table`` is the table as it was before."""

    table: TableShape
    column: ColumnShape


@dataclass(frozen=True, slots=True)
class DroppedColumn:
    table: TableShape
    column: ColumnShape


@dataclass(frozen=True, slots=True)
class ReplacedColumn:
    """A column that has another name, or another type; ``belongings`` are the indexes and constraints over it, afterwards."""

    table: TableShape
    before: ColumnShape
    after: ColumnShape
    belongings: tuple[IndexShape | Constraint, ...] = ()

    @property
    def is_renamed(self) -> bool:
        return self.before.name != self.after.name


@dataclass(frozen=True, slots=True)
class ChangedDefault:
    """Also one that is new, or gone (``after.default`` is None)."""

    table: TableShape
    before: ColumnShape
    after: ColumnShape


@dataclass(frozen=True, slots=True)
class ChangedNullability:
    table: TableShape
    column: ColumnShape


@dataclass(frozen=True, slots=True)
class AddedPrimaryKey:
    table: TableShape
    key: KeyShape


@dataclass(frozen=True, slots=True)
class DroppedPrimaryKey:
    table: TableShape
    key: KeyShape


@dataclass(frozen=True, slots=True)
class AddedConstraint:
    """A uniqueness, a check or a foreign key."""

    table: TableShape
    constraint: Constraint


@dataclass(frozen=True, slots=True)
class DroppedConstraint:
    table: TableShape
    constraint: Constraint


@dataclass(frozen=True, slots=True)
class AddedIndex:
    table: TableShape
    index: IndexShape


@dataclass(frozen=True, slots=True)
class DroppedIndex:
    table: TableShape
    index: IndexShape


@dataclass(frozen=True, slots=True)
class AddedEnum:
    owner: Owner
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DroppedEnum:
    owner: Owner
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AddedEnumValue:
    """``after`` is the value before it, empty where it comes first."""

    owner: Owner
    value: str
    after: str
    before: str


@dataclass(frozen=True, slots=True)
class ChangedView:
    """``before`` is empty for a new view, ``after`` for one that is gone."""

    owner: Owner
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangedOther:
    """A trigger, a function, a sequence: ``before`` is None for a new one, ``after`` for one that is gone."""

    before: OtherShape | None
    after: OtherShape | None


Change = (
    AddedTable
    | DroppedTable
    | RenamedTable
    | AddedColumn
    | DroppedColumn
    | ReplacedColumn
    | ChangedDefault
    | ChangedNullability
    | AddedPrimaryKey
    | DroppedPrimaryKey
    | AddedConstraint
    | DroppedConstraint
    | AddedIndex
    | DroppedIndex
    | AddedEnum
    | DroppedEnum
    | AddedEnumValue
    | ChangedView
    | ChangedOther
)
