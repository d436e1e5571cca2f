"""The index of a partitioned table: built concurrently on each partition, then attached (failure mode C34)."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.databases.catalog import Relation
from nonstop.descriptions.operations import CreateIndex, Step
from nonstop.operations import catalog, create_index

LONGEST_NAME = 63


def build(step: Step, operation: CreateIndex, database: Database, connection: Connection) -> Step:
    """The step with a build and an ATTACH for each partition that has no index of ours yet.

    An index that a failed build left is dropped first; one that is attached already is left alone by ATTACH.
    """
    statements: list[str] = []
    relations = list(step.relations)
    dialect = database.dialect()
    parent = catalog.quoted(dialect, operation.name, operation.schema)
    for partition in database.catalog.partitions(connection, operation.table, operation.schema) or []:
        own = replace(operation, name=name_for(operation.name, partition), table=partition.name, schema=partition.schema)
        name = catalog.quoted(dialect, own.name, own.schema)
        existing = database.catalog.index(connection, own.table, own.name, own.schema)
        if existing is not None and not existing.is_valid:
            statements.append(f"DROP INDEX CONCURRENTLY {name}")
        if existing is None or not existing.is_valid:
            plain = create_index.sql(own, dialect)
            statements.append(plain.replace(" INDEX ", " INDEX CONCURRENTLY ", 1))
        statements.append(f"ALTER INDEX {parent} ATTACH PARTITION {name}")
        relations.append(catalog.quoted(dialect, partition.name, partition.schema))
    return replace(step, statements=tuple(statements), relations=tuple(relations), undo=())


def name_for(index: str, partition: Relation) -> str:
    """The name of a partition's index: the same whenever it is asked for, and short enough."""
    name = f"{index}_{partition.name}"
    if len(name.encode()) <= LONGEST_NAME:
        return name
    return f"{index[:40]}_{hashlib.sha256(name.encode()).hexdigest()[:16]}"
