"""Add a foreign key without reading either table under a lock (failure mode C25)."""

from __future__ import annotations

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.databases.catalog import Constraint
from nonstop.descriptions.operations import AddForeignKey, LockClass, Step
from nonstop.operations import catalog, constraints, rows


def steps(operation: AddForeignKey, database: Database) -> list[Step]:
    """NOT VALID locks both tables SHARE ROW EXCLUSIVE for an instant; the validation reads beside readers and writers.

    Or the table is made anew.
    """
    dialect = database.dialect()
    quote = dialect.identifier_preparer.quote
    table = catalog.quoted(dialect, operation.table, operation.schema)
    parent = catalog.quoted(dialect, operation.referred_table, operation.referred_schema)

    def compare(connection: Connection, existing: Constraint) -> None:
        has, wants = _shape(existing), _wanted(operation)
        if existing.kind != "foreign key" or has != wants:
            raise catalog.conflict(
                f"constraint {operation.name}", f"{existing.kind} {has}", f"foreign key {wants}"
            )

    return constraints.add_then_validate(
        database,
        (operation.name, operation.table, operation.schema),
        _definition(operation, ", ".join(map(quote, operation.columns)), parent,
                    ", ".join(map(quote, operation.referred_columns))),
        compare,
        rows.require_none(
            database, operation.table, operation.schema, orphans(operation, database),
            f"refer to no row of {operation.referred_table}",
        ),
        LockClass.SHARE_ROW_EXCLUSIVE,
        (table,) if table == parent else (table, parent),
    )  # fmt: skip


def orphans(operation: AddForeignKey, database: Database) -> str:
    """The condition of rows ``t`` whose parent is missing; a row with a NULL in its key needs none (MATCH SIMPLE)."""
    dialect = database.dialect()
    quote = dialect.identifier_preparer.quote
    own = [f"t.{quote(column)}" for column in operation.columns]
    theirs = [f"p.{quote(column)}" for column in operation.referred_columns]
    parent = catalog.quoted(dialect, operation.referred_table, operation.referred_schema)
    given = " AND ".join(f"{column} IS NOT NULL" for column in own)
    same = " AND ".join(f"{one} = {other}" for one, other in zip(theirs, own, strict=True))
    return f"{given} AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {same})"


def _definition(operation: AddForeignKey, columns: str, parent: str, referred: str) -> str:
    actions = f" ON DELETE {operation.on_delete}" if operation.on_delete else ""
    actions += f" ON UPDATE {operation.on_update}" if operation.on_update else ""
    return f"FOREIGN KEY ({columns}) REFERENCES {parent} ({referred}){actions}"


def _shape(existing: Constraint) -> tuple[object, ...]:
    return (
        existing.columns,
        existing.referred_table,
        existing.referred_columns,
        existing.on_delete,
        existing.on_update,
    )


def _wanted(operation: AddForeignKey) -> tuple[object, ...]:
    actions = (operation.on_delete or "NO ACTION", operation.on_update or "NO ACTION")
    return (operation.columns, operation.referred_table, operation.referred_columns, *actions)
