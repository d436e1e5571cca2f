"""One online operation per file: each turns its description into steps for a database."""

from __future__ import annotations

from typing import Any

from nonstop.databases.base import Database
from nonstop.descriptions.operations import (
    AddCheck,
    AddColumn,
    AddEnumValue,
    AddForeignKey,
    AddPrimaryKey,
    AddUnique,
    CreateIndex,
    CreateTable,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropIndex,
    DropNotNull,
    DropTable,
    Execute,
    Operation,
    RenameTable,
    SetDefault,
    SetNotNull,
    Step,
    ValidateConstraint,
)
from nonstop.operations import (
    add_check,
    add_column,
    add_enum_value,
    add_foreign_key,
    add_primary_key,
    add_unique,
    create_index,
    create_table,
    drop_column,
    drop_constraint,
    drop_default,
    drop_index,
    drop_not_null,
    drop_table,
    execute,
    rename_table,
    set_default,
    set_not_null,
    validate_constraint,
)

STEPS: dict[type, Any] = {
    AddCheck: add_check.steps,
    AddColumn: add_column.steps,
    AddEnumValue: add_enum_value.steps,
    AddForeignKey: add_foreign_key.steps,
    AddPrimaryKey: add_primary_key.steps,
    AddUnique: add_unique.steps,
    CreateIndex: create_index.steps,
    CreateTable: create_table.steps,
    DropColumn: drop_column.steps,
    DropConstraint: drop_constraint.steps,
    DropDefault: drop_default.steps,
    DropIndex: drop_index.steps,
    DropNotNull: drop_not_null.steps,
    DropTable: drop_table.steps,
    Execute: execute.steps,
    RenameTable: rename_table.steps,
    SetDefault: set_default.steps,
    SetNotNull: set_not_null.steps,
    ValidateConstraint: validate_constraint.steps,
}


def steps_for(operation: Operation, database: Database) -> list[Step]:
    """The steps that carry out ``operation`` on ``database``, in order. Nothing is connected."""
    steps: list[Step] = STEPS[type(operation)](operation, database)
    return steps
