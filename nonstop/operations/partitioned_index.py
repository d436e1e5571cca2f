"""What is different about the index of a partitioned table (failure mode C34)."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.databases.catalog import Relation
from nonstop.descriptions.operations import CreateIndex, DropIndex, LockClass, Step
from nonstop.operations import catalog
from nonstop.operations.compare_index import compare_index
from nonstop.operations.index_sql import index_sql

LONGEST_NAME = 63


class PartitionedIndex:
    """Turns steps of an index into those of a partitioned table's, where the table turns out to be one."""

    def __init__(self, operation: CreateIndex | DropIndex, database: Database) -> None:
        self._operation = operation
        self._database = database

    def drop_whole(self, step: Step, connection: Connection) -> Step:
        """Its index can't be dropped concurrently; the partitions' indexes go with it, in an instant."""
        partitions = self._partitions(connection)
        if partitions is None:
            return step
        name = catalog.quoted(self._database.dialect(), self._operation.name, self._operation.schema)
        return self._in_an_instant(step, f"DROP INDEX {name}", LockClass.ACCESS_EXCLUSIVE, partitions)

    def tie_together(self, step: Step, connection: Connection) -> Step:
        """A plain CREATE INDEX finds the indexes of the partitions and builds nothing."""
        partitions = self._partitions(connection)
        if partitions is None:
            return step
        statement = index_sql(self._description, self._database.dialect())
        return self._in_an_instant(step, statement, LockClass.SHARE, partitions)

    def are_built(self, connection: Connection) -> bool:
        """Whether each partition has its index, or the table is not partitioned at all."""
        for own in self._own_indexes(connection):
            existing = self._database.catalog.index(connection, own.table, own.name, own.schema)
            if existing is None or not existing.is_valid:
                return False
            compare_index(self._database, connection, own, existing)
        return True

    def left_nothing(self, connection: Connection) -> bool:
        """Whether no partition has an index whose build has failed."""
        found = [
            self._database.catalog.index(connection, own.table, own.name, own.schema)
            for own in self._own_indexes(connection)
        ]
        return all(existing is None or existing.is_valid for existing in found)

    def build_each(self, step: Step, connection: Connection) -> Step:
        """A concurrent build for each partition that has no index yet, after what a failed build left is dropped."""
        dialect = self._database.dialect()
        statements: list[str] = []
        for own in self._own_indexes(connection):
            existing = self._database.catalog.index(connection, own.table, own.name, own.schema)
            if existing is not None and not existing.is_valid:
                statements.append(f"DROP INDEX CONCURRENTLY {catalog.quoted(dialect, own.name, own.schema)}")
            if existing is None or not existing.is_valid:
                statements.append(index_sql(own, dialect).replace(" INDEX ", " INDEX CONCURRENTLY ", 1))
        return replace(step, statements=tuple(statements))

    # --- details ----------------------------------------------------------------------------------------------

    @property
    def _description(self) -> CreateIndex:
        assert isinstance(self._operation, CreateIndex)
        return self._operation

    def _partitions(self, connection: Connection) -> list[Relation] | None:
        return self._database.catalog.partitions(connection, self._operation.table, self._operation.schema)

    def _own_indexes(self, connection: Connection) -> list[CreateIndex]:
        """The description of each partition's index."""
        index = self._description
        return [
            replace(
                index, name=name_for(index.name, partition), table=partition.name, schema=partition.schema
            )
            for partition in self._partitions(connection) or []
        ]

    def _in_an_instant(self, step: Step, statement: str, lock: LockClass, partitions: list[Relation]) -> Step:
        dialect = self._database.dialect()
        names = tuple(catalog.quoted(dialect, partition.name, partition.schema) for partition in partitions)
        return replace(
            step,
            statements=(statement,),
            lock=lock,
            in_transaction=True,
            relations=(*step.relations, *names),
            undo=None,
        )


def name_for(index: str, partition: Relation) -> str:
    """The name of a partition's index: the same whenever it is asked for, and short enough."""
    name = f"{index}_{partition.name}"
    if len(name.encode()) <= LONGEST_NAME:
        return name
    return f"{index[:40]}_{hashlib.sha256(name.encode()).hexdigest()[:16]}"
