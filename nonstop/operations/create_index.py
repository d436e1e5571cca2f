"""Create an index: concurrently where the database can, so that writers go on (failure modes C2-C5, C34)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.databases.catalog import Index as ExistingIndex
from nonstop.descriptions.operations import CreateIndex, LockClass, Step
from nonstop.operations import catalog, online_forms
from nonstop.operations.compare_index import compare_index
from nonstop.operations.index_sql import index_sql
from nonstop.operations.partitioned_index import PartitionedIndex


def steps(operation: CreateIndex, database: Database) -> list[Step]:
    """Plainly in one step; or concurrently, after what a failed build left has been dropped.

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

    def state(connection: Connection) -> bool | None:
        existing = find(connection)
        if existing is not None and existing.is_valid:
            compare_index(database, connection, operation, existing)
        return None if existing is None else existing.is_valid

    def is_done(connection: Connection) -> bool:
        return state(connection) is True

    if not database.builds_indexes_concurrently:
        return [Step(summary, (statement,), is_done, LockClass.NONE)]
    parts = PartitionedIndex(operation, database)
    drop_leftover, build = online_forms.build_concurrently(
        statement.replace(" INDEX ", " INDEX CONCURRENTLY ", 1),
        f"DROP INDEX CONCURRENTLY IF EXISTS {catalog.quoted(dialect, operation.name, operation.schema)}",
        operation.name,
        summary,
        state,
        (table,),
    )
    drop_leftover = replace(drop_leftover, prepare=parts.drop_whole)
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
        replace(build, prepare=parts.tie_together, undo=drop_leftover),
    ]
