"""ALTER TABLE … ADD CONSTRAINT: which ones are added at once, in two steps, or only by blocking."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nonstop.databases.postgresql_names import check_addition, chosen_name, op
from nonstop.databases.postgresql_reader import Reader
from nonstop.databases.postgresql_tokens import Name, quoted
from nonstop.descriptions.operations import LockClass
from nonstop.descriptions.statements import Condition, Fact, Kind, Need, Reach

# Inside the constraint's attributes: nothing is read now.
NOTHING_TO_READ = ("not valid", "not enforced")


@dataclass(frozen=True, slots=True)
class Constraint:
    """A table's constraint in an ALTER TABLE. ``start`` and ``end`` are where its definition is in the text."""

    need: Need
    name: str
    written: str
    is_named: bool
    is_foreign_key: bool
    start: int
    end: int

    @classmethod
    def read(cls, reader: Reader, table: Name) -> Constraint:
        """``reader`` is one action, ADD and what follows."""
        reader.position = 1
        name = reader.name() if reader.accept("constraint") else None
        start = reader.peek().start
        sort = reader.peek().word
        reader.position += 1
        chosen, need = _NEEDS.get(sort, _unknown)(reader, table, name)
        written = name.written if name else quoted(chosen)
        return cls(
            need,
            name.last if name else chosen,
            written,
            name is not None,
            sort == "foreign",
            start,
            reader.end,
        )

    def definition(self, statement: str) -> str:
        """The constraint with its name, as it stands behind ADD CONSTRAINT."""
        return f"{self.written} {statement[self.start : self.end]}"

    def not_valid(self, statement: str) -> str:
        """``statement`` with this constraint NOT VALID, and with a name."""
        name = "" if self.is_named else f"CONSTRAINT {self.written} "
        definition = statement[self.start : self.end]
        return f"{statement[: self.start]}{name}{definition} NOT VALID{statement[self.end :]}"


def _locking(table: Name, lock: LockClass = LockClass.ACCESS_EXCLUSIVE) -> Need:
    return Need(Kind.BRIEF, lock, (str(table),), Reach.CHILDREN)


def _check(reader: Reader, table: Name, name: Name | None) -> tuple[str, Need]:
    addition, is_certain = check_addition(reader.brackets())
    chosen = chosen_name(table.last, addition, "check")
    need = replace(_locking(table), has_unknown_name=name is None and not is_certain)
    if any(reader.has(words) for words in NOTHING_TO_READ):
        return chosen, need
    return chosen, replace(need, kind=Kind.NOT_VALID, reason=_reads(table))


def _foreign_key(reader: Reader, table: Name, name: Name | None) -> tuple[str, Need]:
    reader.accept("key")
    columns = "_".join(clause.name().last for clause in reader.brackets().clauses())
    reader.accept("references")
    parent = reader.name()
    chosen = chosen_name(table.last, columns, "fkey")
    need = replace(_locking(table, LockClass.SHARE_ROW_EXCLUSIVE), relations=(str(table), str(parent)))
    if any(reader.has(words) for words in NOTHING_TO_READ):
        return chosen, need
    reason = f"looks up the parent of every row of {table} while nobody writes it or {parent}"
    return chosen, replace(need, kind=Kind.NOT_VALID, reason=reason)


def _unique(reader: Reader, table: Name, name: Name | None) -> tuple[str, Need]:
    if reader.accept("using index"):
        return "", replace(_locking(table), indexes=(str(table.sibling(reader.name().last)),))
    reader.accept("nulls [not] distinct")
    columns = [clause.name().last for clause in reader.brackets().clauses()]
    chosen = name.last if name else chosen_name(table.last, "_".join(columns), "key")
    return chosen, _building(table, op("add_unique", chosen, table.last, columns, schema=table.schema))


def _primary_key(reader: Reader, table: Name, name: Name | None) -> tuple[str, Need]:
    reader.accept("key")
    if reader.accept("using index"):
        index = str(table.sibling(reader.name().last))
        reason = f"unless its columns are NOT NULL already, it {_reads(table)}"
        unless = (Condition(Fact.INDEX_IS_NOT_NULL, index),)
        need = replace(_locking(table), kind=Kind.BLOCKING, indexes=(index,), reason=reason, unless=unless)
        return "", replace(need, correction="-- op.set_not_null for each of its columns first")
    columns = [clause.name().last for clause in reader.brackets().clauses()]
    chosen = name.last if name else chosen_name(table.last, "", "pkey")
    return chosen, _building(table, op("add_primary_key", chosen, table.last, columns, schema=table.schema))


def _exclude(reader: Reader, table: Name, name: Name | None) -> tuple[str, Need]:
    return "", _building(table, "-- PostgreSQL can't build the index of an exclusion constraint concurrently")


def _not_null(reader: Reader, table: Name, name: Name | None) -> tuple[str, Need]:
    """From PostgreSQL 18."""
    reader.accept("null")
    column = reader.name()
    need = _locking(table)
    if reader.has("not valid"):
        return "", need
    correction = op("set_not_null", table.last, column.last, schema=table.schema)
    unless = (Condition(Fact.COLUMN_IS_NOT_NULL, column.last, of=str(table)),)
    return "", replace(need, kind=Kind.BLOCKING, reason=_reads(table), correction=correction, unless=unless)


def _unknown(reader: Reader, table: Name, name: Name | None) -> tuple[str, Need]:
    return "", replace(_locking(table), kind=Kind.UNKNOWN, reason="a kind of constraint that is not known")


def _building(table: Name, correction: str) -> Need:
    reason = f"builds an index of {table} while nobody reads or writes it"
    return replace(_locking(table), kind=Kind.BLOCKING, reason=reason, correction=correction)


def _reads(table: Name) -> str:
    return f"reads every row of {table} while nobody reads or writes it"


_NEEDS = {
    "check": _check,
    "foreign": _foreign_key,
    "unique": _unique,
    "primary": _primary_key,
    "exclude": _exclude,
    "not": _not_null,
}
