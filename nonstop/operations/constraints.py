"""What the operations on constraints have in common: add unvalidated, then validate; made anew elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.databases.catalog import Constraint
from nonstop.databases.sqlite_table import TableText
from nonstop.descriptions.operations import LockClass, Step
from nonstop.operations import catalog, online_forms, rebuild
from nonstop.operations.rows import Prepare


def add_then_validate(
    database: Database,
    what: tuple[str, str, str | None],
    definition: str,
    compare: Callable[[Connection, Constraint], None],
    look: Prepare,
    lock: LockClass,
    relations: tuple[str, ...],
) -> list[Step]:
    """Two steps for the constraint ``what`` (name, table, schema): a short lock to add it NOT VALID, then a scan that
    blocks nobody. ``compare`` raises DefinitionConflict where one of that name is something else; ``look`` refuses
    where rows stand in the way. A validation that fails takes the constraint back: it would stop updates of old rows.
    """
    name, table_name, schema = what
    dialect = database.dialect()
    table = catalog.quoted(dialect, table_name, schema)
    constraint = dialect.identifier_preparer.quote(name)

    def find(connection: Connection) -> Constraint | None:
        catalog.require_table(connection, table_name, schema)
        existing = database.catalog.constraint(connection, table_name, name, schema)
        if existing is not None:
            compare(connection, existing)
        return existing

    def state(connection: Connection) -> bool | None:
        existing = find(connection)
        return None if existing is None else existing.is_validated

    constraint_of_table = f"constraint {name} of {table_name}"
    if not database.alters_in_place:
        change = partial(_with_constraint, definition=f"CONSTRAINT {constraint} {definition}")
        return [
            rebuild.step(
                database, f"add {constraint_of_table}", table_name, change, lambda c: state(c) is True, look
            )
        ]
    add, validate = online_forms.add_then_validate(
        (
            f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition} NOT VALID",
            f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}",
            f"ALTER TABLE {table} DROP CONSTRAINT {constraint}",
        ),
        constraint_of_table,
        state,
        lock,
        relations,
    )
    return [replace(add, prepare=look), validate]


def _with_constraint(old: TableText, definition: str) -> TableText:
    return old.with_constraint(definition)
