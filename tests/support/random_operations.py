"""Operations that Hypothesis makes up for a table, each with the plain SQL that means the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hypothesis import strategies as st

from tests.support.random_tables import KINDS, Column, Constraint, Index, Table, quoted

T = TypeVar("T")
SPARE = "spare"
"""A table without rows that nothing depends on."""


@dataclass(frozen=True)
class Change:
    """A call of ``op``, the call that undoes it, and what one would send to a database that nobody uses.

    ``inverse`` is empty where there is no way back to the very same.
    """

    call: str
    inverse: str
    plain: tuple[str, ...]


@dataclass
class Maker:
    """Draws changes for one table, and keeps what the table is after each."""

    draw: st.DrawFn
    table: Table
    names: Callable[[], str]
    is_postgresql: bool
    has_spare: bool = True

    def change(self) -> Change | None:
        """The next change; None where the one that was drawn has nothing to work on."""
        return self.draw(st.sampled_from(CHANGES))(self)

    # --- columns ----------------------------------------------------------------------------------------------

    def add_column(self) -> Change:
        kind = self.draw(st.sampled_from(list(KINDS)))
        default = self.draw(st.none() | st.sampled_from(KINDS[kind][3]))
        not_null = default is not None and self.draw(st.booleans())
        column = Column(self.names(), kind, not_null, default)
        column.values = [default[1] if default else None] * self.table.rows
        self.table.columns.append(column)
        plain = f"ALTER TABLE {self.table.written} ADD COLUMN {column.written()}"
        return Change(self._adding(column), self._call("drop_column", column.name), (plain,))

    def drop_column(self) -> Change | None:
        """One that would be just the same if it were added again."""

        def is_replaceable(column: Column) -> bool:
            value = column.default[1] if column.default else None
            can_be_added = (
                column.kind in KINDS and not column.collation and not (column.not_null and not column.default)
            )
            return can_be_added and all(each == value for each in column.values)

        column = self._one_of([c for c in self.table.free() if is_replaceable(c)])
        if column is None:
            return None
        self.table.columns.remove(column)
        plain = f"ALTER TABLE {self.table.written} DROP COLUMN {quoted(column.name)}"
        return Change(self._call("drop_column", column.name), self._adding(column), (plain,))

    def set_default(self) -> Change | None:
        column = self._one_of([c for c in self._plain_columns() if c.kind in KINDS])
        if column is None:
            return None
        before, column.default = column.default, self.draw(st.sampled_from(KINDS[column.kind][3]))
        inverse = self._setting(column, before[0]) if before else self._call("drop_default", column.name)
        return Change(
            self._setting(column, column.default[0]),
            inverse,
            self._alter(column, f"SET DEFAULT {column.default[0]}"),
        )

    def drop_default(self) -> Change | None:
        column = self._one_of([c for c in self._plain_columns() if c.default])
        if column is None or column.default is None:
            return None
        before, column.default = column.default, None
        return Change(
            self._call("drop_default", column.name),
            self._setting(column, before[0]),
            self._alter(column, "DROP DEFAULT"),
        )

    def set_not_null(self) -> Change | None:
        column = self._one_of([c for c in self._plain_columns() if not c.not_null and None not in c.values])
        if column is None:
            return None
        column.not_null = True
        return self._there_and_back("set_not_null", "drop_not_null", column, "SET NOT NULL")

    def drop_not_null(self) -> Change | None:
        column = self._one_of([c for c in self._plain_columns() if c.not_null])
        if column is None:
            return None
        column.not_null = False
        return self._there_and_back("drop_not_null", "set_not_null", column, "DROP NOT NULL")

    # --- constraints ------------------------------------------------------------------------------------------

    def add_check(self) -> Change | None:
        column = self._one_of(
            [c for c in self.table.columns if c.kind in ("integer", "bigint", "varchar", "text")]
        )
        if column is None:
            return None
        name = quoted(column.name)
        is_number = column.kind in ("integer", "bigint")
        conditions = [f"{name} > -9999999999999", f"{name} IS NULL OR {name} <> 5000"] if is_number else [
            f"length({name}) < 100", f"{name} NOT LIKE '%, 100% (:no)%'"]  # fmt: skip
        condition = self.draw(st.sampled_from(conditions))
        return self._add(
            Constraint(self.names(), "check", (column.name,), f"CHECK ({condition})", repr(condition))
        )

    def add_foreign_key(self) -> Change | None:
        if self.table.partitions or any(c.kind == "foreign key" for c in self.table.constraints.values()):
            return None
        if all(column.name != "parent" for column in self.table.columns):
            return None
        action = self.draw(st.sampled_from(["CASCADE", "SET NULL", "NO ACTION"]))
        definition = f'FOREIGN KEY ("parent") REFERENCES parents (id) ON DELETE {action}'
        schema = ", referred_schema='public'" if self.table.schema else ""
        arguments = f"['parent'], 'parents', ['id'], on_delete={action!r}{schema}"
        if self.table.schema:
            definition = definition.replace("parents", "public.parents")
        return self._add(Constraint(self.names(), "foreign key", ("parent",), definition, arguments))

    def add_unique(self) -> Change | None:
        if self.table.partitions:
            return None
        uses = self._distinct()
        columns = ", ".join(map(quoted, uses))
        unique = Constraint(self.names(), "unique", uses, f"UNIQUE ({columns})", repr(list(uses)))
        if self.is_postgresql:
            return self._add(unique)
        index = Index(unique.name, uses, columns, repr(list(uses)), True)  # what SQLite keeps a uniqueness as
        self.table.indexes[index.name] = index
        drop = f"op.drop_constraint({index.name!r}, {self.table.name!r})"
        return Change(self._named("add_unique", unique), drop, (index.written(self.table),))

    def add_primary_key(self) -> Change | None:
        if self.table.key or self.table.partitions:
            return None
        column = self.table.columns[0]
        was_nullable, column.not_null, self.table.key = not column.not_null, True, "named"
        definition = f"PRIMARY KEY ({quoted(column.name)})"
        change = self._add(
            Constraint(self.names(), "primary key", (column.name,), definition, repr([column.name]))
        )
        if not was_nullable:
            return change
        return Change(
            change.call, f"{change.inverse}\n{self._call('drop_not_null', column.name)}", change.plain
        )

    def drop_constraint(self) -> Change | None:
        keeps_key = bool(self.table.child or self.table.options)
        constraint = self._one_of(
            [c for c in self.table.constraints.values() if c.kind != "primary key" or not keeps_key]
        )
        if constraint is None:
            return None
        del self.table.constraints[constraint.name]
        if constraint.kind == "primary key":
            self.table.key = ""
        verb = f"add_{constraint.kind.replace(' ', '_')}"
        plain = f"ALTER TABLE {self.table.written} DROP CONSTRAINT {quoted(constraint.name)}"
        # A uniqueness that stood in the text of an SQLite table comes back as an index.
        inverse = self._named(verb, constraint) if self.is_postgresql or constraint.kind != "unique" else ""
        return Change(self._named("drop_constraint", constraint, arguments=False), inverse, (plain,))

    # --- indexes ----------------------------------------------------------------------------------------------

    def create_index(self) -> Change:
        index = self.index()
        self.table.indexes[index.name] = index
        return Change(self._creating(index), self._dropping(index), (index.written(self.table),))

    def drop_index(self) -> Change | None:
        index = self._one_of(list(self.table.indexes.values()))
        if index is None:
            return None
        del self.table.indexes[index.name]
        schema = f"{quoted(self.table.schema)}." if self.table.schema else ""
        return Change(
            self._dropping(index), self._creating(index), (f"DROP INDEX {schema}{quoted(index.name)}",)
        )

    def index(self) -> Index:
        """An index of any sort over columns that can have one."""
        unique = self.draw(st.booleans())
        where = f"{quoted(self.table.columns[0].name)} > 1" if self.draw(st.booleans()) else ""
        if unique:
            uses = self._distinct()
            keys, call = ", ".join(map(quoted, uses)), repr(list(uses))
        else:
            column = self.draw(st.sampled_from([c for c in self.table.columns if c.kind != "jsonb"]))
            uses, name = (column.name,), quoted(column.name)
            expressions = [f"lower({name})"] if column.kind in ("text", "varchar") else []
            keys = self.draw(st.sampled_from([name, f"{name} DESC", *expressions]))
            call = repr([column.name]) if keys == name else f"[text({_without_binds(keys)!r})]"
        index = Index(
            self.names(),
            (*uses, *((self.table.columns[0].name,) if where else ())),
            keys,
            call,
            unique,
            where,
        )
        if self.is_postgresql and keys == quoted(uses[0]) and not unique and self.draw(st.booleans()):
            return Index(index.name, index.uses, keys, call, False, where, "hash")
        return index

    # --- tables -----------------------------------------------------------------------------------------------

    def rename_table(self) -> Change:
        old, self.table.name = self.table.written, self.names()
        new = self.table.name
        before = old[len(quoted(self.table.schema)) + 1 :] if self.table.schema else old
        former = before[1:-1].replace('""', '"')
        schema = self._schema
        return Change(
            f"op.rename_table({former!r}, {new!r}{schema})",
            f"op.rename_table({new!r}, {former!r}{schema})",
            (f"ALTER TABLE {old} RENAME TO {quoted(new)}",),
        )

    def drop_table(self) -> Change | None:
        if not self.has_spare:
            return None
        self.has_spare = False
        columns = "Column('id', Integer, primary_key=True, autoincrement=False), Column('text', String(20), nullable=False)"
        return Change(
            f"op.drop_table({SPARE!r})", f"op.create_table({SPARE!r}, {columns})", (f"DROP TABLE {SPARE}",)
        )

    # --- details ----------------------------------------------------------------------------------------------

    @property
    def _schema(self) -> str:
        return f", schema={self.table.schema!r}" if self.table.schema else ""

    def _one_of(self, choices: list[T]) -> T | None:
        return self.draw(st.sampled_from(choices)) if choices else None

    def _plain_columns(self) -> list[Column]:
        """Those whose default and nullability are their own business."""
        return [column for column in self.table.columns[1:] if not column.generated]

    def _distinct(self) -> tuple[str, ...]:
        """Columns that are different in each row: the first is, whatever comes with it."""
        first, *others = [column.name for column in self.table.columns if column.kind != "jsonb"]
        further = self._one_of(others) if self.draw(st.booleans()) else None
        return (first, further) if further else (first,)

    def _call(self, verb: str, column: str) -> str:
        return f"op.{verb}({self.table.name!r}, {column!r}{self._schema})"

    def _adding(self, column: Column) -> str:
        default = f", server_default=text({column.default[0]!r})" if column.default else ""
        described = (
            f"Column({column.name!r}, {KINDS[column.kind][1]}, nullable={not column.not_null}{default})"
        )
        return f"op.add_column({self.table.name!r}, {described}{self._schema})"

    def _setting(self, column: Column, default: str) -> str:
        return f"op.set_default({self.table.name!r}, {column.name!r}, text({default!r}){self._schema})"

    def _alter(self, column: Column, action: str) -> tuple[str, ...]:
        return (f"ALTER TABLE {self.table.written} ALTER COLUMN {quoted(column.name)} {action}",)

    def _there_and_back(self, verb: str, back: str, column: Column, action: str) -> Change:
        return Change(
            self._call(verb, column.name), self._call(back, column.name), self._alter(column, action)
        )

    def _add(self, constraint: Constraint) -> Change:
        self.table.constraints[constraint.name] = constraint
        plain = f"ALTER TABLE {self.table.written} ADD CONSTRAINT {quoted(constraint.name)} {constraint.definition}"
        there = self._named(f"add_{constraint.kind.replace(' ', '_')}", constraint)
        return Change(there, self._named("drop_constraint", constraint, arguments=False), (plain,))

    def _named(self, verb: str, constraint: Constraint, *, arguments: bool = True) -> str:
        further = f", {constraint.call}" if arguments else ""
        return f"op.{verb}({constraint.name!r}, {self.table.name!r}{further}{self._schema})"

    def _creating(self, index: Index) -> str:
        options = f", unique={index.unique}, where={index.where or None!r}, method={index.method or None!r}"
        return f"op.create_index({index.name!r}, {self.table.name!r}, {index.call}{options}{self._schema})"

    def _dropping(self, index: Index) -> str:
        return f"op.drop_index({index.name!r}, {self.table.name!r}{self._schema})"


CHANGES = [
    Maker.add_column, Maker.drop_column, Maker.set_default, Maker.drop_default, Maker.set_not_null, Maker.drop_not_null,
    Maker.add_check, Maker.add_foreign_key, Maker.add_unique, Maker.add_primary_key, Maker.drop_constraint,
    Maker.create_index, Maker.drop_index, Maker.rename_table, Maker.drop_table,
]  # fmt: skip


def _without_binds(sql: str) -> str:
    """As ``text()`` wants it: a colon before a word would be a parameter."""
    return sql.replace(":", "\\:")
