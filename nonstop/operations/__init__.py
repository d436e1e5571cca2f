"""One online operation per file: each turns its description into steps for a database."""

from __future__ import annotations

from typing import Any

from nonstop.databases.base import Database
from nonstop.descriptions.operations import (
    AddColumn,
    CreateIndex,
    CreateTable,
    DropColumn,
    DropIndex,
    DropTable,
    Operation,
    Step,
)
from nonstop.operations import add_column, create_index, create_table, drop_column, drop_index, drop_table

STEPS: dict[type, Any] = {
    AddColumn: add_column.steps,
    CreateIndex: create_index.steps,
    CreateTable: create_table.steps,
    DropColumn: drop_column.steps,
    DropIndex: drop_index.steps,
    DropTable: drop_table.steps,
}


def steps_for(operation: Operation, database: Database) -> list[Step]:
    """The steps that carry out ``operation`` on ``database``, in order. Nothing is connected."""
    steps: list[Step] = STEPS[type(operation)](operation, database)
    return steps
