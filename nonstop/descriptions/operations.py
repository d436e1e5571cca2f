"""What a script asks for, as frozen values: the verbs of ``op`` make them, a database turns them into steps."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection
    from sqlalchemy.schema import Table
    from sqlalchemy.sql.expression import TextClause


@dataclass(frozen=True, slots=True)
class CreateTable:
    """``table`` carries columns, constraints and indexes, in metadata of its own."""

    table: Table


@dataclass(frozen=True, slots=True)
class DropTable:
    table: str
    schema: str | None


@dataclass(frozen=True, slots=True)
class AddColumn:
    table: str
    column: Column[object]
    schema: str | None


@dataclass(frozen=True, slots=True)
class DropColumn:
    table: str
    column: str
    schema: str | None


@dataclass(frozen=True, slots=True)
class RenameTable:
    table: str
    new_name: str
    schema: str | None


@dataclass(frozen=True, slots=True)
class SetDefault:
    """``default`` is what SQLAlchemy takes as a ``server_default``: a string is a value, ``text()`` is SQL."""

    table: str
    column: str
    default: object
    schema: str | None


@dataclass(frozen=True, slots=True)
class DropDefault:
    table: str
    column: str
    schema: str | None


@dataclass(frozen=True, slots=True)
class SetNotNull:
    table: str
    column: str
    schema: str | None


@dataclass(frozen=True, slots=True)
class DropNotNull:
    table: str
    column: str
    schema: str | None


@dataclass(frozen=True, slots=True)
class AddCheck:
    """``condition`` is SQL."""

    name: str
    table: str
    condition: str
    schema: str | None


@dataclass(frozen=True, slots=True)
class AddForeignKey:
    """``on_delete`` and ``on_update`` are SQL's words (``CASCADE``, ``SET NULL`` …), upper case; None is NO ACTION."""

    name: str
    table: str
    columns: tuple[str, ...]
    referred_table: str
    referred_columns: tuple[str, ...]
    on_delete: str | None
    on_update: str | None
    schema: str | None
    referred_schema: str | None


@dataclass(frozen=True, slots=True)
class AddUnique:
    name: str
    table: str
    columns: tuple[str, ...]
    schema: str | None


@dataclass(frozen=True, slots=True)
class AddPrimaryKey:
    name: str
    table: str
    columns: tuple[str, ...]
    schema: str | None


@dataclass(frozen=True, slots=True)
class ValidateConstraint:
    name: str
    table: str
    schema: str | None


@dataclass(frozen=True, slots=True)
class DropConstraint:
    name: str
    table: str
    schema: str | None


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """``columns`` are names, or ``text()`` with an expression or an order; ``where`` is SQL."""

    name: str
    table: str
    columns: tuple[str | TextClause, ...]
    unique: bool
    schema: str | None
    where: str | None = None
    include: tuple[str, ...] = ()
    method: str | None = None


@dataclass(frozen=True, slots=True)
class DropIndex:
    name: str
    table: str
    schema: str | None


@dataclass(frozen=True, slots=True)
class AddEnumValue:
    """``before`` or ``after`` an existing value; at the end without either."""

    type: str
    value: str
    before: str | None
    after: str | None
    schema: str | None


@dataclass(frozen=True, slots=True)
class Execute:
    """``done_when`` is a query whose first value tells whether it is done; ``undo`` cleans up after a failure."""

    sql: str
    done_when: str | None
    undo: str | None
    tables: tuple[str, ...]
    in_transaction: bool


Operation = (
    CreateTable
    | DropTable
    | RenameTable
    | AddColumn
    | DropColumn
    | SetDefault
    | DropDefault
    | SetNotNull
    | DropNotNull
    | AddCheck
    | AddForeignKey
    | AddUnique
    | AddPrimaryKey
    | ValidateConstraint
    | DropConstraint
    | CreateIndex
    | DropIndex
    | AddEnumValue
    | Execute
)


class LockClass(StrEnum):
    """The strongest lock that a step takes on a table that others use (PostgreSQL manual, "Explicit Locking").

    From weak to strong; what readers and writers of rows take (up to ROW EXCLUSIVE) counts as none.
    """

    NONE = "none"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, and how to see in the catalog that it is done.

    ``is_done`` is the precondition (then the step is skipped) and the post-condition (it must hold afterwards);
    it raises DefinitionConflict where the name is taken by something else. ``is_there`` is the post-condition where
    less has to be asked: what a statement has just made need not be compared with its description.
    """

    summary: str
    statements: tuple[str, ...]
    is_done: Callable[[Connection], bool]
    lock: LockClass
    in_transaction: bool = True
    relations: tuple[str, ...] = ()
    """The tables, as they stand in SQL, that the step locks more strongly than readers and writers do."""
    undo: Step | None = None
    """What cleans up after a failure that left something behind, with a lock policy of its own."""
    prepare: Callable[[Step, Connection], Step] | None = None
    """Asked once, where the step is not done: the step as this very database needs it (its statements, the relations
    that only the catalog knows). Raises ValidationError where rows stand in the way; nothing has been changed then."""
    is_verifiable: bool = True
    """Whether ``is_done`` can be asked afterwards: not so for SQL of which nobody said how to see that it is done."""
    is_there: Callable[[Connection], bool] | None = None
    left_nothing: Callable[[Connection], bool] | None = None
    """Of a step outside transactions that has no ``undo``: whether a failure left nothing behind."""


class OperationExecutor(Protocol):
    """Whoever carries out what ``op`` describes; the runner provides it."""

    def execute(self, operation: Operation) -> None:
        """Bring the database to where ``operation`` wants it; does nothing where it is there already."""


current_executor: ContextVar[OperationExecutor | None] = ContextVar("nonstop_executor", default=None)
"""Set while a script runs."""
