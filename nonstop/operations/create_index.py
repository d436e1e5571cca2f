"""Create an index: concurrently where the database can, so that writers go on (failure modes C2-C5, C34)."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.databases.catalog import Index as ExistingIndex
from nonstop.descriptions.operations import CreateIndex, LockClass, Step
from nonstop.operations import catalog
from nonstop.operations.compare_index import compare_index
from nonstop.operations.index_sql import index_sql
from nonstop.operations.partitioned_index import PartitionedIndex

IsDone = Callable[[Connection], bool]


def steps(operation: CreateIndex, database: Database) -> list[Step]:
    """Plainly in one step; or concurrently, after what a failed build left has been dropped.

    A concurrent build that fails leaves an INVALID index, which slows every write and which IF NOT EXISTS would
    take for a good one (PostgreSQL manual, CREATE INDEX, "Building Indexes Concurrently").

    A partitioned table's index can't be built concurrently, but takes over those that its partitions have already: so
    each partition's is built concurrently, and the parent's, which then only ties them together, follows in an instant.
    """
    dialect = database.dialect()
    statement = index_sql(operation, dialect)
    summary = f"create index {operation.name} on {operation.table}({', '.join(map(str, operation.columns))})"
    table = catalog.quoted(dialect, operation.table, operation.schema)

    def find(connection: Connection) -> ExistingIndex | None:
        catalog.require_table(connection, operation.table, operation.schema)
        return database.catalog.index(connection, operation.table, operation.name, operation.schema)

    def is_done(connection: Connection) -> bool:
        existing = find(connection)
        if existing is None or not existing.is_valid:
            return False
        compare_index(database, connection, operation, existing)
        return True

    def has_no_leftover(connection: Connection) -> bool:
        existing = find(connection)
        return existing is None or existing.is_valid

    if not database.builds_indexes_concurrently:
        return [Step(summary, (statement,), is_done, LockClass.NONE)]
    name = catalog.quoted(dialect, operation.name, operation.schema)
    parts = PartitionedIndex(operation, database)
    drop_leftover = Step(
        f"drop what a failed build left of index {operation.name}",
        (f"DROP INDEX CONCURRENTLY IF EXISTS {name}",),
        has_no_leftover,
        LockClass.SHARE_UPDATE_EXCLUSIVE,
        in_transaction=False,
        relations=(table,),
        prepare=parts.drop_whole,
    )
    return [
        drop_leftover,
        Step(
            f"create index {operation.name} on each partition of {operation.table}",
            (),
            lambda connection: is_done(connection) or parts.are_built(connection),
            LockClass.SHARE_UPDATE_EXCLUSIVE,
            in_transaction=False,
            relations=(table,),
            prepare=parts.build_each,
            left_nothing=parts.left_nothing,
        ),
        Step(
            summary,
            (statement.replace(" INDEX ", " INDEX CONCURRENTLY ", 1),),
            is_done,
            LockClass.SHARE_UPDATE_EXCLUSIVE,
            in_transaction=False,
            relations=(table,),
            prepare=parts.tie_together,
            undo=drop_leftover,
        ),
    ]
