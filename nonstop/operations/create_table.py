"""Create a table with its constraints and indexes. Nobody uses it yet, so nothing can be blocked but a key's parent."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.schema import CreateIndex, CreateTable

from nonstop.databases.base import Database
from nonstop.descriptions import operations as described
from nonstop.descriptions.operations import LockClass, Step
from nonstop.operations import catalog


def steps(operation: described.CreateTable, database: Database) -> list[Step]:
    """One step in one transaction. A foreign key locks its parent SHARE ROW EXCLUSIVE for an instant."""
    table = operation.table
    dialect = database.dialect()
    statements = [str(CreateTable(table).compile(dialect=dialect)).strip()]
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    statements += [str(CreateIndex(index).compile(dialect=dialect)) for index in indexes]

    def is_there(connection: Connection) -> bool:
        return database.has_relation(connection, table.name, table.schema)

    def is_done(connection: Connection) -> bool:
        if not is_there(connection):
            return False
        catalog.compare_table(connection, table, database)
        return True

    lock = LockClass.SHARE_ROW_EXCLUSIVE if table.foreign_keys else LockClass.NONE
    parents = {key.column.table for key in table.foreign_keys} - {table}
    relations = tuple(sorted(catalog.quoted(dialect, parent.name, parent.schema) for parent in parents))
    summary = f"create table {table.fullname}"
    return [Step(summary, tuple(statements), is_done, lock, relations=relations, is_there=is_there)]
