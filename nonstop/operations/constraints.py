"""What the operations on constraints have in common: add unvalidated, then validate; made anew elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.databases.catalog import Constraint
from nonstop.databases.sqlite_table import TableText
from nonstop.descriptions.operations import LockClass, Step
from nonstop.operations import catalog, rebuild
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

    def is_valid(connection: Connection) -> bool:
        existing = find(connection)
        return existing is not None and existing.is_validated

    def holds_nobody_up(connection: Connection) -> bool:
        existing = find(connection)
        return existing is None or existing.is_validated

    summary = f"add constraint {name} to {table_name}"
    if not database.alters_in_place:
        change = partial(_with_constraint, definition=f"CONSTRAINT {constraint} {definition}")
        return [rebuild.step(database, summary, table_name, change, is_valid, look)]
    return [
        Step(
            f"{summary}, for new values",
            (f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition} NOT VALID",),
            lambda connection: find(connection) is not None,
            lock,
            relations=relations,
            prepare=look,
        ),
        Step(
            f"{summary}, for all values",
            (f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}",),
            is_valid,
            LockClass.SHARE_UPDATE_EXCLUSIVE,
            in_transaction=False,
            relations=relations,
            undo=Step(
                f"take back constraint {name} of {table_name}",
                (f"ALTER TABLE {table} DROP CONSTRAINT {constraint}",),
                holds_nobody_up,
                LockClass.ACCESS_EXCLUSIVE,
                relations=relations,
            ),
        ),
    ]


def _with_constraint(old: TableText, definition: str) -> TableText:
    return old.with_constraint(definition)
