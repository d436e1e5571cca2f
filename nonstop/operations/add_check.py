"""Add a check without reading the table under a lock."""

from __future__ import annotations

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.databases.catalog import Constraint
from nonstop.descriptions.operations import AddCheck, LockClass, Step
from nonstop.operations import catalog, constraints, rows


def steps(operation: AddCheck, database: Database) -> list[Step]:
    """NOT VALID in an instant, then validated beside readers and writers; or the table made anew."""
    table = catalog.quoted(database.dialect(), operation.table, operation.schema)

    def compare(connection: Connection, existing: Constraint) -> None:
        wanted = operation.condition
        if existing.kind != "check" or not database.catalog.same_expression(
            connection, operation.table, operation.schema, existing.expression, wanted
        ):
            has = f"{existing.kind} {existing.expression}".strip()
            raise catalog.conflict(f"constraint {operation.name}", has, f"check {wanted}")

    look = rows.require_none(
        database, operation.table, operation.schema, f"NOT ({operation.condition})", f"break {operation.name}"
    )
    return constraints.add_then_validate(
        database,
        (operation.name, operation.table, operation.schema),
        f"CHECK ({operation.condition})",
        compare,
        look,
        LockClass.ACCESS_EXCLUSIVE,
        (table,),
    )
