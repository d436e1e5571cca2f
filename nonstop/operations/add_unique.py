"""Make columns unique: the index is built beside readers and writers, the constraint only takes it over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.databases.catalog import Constraint
from nonstop.descriptions.operations import AddUnique, CreateIndex, LockClass, Step
from nonstop.operations import catalog, create_index, rows

IsDone = Callable[[Connection], bool]


def steps(operation: AddUnique, database: Database) -> list[Step]:
    """The steps of a unique index, then ADD CONSTRAINT … USING INDEX, which only notes it in the catalog.

    SQLite keeps a uniqueness as an index anyway: there it is that index, of the constraint's name.
    """

    def is_done(connection: Connection) -> bool:
        return existing_key(database, connection, operation, "unique") is not None

    index = index_steps(database, operation, is_done)
    if not database.alters_in_place:
        return index
    dialect = database.dialect()
    table = catalog.quoted(dialect, operation.table, operation.schema)
    name = dialect.identifier_preparer.quote(operation.name)
    return [
        *index,
        Step(
            f"add constraint {operation.name} to {operation.table}",
            (f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}",),
            is_done,
            LockClass.ACCESS_EXCLUSIVE,
            relations=(table,),
        ),
    ]


def index_steps(database: Database, key: AddUnique, is_done: IsDone) -> list[Step]:
    """The steps of the unique index behind a key; done too where the key itself is there already."""
    description = CreateIndex(key.name, key.table, key.columns, True, key.schema)
    look = rows.require_unique(database, key.table, key.schema, key.columns, f"{key.name} can't be unique")
    planned = create_index.steps(description, database)

    def or_has_key(original: IsDone) -> IsDone:
        return lambda connection: is_done(connection) or original(connection)

    guarded = [replace(step, is_done=or_has_key(step.is_done)) for step in planned]
    before = [step.prepare for step in (guarded[-1],) if step.prepare is not None]
    return [*guarded[:-1], replace(guarded[-1], prepare=rows.all_of(look, *before))]


def existing_key(
    database: Database, connection: Connection, wanted: AddUnique, kind: str
) -> Constraint | None:
    """The constraint of that name. Raises DefinitionConflict where it is another."""
    catalog.require_table(connection, wanted.table, wanted.schema)
    existing = database.catalog.constraint(connection, wanted.table, wanted.name, wanted.schema)
    if existing is not None and (existing.kind != kind or existing.columns != wanted.columns):
        raise catalog.conflict(
            f"constraint {wanted.name}", f"{existing.kind} {existing.columns}", f"{kind} {wanted.columns}"
        )
    return existing
