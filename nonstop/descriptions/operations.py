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
class CreateIndex:
    name: str
    table: str
    columns: tuple[str, ...]
    unique: bool
    schema: str | None


@dataclass(frozen=True, slots=True)
class DropIndex:
    name: str
    table: str
    schema: str | None


Operation = CreateTable | DropTable | AddColumn | DropColumn | CreateIndex | DropIndex


class LockClass(StrEnum):
    """The strongest lock that a step takes on a table that others use (PostgreSQL manual, "Explicit Locking")."""

    NONE = "none"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
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
    is_there: Callable[[Connection], bool] | None = None


class OperationExecutor(Protocol):
    """Whoever carries out what ``op`` describes; the runner provides it."""

    def execute(self, operation: Operation) -> None:
        """Bring the database to where ``operation`` wants it; does nothing where it is there already."""


current_executor: ContextVar[OperationExecutor | None] = ContextVar("nonstop_executor", default=None)
"""Set while a script runs."""
