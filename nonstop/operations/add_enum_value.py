"""Add a value to an enumerated type (failure mode C22)."""

from __future__ import annotations

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.descriptions.operations import AddEnumValue, LockClass, Step
from nonstop.errors import DefinitionConflict
from nonstop.operations import catalog


def steps(operation: AddEnumValue, database: Database) -> list[Step]:
    """One step that locks no table. It is committed at once: only then may the value be used.

    Where there are no enumerated types, SQLAlchemy's Enum is a string: nothing is to be done.
    """
    summary = f"add value {operation.value!r} to type {operation.type}"
    if not database.alters_in_place:
        return [Step(f"{summary} (a string here)", (), lambda _: True, LockClass.NONE)]
    name = catalog.quoted(database.dialect(), operation.type, operation.schema)
    place = f" BEFORE {_literal(operation.before)}" if operation.before is not None else ""
    place += f" AFTER {_literal(operation.after)}" if operation.after is not None else ""

    def is_done(connection: Connection) -> bool:
        values = database.catalog.enum_values(connection, operation.type, operation.schema)
        if values is None:
            raise DefinitionConflict(
                f"there is no enumerated type {operation.type}", next_step="create it first"
            )
        return operation.value in values

    statement = f"ALTER TYPE {name} ADD VALUE {_literal(operation.value)}{place}"
    return [Step(summary, (statement,), is_done, LockClass.NONE)]


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
