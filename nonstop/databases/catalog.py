"""What a database knows of its tables beyond what SQLAlchemy reflects: the questions, and the facts they are answered with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from sqlalchemy import Connection

ConstraintKind = Literal["check", "foreign key", "unique", "primary key", "exclusion", "not null"]


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint with a name. ``expression`` is a check's; what is ``referred`` and the actions are a foreign key's."""

    kind: ConstraintKind
    columns: tuple[str, ...]
    is_validated: bool = True
    expression: str = ""
    referred_schema: str | None = None
    referred_table: str = ""
    referred_columns: tuple[str, ...] = ()
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"


@dataclass(frozen=True, slots=True)
class Index:
    """``keys`` are column names, or expressions; ``where`` is empty for an index over all rows."""

    keys: tuple[str, ...]
    unique: bool
    is_valid: bool = True
    where: str = ""
    include: tuple[str, ...] = ()
    method: str = "btree"
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table by its name."""

    name: str
    schema: str | None


class Catalog(ABC):
    """Answers come from the catalog at the moment of asking. ``schema`` None is the one that new tables go to."""

    @abstractmethod
    def constraint(
        self, connection: Connection, table: str, name: str, schema: str | None
    ) -> Constraint | None:
        """The table's constraint of that name."""

    def foreign_keys(self, connection: Connection, table: str, schema: str | None) -> list[Constraint]:
        """The table's foreign keys, as far as a description that names no schema can be compared with them."""
        from sqlalchemy import inspect

        def action(key: Any, event: str) -> str:
            return str((key.get("options") or {}).get(event) or "NO ACTION").upper()

        return [
            Constraint(
                "foreign key",
                tuple(key["constrained_columns"]),
                referred_table=key["referred_table"],
                referred_columns=tuple(key["referred_columns"]),
                on_delete=action(key, "ondelete"),
                on_update=action(key, "onupdate"),
            )
            for key in inspect(connection).get_foreign_keys(table, schema=schema)
        ]

    @abstractmethod
    def index(self, connection: Connection, table: str, name: str, schema: str | None) -> Index | None:
        """The table's index of that name."""

    @abstractmethod
    def default(self, connection: Connection, table: str, column: str, schema: str | None) -> str | None:
        """The column's default as SQL; None where it has none."""

    @abstractmethod
    def is_not_null(self, connection: Connection, table: str, column: str, schema: str | None) -> bool | None:
        """Whether the column refuses NULL; None where there is no such column."""

    @abstractmethod
    def same_expression(
        self,
        connection: Connection,
        table: str,
        schema: str | None,
        one: str,
        other: str,
        column: str | None = None,
    ) -> bool:
        """Whether two expressions over the table's columns mean the same, as values of ``column`` where it is given."""

    @abstractmethod
    def parents(
        self, connection: Connection, table: str, schema: str | None, column: str | None = None
    ) -> list[Relation]:
        """The other tables that foreign keys of ``table`` refer to; only those of ``column`` where it is given."""

    @abstractmethod
    def partitions(self, connection: Connection, table: str, schema: str | None) -> list[Relation] | None:
        """The partitions that hold rows, those of partitions too; None where the table is not partitioned."""

    @abstractmethod
    def key_columns(self, connection: Connection, table: str, schema: str | None) -> tuple[str, ...]:
        """The columns of the primary key, to name rows by; empty without one."""

    def enum_values(self, connection: Connection, name: str, schema: str | None) -> list[str] | None:
        """The values of an enumerated type in order; None where there is no such type."""
        return None
