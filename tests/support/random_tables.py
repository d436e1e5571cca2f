"""Tables that Hypothesis makes up, as values that can be written down in SQL for either database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
KINDS: dict[str, tuple[str, str, st.SearchStrategy[Any], tuple[tuple[str, object], ...]]] = {
    "integer": ("INTEGER", "Integer", st.integers(-1000, 1000), (("0", 0), ("77", 77))),
    "bigint": ("BIGINT", "BigInteger", st.integers(-(2**40), 2**40), (("5", 5), ("123456789012", 123456789012))),
    "varchar": ("VARCHAR(20)", "String(20)", TEXTS, (("'x'", "x"), ("'it''s 100% \"so\", (ß'", 'it\'s 100% "so", (ß'))),
    "text": ("TEXT", "Text", TEXTS, (("''", ""), ("lower('ABC')", "abc"))),
    "boolean": ("BOOLEAN", "Boolean", st.booleans(), (("true", True), ("false", False))),
}  # fmt: skip
"""By kind: the type in SQL, the type in Python, values, and defaults as SQL with their value."""
ONLY_POSTGRESQL = {
    "jsonb": ("JSONB", st.sampled_from(['{"a": 1}', "[]", '"ü"'])),
    "array": ("INTEGER[]", st.lists(st.integers(0, 9), max_size=3)),
    "mood": ("mood", st.sampled_from(["ok", "bad"])),
    "time": ("TIMESTAMPTZ", st.just("2026-01-02 03:04:05+00")),
}
ODD = [
    "plain", "Order ", "größe", 'q"', "it's ", "50%", "x.y", "a;b ", ":p", "(b, ", "--c", "[z]", "☕", "UPPER", "%(x)s", "{b}",
    "select", "$1",
]  # fmt: skip


@dataclass
class Column:
    """``values`` are those of the rows that are there; ``generated`` is the clause of one that fills itself."""

    name: str
    kind: str
    not_null: bool = False
    default: tuple[str, object] | None = None
    collation: str = ""
    generated: str = ""
    values: list[Any] = field(default_factory=list)

    @property
    def type(self) -> str:
        return KINDS[self.kind][0] if self.kind in KINDS else ONLY_POSTGRESQL[self.kind][0]

    def written(self) -> str:
        parts = [quoted(self.name), self.type]
        parts += [f"COLLATE {self.collation}"] if self.collation else []
        parts += [self.generated] if self.generated else []
        parts += [f"DEFAULT {in_brackets(self.default[0])}"] if self.default else []
        return " ".join([*parts, *(["NOT NULL"] if self.not_null else [])])


@dataclass(frozen=True)
class Constraint:
    """``uses`` are the columns; ``definition`` is what stands behind its name."""

    name: str
    kind: str
    uses: tuple[str, ...]
    definition: str
    call: str
    """The arguments of its verb behind name and table."""


@dataclass(frozen=True)
class Index:
    """``keys`` as SQL, and as Python for the call of ``op``."""

    name: str
    uses: tuple[str, ...]
    keys: str
    call: str
    unique: bool = False
    where: str = ""
    method: str = ""
    include: str = ""

    def written(self, table: Table) -> str:
        unique, method = "UNIQUE " if self.unique else "", f"USING {self.method} " if self.method else ""
        text = f"CREATE {unique}INDEX {quoted(self.name)} ON {table.written} {method}({self.keys})"
        text += f" INCLUDE ({quoted(self.include)})" if self.include else ""
        return text + (f" WHERE {self.where}" if self.where else "")


@dataclass
class Table:
    """``key`` says how ``id`` is one: "named", "counting" (its database counts up), "" (not at all)."""

    name: str
    schema: str | None
    columns: list[Column]
    key: str
    constraints: dict[str, Constraint] = field(default_factory=dict)
    indexes: dict[str, Index] = field(default_factory=dict)
    options: str = ""
    partitions: tuple[str, ...] = ()
    trigger: str = ""
    view: str = ""
    child: str = ""

    @property
    def written(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.name)}" if self.schema else quoted(self.name)

    @property
    def rows(self) -> int:
        return len(self.columns[0].values)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def free(self) -> Iterator[Column]:
        """The columns that nothing else depends on; the first one is the key, and what keys of others mean."""
        uses = [c.uses for c in self.constraints.values()] + [index.uses for index in self.indexes.values()]
        used = {name for names in uses for name in names}
        for column in self.columns[1:]:
            if column.name not in used and not column.generated:
                yield column

    def copy(self) -> Table:
        """A copy whose changes are its own."""
        return replace(
            self,
            columns=[replace(column, values=list(column.values)) for column in self.columns],
            constraints=dict(self.constraints),
            indexes=dict(self.indexes),
        )


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def in_brackets(default: str) -> str:
    return f"({default})" if default[-1] == ")" and default[0] != "'" else default


@st.composite
def tables(draw: st.DrawFn, is_postgresql: bool, names: Callable[[], str]) -> Table:
    """One table that has some of everything, its first column being a number for each row."""
    size = draw(st.integers(0, 4))
    key = draw(st.sampled_from(["named", "counting", ""]))
    identifier = Column(
        names(), "integer", not_null=bool(key) or draw(st.booleans()), values=list(range(1, size + 1))
    )
    table = Table(names(), None, [identifier], key)
    if is_postgresql:
        table.schema = draw(st.sampled_from([None, None, "my Schema"]))
    parent = Column("parent", "integer", values=draw(_values(st.integers(1, 3), size, True)))
    table.columns.append(parent)
    for _ in range(draw(st.integers(0, 3))):
        table.columns.append(draw(columns(names(), size, is_postgresql)))
    if draw(st.booleans()):
        kind = draw(st.sampled_from(["STORED", "STORED" if is_postgresql else "VIRTUAL"]))
        clause = f"GENERATED ALWAYS AS ({quoted(identifier.name)} * 2) {kind}"
        table.columns.append(Column(names(), "integer", generated=clause))
    if key == "named":
        name = names()
        table.constraints[name] = Constraint(
            name,
            "primary key",
            (identifier.name,),
            f"PRIMARY KEY ({quoted(identifier.name)})",
            f"[{identifier.name!r}]",
        )
        if not is_postgresql and draw(st.booleans()):
            table.options = " WITHOUT ROWID"
    if is_postgresql and not key and draw(st.booleans()):
        table.partitions = (names(), names())
        identifier.not_null = True
    table.trigger = names() if draw(st.booleans()) else ""
    table.view = names() if draw(st.booleans()) else ""
    table.child = names() if key and draw(st.booleans()) else ""
    return table


@st.composite
def columns(draw: st.DrawFn, name: str, size: int, is_postgresql: bool) -> Column:
    """One column with its values; the kinds beyond ``KINDS`` are there to be left alone."""
    kinds = [*KINDS, *(ONLY_POSTGRESQL if is_postgresql else ())]
    kind = draw(st.sampled_from(kinds))
    strategy = KINDS[kind][2] if kind in KINDS else ONLY_POSTGRESQL[kind][1]
    not_null = draw(st.booleans())
    column = Column(name, kind, not_null, values=draw(_values(strategy, size, not not_null)))
    if kind in KINDS and draw(st.booleans()):
        column.default = draw(st.sampled_from(KINDS[kind][3]))
    if kind in ("varchar", "text") and draw(st.booleans()):
        column.collation = '"C"' if is_postgresql else "NOCASE"
    return column


def _values(strategy: st.SearchStrategy[Any], size: int, nullable: bool) -> st.SearchStrategy[list[Any]]:
    one = st.none() | strategy if nullable else strategy
    return (
        st.just([None] * size) | st.lists(one, min_size=size, max_size=size)
        if nullable
        else st.lists(one, min_size=size, max_size=size)
    )


def naming(draw: st.DrawFn) -> Callable[[], str]:
    """Names that nobody would give, each different from the others, whatever their case."""
    numbers = count(1)
    return lambda: f"{draw(st.sampled_from(ODD))}{next(numbers)}"


# --- in SQL ---------------------------------------------------------------------------------------------------


def create(table: Table, is_postgresql: bool) -> list[tuple[str, tuple[Any, ...]]]:
    """Everything that makes the table, its rows, and what is around it: statements with their values."""
    statements: list[tuple[str, tuple[Any, ...]]] = [(_create_table(table, is_postgresql), ())]
    bounds = ["FROM (MINVALUE) TO (3)", "FROM (3) TO (MAXVALUE)"]
    for name, bound in zip(table.partitions, bounds, strict=False):
        statements.append(
            (f"CREATE TABLE {quoted(name)} PARTITION OF {table.written} FOR VALUES {bound}", ())
        )
    stored = [column for column in table.columns if not column.generated]
    marks = ", ".join(["%s" if is_postgresql else "?"] * len(stored))
    for row in range(table.rows):
        names = ", ".join(quoted(column.name) for column in stored)
        insert = f"INSERT INTO {table.written} ({names.replace('%', '%%') if is_postgresql else names}) VALUES ({marks})"
        if is_postgresql:
            insert = insert.replace(table.written, table.written.replace("%", "%%"))
        statements.append((insert, tuple(column.values[row] for column in stored)))
    added = [c for c in table.constraints.values() if is_postgresql and c.kind != "primary key"]
    statements += [
        (f"ALTER TABLE {table.written} ADD CONSTRAINT {quoted(c.name)} {c.definition}", ()) for c in added
    ]
    statements += [(index.written(table), ()) for index in table.indexes.values()]
    return statements + [(text, ()) for text in _around(table, is_postgresql)]


def _create_table(table: Table, is_postgresql: bool) -> str:
    parts = [column.written() for column in table.columns]
    if table.key == "counting":
        counting = "INTEGER GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
        parts[0] = f"{quoted(table.columns[0].name)} " + (
            counting if is_postgresql else "INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"
        )
    # PostgreSQL leaves a uniqueness out that says the same as another one beside it.
    own = [c for c in table.constraints.values() if not is_postgresql or c.kind == "primary key"]
    parts += [f"CONSTRAINT {quoted(constraint.name)} {constraint.definition}" for constraint in own]
    partitioned = f" PARTITION BY RANGE ({quoted(table.columns[0].name)})" if table.partitions else ""
    return f"CREATE TABLE {table.written} ({', '.join(parts)}){table.options}{partitioned}"


def _around(table: Table, is_postgresql: bool) -> Iterator[str]:
    identifier = quoted(table.columns[0].name)
    if table.trigger and is_postgresql:
        yield f"CREATE TRIGGER {quoted(table.trigger)} AFTER UPDATE ON {table.written} FOR EACH ROW EXECUTE FUNCTION noted()"
    elif table.trigger:
        body = f"INSERT INTO log VALUES (new.{identifier})"
        yield f"CREATE TRIGGER {quoted(table.trigger)} AFTER UPDATE ON {table.written} BEGIN {body}; END"
    if table.view:
        yield f"CREATE VIEW {quoted(table.view)} AS SELECT {identifier} FROM {table.written}"
    if table.child:
        key = f"REFERENCES {table.written} ({identifier}) ON DELETE CASCADE"
        yield f"CREATE TABLE {quoted(table.child)} (of_it INTEGER {key})"
        if table.rows:
            yield f"INSERT INTO {quoted(table.child)} VALUES (1), ({table.rows})"
