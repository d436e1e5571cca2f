"""Foreign keys as SQL: taken off a table for an instant, put back without a look at its rows, and validated afterwards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from nonstop.check.corrections.batches import qualified, quoted
from nonstop.check.corrections.render import call, literal, option
from nonstop.check.shapes import changes
from nonstop.check.shapes.shape import LETS_DELETE, ForeignKeyShape, Shape, TableShape


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key with its table."""

    table: TableShape
    key: ForeignKeyShape

    @property
    def tables(self) -> tuple[str, str]:
        """Both tables, as in SQL; what is done to the key locks both."""
        return qualified(self.table), self._referred

    @property
    def _referred(self) -> str:
        return qualified(TableShape(self.key.referred_table, self.key.referred_schema, ()))

    @property
    def is_gone(self) -> str:
        return f"ALTER TABLE {qualified(self.table)} DROP CONSTRAINT {quoted(self.key.name)}"

    @property
    def is_there(self) -> str:
        """For rows that come; those that are there are not looked at."""
        key = self.key
        columns, targets = (", ".join(map(quoted, some)) for some in (key.columns, key.referred_columns))
        return (
            f"ALTER TABLE {qualified(self.table)} ADD CONSTRAINT {quoted(key.name)} FOREIGN KEY ({columns})"
            f" REFERENCES {self._referred} ({targets})"
            f" ON DELETE {key.on_delete} ON UPDATE {key.on_update}{key.timing} NOT VALID"
        )

    @property
    def is_validated(self) -> str:
        """As a call of ``op``: it reads the rows beside readers and writers."""
        table = self.table
        schema = option("schema", table.schema)
        return call("op.validate_constraint", literal(self.key.name), literal(table.name), schema)


def references(table: TableShape, columns: Collection[str], shape: Shape) -> list[Reference]:
    """The foreign keys that one of the table's columns is in, at either end."""

    def is_in(other: TableShape, key: ForeignKeyShape) -> bool:
        at_end = _refers(key, table) and not set(columns).isdisjoint(key.referred_columns)
        return at_end or (other == table and not set(columns).isdisjoint(key.columns))

    return [one for one in _all(shape) if is_in(one.table, one.key)]


def references_to(table: TableShape, shape: Shape) -> list[Reference]:
    """The foreign keys whose rows refer to those of the table."""
    return [one for one in _all(shape) if _refers(one.key, table)]


def stricter_references(differing: Sequence[changes.Change]) -> list[ForeignKeyShape]:
    """Foreign keys that let a row be deleted and did something with those that refer to it, and the ones in their place that
    refuse it."""
    gone, new = (
        [(one.table.display, one.constraint) for one in differing if isinstance(one, kind)]
        for kind in (changes.DroppedConstraint, changes.AddedConstraint)
    )
    return [
        key
        for table, old in gone
        for other, stricter in new
        if isinstance(old, ForeignKeyShape) and isinstance(stricter, ForeignKeyShape) and table == other
        if old.columns == stricter.columns and _target(old) == _target(stricter)
        if old.on_delete in LETS_DELETE and stricter.on_delete not in LETS_DELETE
        for key in (old, stricter)
    ]


def _target(key: ForeignKeyShape) -> tuple[str | None, str, tuple[str, ...]]:
    return key.referred_schema, key.referred_table, key.referred_columns


def _all(shape: Shape) -> list[Reference]:
    return [Reference(table, key) for table in shape.tables.values() for key in table.foreign_keys]


def _refers(key: ForeignKeyShape, table: TableShape) -> bool:
    return (key.referred_schema, key.referred_table) == (table.schema, table.name)
