"""What a schema looks like, as values: tables with all that belongs to them, enumerated types, views and others.

Read by SQLAlchemy's reflection, and from the catalog where that leaves something out.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from nonstop.check.shapes import column_types
from nonstop.check.shapes.index import IndexShape, index_from_text
from nonstop.databases.shape_queries import (
    index_texts,
    names_beside_columns,
    other_objects,
    partitioned_tables,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection
    from sqlalchemy.engine import Inspector

    from nonstop.databases.base import Database

LETS_DELETE = ("CASCADE", "SET NULL", "SET DEFAULT")
"""What a foreign key may do with its rows so that what they refer to can be deleted; with any other action it refuses."""
Owner = tuple[str | None, str]
"""A table's schema (None for the one that new tables go to) and its name."""


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """``type`` is SQL, ``python`` the same as an expression (empty for a type that SQLAlchemy does not know)."""

    name: str
    type: str
    python: str = field(compare=False)
    nullable: bool = True
    default: str | None = None
    identity: tuple[tuple[str, object], ...] = ()
    computed: str = ""
    numbers_rows: bool = field(default=True, compare=False)
    """Whether it would number new rows as a key: not so where the database knows plain integers."""


@dataclass(frozen=True, slots=True)
class KeyShape:
    """A primary key or a uniqueness. ``name`` is empty where the database gave it none."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckShape:
    name: str
    condition: str


@dataclass(frozen=True, slots=True)
class ForeignKeyShape:
    name: str
    columns: tuple[str, ...]
    referred_schema: str | None
    referred_table: str
    referred_columns: tuple[str, ...]
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"
    timing: str = ""
    """As in SQL, where it is not checked at once: ``" DEFERRABLE INITIALLY DEFERRED"``."""

    @property
    def own_actions(self) -> tuple[str, str]:
        """``on_delete`` and ``on_update``, empty where it does what every key does that says nothing."""
        on_delete, on_update = (
            "" if action == "NO ACTION" else action for action in (self.on_delete, self.on_update)
        )
        return on_delete, on_update


Constraint = KeyShape | CheckShape | ForeignKeyShape
Part = TypeVar("Part", KeyShape, ForeignKeyShape)


@dataclass(frozen=True, slots=True)
class TableShape:
    """One table. The order of its columns is the database's; everything else is in order of name."""

    name: str
    schema: str | None
    columns: tuple[ColumnShape, ...]
    primary_key: KeyShape | None = None
    uniques: tuple[KeyShape, ...] = ()
    checks: tuple[CheckShape, ...] = ()
    foreign_keys: tuple[ForeignKeyShape, ...] = ()
    indexes: tuple[IndexShape, ...] = ()
    is_partitioned: bool = False
    """Also a partition of another table."""

    @property
    def display(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def column(self, name: str) -> ColumnShape | None:
        return next((column for column in self.columns if column.name == name), None)

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that name a row: the primary key, else a uniqueness without NULLs; empty without either."""
        if self.primary_key is not None:
            return self.primary_key.columns
        unique = [key.columns for key in self.uniques]
        unique += [
            index.names
            for index in self.indexes
            if index.unique and not index.where and index.names == index.keys
        ]
        filled = {column.name for column in self.columns if not column.nullable}
        return next((columns for columns in unique if filled.issuperset(columns)), ())


@dataclass(frozen=True, slots=True)
class OtherShape:
    """Something beside tables, types and views: a trigger, a function, a sequence that stands alone. ``name`` is as in SQL,
    a function's with its arguments, a trigger's with its table. ``definition`` is what makes it, as far as one statement
    does."""

    kind: str
    name: str
    table: str
    definition: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A whole schema. ``alters_in_place`` is the database's capability of that name."""

    tables: Mapping[Owner, TableShape]
    enums: Mapping[Owner, tuple[str, ...]]
    views: Mapping[Owner, str]
    alters_in_place: bool
    others: Mapping[tuple[str, str], OtherShape] = field(default_factory=dict)
    """By kind and name."""

    def table_called(self, schema: str | None, name: str) -> TableShape | None:
        """The table of that name; without a schema it may be that of the only one that has it."""
        if (schema, name) in self.tables:
            return self.tables[schema, name]
        named = [table for (_, called), table in self.tables.items() if called == name]
        return named[0] if len(named) == 1 else None


def shape_of(database: Database, connection: Connection, ignored: Collection[str] = ()) -> Shape:
    """The schema that ``connection`` sees; tables called as in ``ignored`` (the ledger's) are left out."""
    from sqlalchemy import inspect

    inspector = inspect(connection)
    tables: dict[Owner, TableShape] = {}
    views: dict[Owner, str] = {}
    with warnings.catch_warnings():
        # A type, or an index over an expression, that SQLAlchemy does not know: what is left of it is looked at below.
        warnings.simplefilter("ignore")
        texts = _index_texts(inspector, connection)
        for schema in _schemas(inspector):
            for table in _tables(database, connection, schema, texts):
                if table.name not in ignored:
                    tables[schema, table.name] = table
            for name in inspector.get_view_names(schema=schema):
                views[schema, name] = " ".join(inspector.get_view_definition(name, schema=schema).split())
    others = [OtherShape(*found) for found in other_objects(connection)]
    return Shape(
        tables,
        _enums(inspector),
        views,
        database.alters_in_place,
        {(one.kind, one.name): one for one in others},
    )


def _schemas(inspector: Inspector) -> list[str | None]:
    """The schema that new tables go to as None, then all others that are not the server's own."""
    if not inspector.dialect.supports_sequences:  # a file: what other schemas it has are attached files
        return [None]
    others = [
        name
        for name in inspector.get_schema_names()
        if name not in ("information_schema", inspector.default_schema_name) and not name.startswith("pg_")
    ]
    return [None, *sorted(others)]


def _tables(
    database: Database, connection: Connection, schema: str | None, texts: Mapping[Owner, Mapping[str, str]]
) -> list[TableShape]:
    from sqlalchemy import inspect

    inspector = inspect(connection)
    columns = inspector.get_multi_columns(schema=schema)
    primary_keys = inspector.get_multi_pk_constraint(schema=schema)
    foreign_keys = inspector.get_multi_foreign_keys(schema=schema)
    uniques = inspector.get_multi_unique_constraints(schema=schema)
    checks = inspector.get_multi_check_constraints(schema=schema)
    partitioned = partitioned_tables(connection)
    found = []
    for owner in sorted(columns, key=lambda owner: owner[1]):
        key: Any = primary_keys.get(owner) or {}
        names = [column["name"] for column in columns[owner]]
        beside = names_beside_columns(connection, owner[1])
        found.append(
            TableShape(
                owner[1],
                schema,
                tuple(_column(inspector, column) for column in columns[owner]),
                _key(key) if key.get("constrained_columns") else None,
                _in_order(_named(_key(unique), beside, "UNIQUE") for unique in uniques.get(owner) or ()),
                _in_order(
                    CheckShape(check["name"] or "", check["sqltext"]) for check in checks.get(owner) or ()
                ),
                _in_order(
                    _named(key, beside, "REFERENCES")
                    for key in _foreign_keys(
                        database, connection, owner[1], schema, foreign_keys.get(owner) or ()
                    )
                ),
                _in_order(
                    index_from_text(name, text, names)
                    for name, text in texts.get((schema, owner[1]), {}).items()
                ),
                (schema or inspector.default_schema_name, owner[1]) in partitioned,
            )
        )
    return found


def _column(inspector: Inspector, found: Any) -> ColumnShape:
    return ColumnShape(
        found["name"],
        column_types.as_sql(found["type"], inspector.dialect),
        column_types.as_python(found["type"], inspector.dialect),
        bool(found["nullable"]),
        found.get("default"),
        tuple(sorted((found.get("identity") or {}).items())),
        (found.get("computed") or {}).get("sqltext", ""),
        found.get("autoincrement", True),
    )


def _key(found: Any) -> KeyShape:
    return KeyShape(found.get("name") or "", tuple(found.get("constrained_columns") or found["column_names"]))


def _named(part: Part, beside: Mapping[tuple[str, str], str], kind: str) -> Part:
    """The same with the name that stands beside its column."""
    return part if part.name else replace(part, name=beside.get((kind, part.columns[0]), ""))


def _foreign_keys(
    database: Database, connection: Connection, table: str, schema: str | None, found: Any
) -> list[ForeignKeyShape]:
    """Reflected ones, with the actions that SQLAlchemy does not see inside a column's definition."""
    if not found:
        return []
    actions = {
        (key.columns, key.referred_table): (key.on_delete, key.on_update)
        for key in database.catalog.foreign_keys(connection, table, schema)
    }
    return [
        ForeignKeyShape(
            key["name"] or "",
            tuple(key["constrained_columns"]),
            key["referred_schema"],
            key["referred_table"],
            tuple(key["referred_columns"]),
            *actions.get(
                (tuple(key["constrained_columns"]), key["referred_table"]), ("NO ACTION", "NO ACTION")
            ),
            _timing(key.get("options") or {}),
        )
        for key in found
    ]


def _timing(options: Mapping[str, Any]) -> str:
    if not options.get("deferrable"):
        return ""
    return f" DEFERRABLE INITIALLY {options.get('initially') or 'IMMEDIATE'}"


def _index_texts(inspector: Inspector, connection: Connection) -> Mapping[Owner, Mapping[str, str]]:
    texts: defaultdict[Owner, dict[str, str]] = defaultdict(dict)
    for schema, table, name, text in index_texts(connection):
        texts[None if schema == inspector.default_schema_name else schema, table][name] = text
    return texts


def _in_order(found: Any) -> tuple[Any, ...]:
    return tuple(sorted(found, key=lambda part: (part.name, repr(part))))


def _enums(inspector: Inspector) -> Mapping[Owner, tuple[str, ...]]:
    if not hasattr(inspector, "get_enums"):
        return {}
    return {
        (None if enum["schema"] == inspector.default_schema_name else enum["schema"], enum["name"]): tuple(
            enum["labels"]
        )
        for enum in inspector.get_enums(schema="*")
    }
