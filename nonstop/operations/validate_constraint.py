"""Validate a constraint that was added NOT VALID."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.descriptions.operations import LockClass, Step, ValidateConstraint
from nonstop.errors import DefinitionConflict
from nonstop.operations import catalog


def steps(operation: ValidateConstraint, database: Database) -> list[Step]:
    """One step: a scan beside readers and writers. Where there are no unvalidated constraints it is done already."""
    dialect = database.dialect()
    table = catalog.quoted(dialect, operation.table, operation.schema)
    constraint = dialect.identifier_preparer.quote(operation.name)

    def is_done(connection: Connection) -> bool:
        catalog.require_table(connection, operation.table, operation.schema)
        existing = database.catalog.constraint(connection, operation.table, operation.name, operation.schema)
        if existing is None:
            raise DefinitionConflict(
                f"there is no constraint {operation.name} on {operation.table}",
                next_step="add it first (op.add_check, op.add_foreign_key)",
            )
        return existing.is_validated

    def with_parent(step: Step, connection: Connection) -> Step:
        existing = database.catalog.constraint(connection, operation.table, operation.name, operation.schema)
        if existing is None or not existing.referred_table:
            return step
        parent = catalog.quoted(dialect, existing.referred_table, existing.referred_schema)
        return replace(step, relations=(table, parent))

    return [
        Step(
            f"validate constraint {operation.name} of {operation.table}",
            (f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}",),
            is_done,
            LockClass.SHARE_UPDATE_EXCLUSIVE,
            in_transaction=False,
            relations=(table,),
            prepare=with_parent,
        )
    ]
