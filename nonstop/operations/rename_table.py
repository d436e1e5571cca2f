"""Rename a table. Code that is running and uses the old name fails from then on: see docs/operations/rename_table.md."""

from __future__ import annotations

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.descriptions.operations import LockClass, RenameTable, Step
from nonstop.errors import DefinitionConflict
from nonstop.operations import catalog


def steps(operation: RenameTable, database: Database) -> list[Step]:
    """One step. Foreign keys, indexes, triggers and views go on meaning the same table."""
    dialect = database.dialect()
    table = catalog.quoted(dialect, operation.table, operation.schema)
    new_name = dialect.identifier_preparer.quote(operation.new_name)

    def is_done(connection: Connection) -> bool:
        has_old = catalog.has_table(connection, operation.table, operation.schema)
        has_new = catalog.has_table(connection, operation.new_name, operation.schema)
        if has_old and has_new:
            raise DefinitionConflict(
                f"{operation.table} can't be renamed: there is a table {operation.new_name} already",
                next_step="drop or rename one of the two; nothing was changed",
            )
        if not has_old and not has_new:
            catalog.require_table(connection, operation.table, operation.schema)
        return has_new

    return [
        Step(
            f"rename table {operation.table} to {operation.new_name}",
            (f"ALTER TABLE {table} RENAME TO {new_name}",),
            is_done,
            LockClass.ACCESS_EXCLUSIVE,
            relations=(table,),
        )
    ]
