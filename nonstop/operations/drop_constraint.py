"""Drop a constraint: a check, a foreign key, a uniqueness or a primary key (failure mode C26)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.databases.sqlite_catalog import table_text
from nonstop.descriptions.operations import DropConstraint, LockClass, Step
from nonstop.operations import catalog, rebuild


def steps(operation: DropConstraint, database: Database) -> list[Step]:
    """One step: ACCESS EXCLUSIVE for an instant, for a foreign key on both tables; or the table made anew."""
    dialect = database.dialect()
    table = catalog.quoted(dialect, operation.table, operation.schema)
    constraint = dialect.identifier_preparer.quote(operation.name)
    summary = f"drop constraint {operation.name} of {operation.table}"

    def is_done(connection: Connection) -> bool:
        return (
            database.catalog.constraint(connection, operation.table, operation.name, operation.schema) is None
        )

    if not database.alters_in_place:
        planned = rebuild.step(
            database, summary, operation.table, lambda old: old.without_constraint(operation.name), is_done
        )

        def drop_its_index(step: Step, connection: Connection) -> Step:
            # A uniqueness that was added to a table in use is an index of that name.
            text = table_text(connection, operation.table)
            if text is not None and text.find(operation.name) is None:
                return replace(step, statements=(f"DROP INDEX {constraint}",))
            assert planned.prepare is not None
            return planned.prepare(step, connection)

        return [replace(planned, prepare=drop_its_index)]

    def with_parent(step: Step, connection: Connection) -> Step:
        existing = database.catalog.constraint(connection, operation.table, operation.name, operation.schema)
        if existing is None or not existing.referred_table:
            return step
        parent = catalog.quoted(dialect, existing.referred_table, existing.referred_schema)
        return step if parent == table else replace(step, relations=(table, parent))

    return [
        Step(
            summary,
            (f"ALTER TABLE {table} DROP CONSTRAINT {constraint}",),
            is_done,
            LockClass.ACCESS_EXCLUSIVE,
            relations=(table,),
            prepare=with_parent,
        )
    ]
