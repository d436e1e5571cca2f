"""Create an index: concurrently where the database can, so that writers go on (failure modes C2-C5, C34)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Column, Connection, Index, MetaData, Table, text
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex as CreateIndexStatement

from nonstop.databases.base import Database
from nonstop.descriptions.operations import CreateIndex, LockClass, Step
from nonstop.operations import catalog
from nonstop.operations.compare_index import compare_index

IsDone = Callable[[Connection], bool]


def steps(operation: CreateIndex, database: Database) -> list[Step]:
    """Plainly in one step; or concurrently, after what a failed build left has been dropped.

    A concurrent build that fails leaves an INVALID index, which slows every write and which IF NOT EXISTS would
    take for a good one (PostgreSQL manual, CREATE INDEX, "Building Indexes Concurrently").

    The index of a partitioned table can't be built concurrently: an invalid one is made on the parent alone, each
    partition's is built concurrently and attached, and with the last one the parent's becomes valid.
    """
    dialect = database.dialect()
    statement = sql(operation, dialect)
    summary = f"create index {operation.name} on {operation.table}({', '.join(map(str, operation.columns))})"
    table = catalog.quoted(dialect, operation.table, operation.schema)

    def exists(connection: Connection) -> bool:
        catalog.require_table(connection, operation.table, operation.schema)
        existing = database.catalog.index(connection, operation.table, operation.name, operation.schema)
        if existing is None or database.has_invalid_index(connection, operation.name, operation.schema):
            return False
        compare_index(database, connection, operation, existing)
        return True

    if not database.builds_indexes_concurrently:
        return [Step(summary, (statement,), exists, LockClass.NONE)]

    def is_done(connection: Connection) -> bool:
        existing = database.catalog.index(connection, operation.table, operation.name, operation.schema)
        return exists(connection) and existing is not None and existing.is_valid

    def has_no_leftover(connection: Connection) -> bool:
        return not database.has_invalid_index(connection, operation.name, operation.schema)

    def is_plain_or_exists(connection: Connection) -> bool:
        return _partitions(database, connection, operation) is None or exists(connection)

    def each_partition(step: Step, connection: Connection) -> Step:
        from nonstop.operations import partitioned_index

        if _partitions(database, connection, operation) is None:
            return step
        return partitioned_index.build(step, operation, database, connection)

    name = catalog.quoted(dialect, operation.name, operation.schema)
    drop = f"DROP INDEX CONCURRENTLY IF EXISTS {name}"
    return [
        Step(
            f"drop what a failed build left of index {operation.name}",
            (drop,),
            has_no_leftover,
            LockClass.SHARE_UPDATE_EXCLUSIVE,
            in_transaction=False,
            relations=(table,),
        ),
        Step(
            f"{summary}, on the partitioned table alone",
            (),
            is_plain_or_exists,
            LockClass.SHARE_ROW_EXCLUSIVE,
            relations=(table,),
            prepare=lambda step, _: replace(
                step, statements=(statement.replace(f" ON {table} ", f" ON ONLY {table} ", 1),)
            ),
        ),
        Step(
            summary,
            (statement.replace(" INDEX ", " INDEX CONCURRENTLY ", 1),),
            is_done,
            LockClass.SHARE_UPDATE_EXCLUSIVE,
            in_transaction=False,
            relations=(table,),
            prepare=each_partition,
            undo=(drop,),
        ),
    ]


def sql(operation: CreateIndex, dialect: Dialect) -> str:
    """The plain CREATE INDEX. Raises nothing for what another database does not know: it leaves that out."""
    columns: list[Column[object]] = [Column(name) for name in operation.columns if isinstance(name, str)]
    further: list[Column[object]] = [
        Column(name) for name in operation.include if name not in {column.name for column in columns}
    ]
    table = Table(operation.table, MetaData(), *columns, *further, schema=operation.schema)
    keys = [table.c[key] if isinstance(key, str) else key for key in operation.columns]
    where = text(operation.where) if operation.where else None
    index = Index(
        operation.name, *keys, unique=operation.unique, _table=table,
        postgresql_where=where, sqlite_where=where, postgresql_using=operation.method or False,
        postgresql_include=list(operation.include),
    )  # fmt: skip
    return str(CreateIndexStatement(index).compile(dialect=dialect))


def _partitions(database: Database, connection: Connection, operation: CreateIndex) -> object:
    return database.catalog.partitions(connection, operation.table, operation.schema)
