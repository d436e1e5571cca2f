"""Create an index: concurrently where the database can, so that writers go on (failure modes C2-C5)."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Index, MetaData, Table
from sqlalchemy.schema import CreateIndex as CreateIndexStatement

from nonstop.databases.base import Database
from nonstop.descriptions.operations import CreateIndex, LockClass, Step
from nonstop.operations import catalog


def steps(operation: CreateIndex, database: Database) -> list[Step]:
    """Plainly in one step; or concurrently, after what a failed build left has been dropped.

    A concurrent build that fails leaves an INVALID index, which slows every write and which IF NOT EXISTS would
    take for a good one (PostgreSQL manual, CREATE INDEX, "Building Indexes Concurrently").
    """
    dialect = database.dialect()
    statement = str(CreateIndexStatement(_index(operation)).compile(dialect=dialect))
    summary = f"create index {operation.name} on {operation.table}({', '.join(operation.columns)})"

    def is_done(connection: Connection) -> bool:
        existing = catalog.indexes(connection, operation.table, operation.schema).get(operation.name)
        if existing is None or database.has_invalid_index(connection, operation.name, operation.schema):
            return False
        catalog.compare_index(operation, existing)
        return True

    if not database.builds_indexes_concurrently:
        return [Step(summary, (statement,), is_done, LockClass.NONE)]

    def has_no_leftover(connection: Connection) -> bool:
        return not database.has_invalid_index(connection, operation.name, operation.schema)

    name = catalog.quoted(dialect, operation.name, operation.schema)
    return [
        Step(
            f"drop what a failed build left of index {operation.name}",
            (f"DROP INDEX CONCURRENTLY IF EXISTS {name}",),
            has_no_leftover,
            LockClass.SHARE_UPDATE_EXCLUSIVE,
            in_transaction=False,
        ),
        Step(
            summary,
            (statement.replace(" INDEX ", " INDEX CONCURRENTLY ", 1),),
            is_done,
            LockClass.SHARE_UPDATE_EXCLUSIVE,
            in_transaction=False,
        ),
    ]


def _index(operation: CreateIndex) -> Index:
    columns: list[Column[object]] = [Column(name) for name in operation.columns]
    table = Table(operation.table, MetaData(), *columns, schema=operation.schema)
    return Index(operation.name, *table.columns, unique=operation.unique)
