"""Make a column NOT NULL without reading the table under a lock (failure mode C29)."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.descriptions.operations import LockClass, SetNotNull, Step
from nonstop.operations import catalog, rebuild, rows

LONGEST_NAME = 63


def steps(operation: SetNotNull, database: Database) -> list[Step]:
    """Through a check: added unvalidated in an instant, validated beside readers and writers, and then proof enough for
    SET NOT NULL to skip its own scan (PostgreSQL manual, ALTER TABLE, "SET NOT NULL"). The check goes with that step.

    On the other database the table is made anew.
    """
    dialect = database.dialect()
    table = catalog.quoted(dialect, operation.table, operation.schema)
    column = dialect.identifier_preparer.quote(operation.column)
    name = helper_name(operation.table, operation.column)
    helper = dialect.identifier_preparer.quote(name)
    summary = f"make {operation.table}.{operation.column} NOT NULL"
    where = (operation.table, operation.column, operation.schema)
    look = rows.require_none(
        database, operation.table, operation.schema, f"t.{column} IS NULL", f"have no {operation.column}"
    )

    def is_not_null(connection: Connection) -> bool:
        catalog.require_column(database, connection, *where)
        return bool(database.catalog.is_not_null(connection, *where))

    if not database.alters_in_place:
        return [
            rebuild.step(
                database,
                summary,
                operation.table,
                lambda old: old.with_clause(operation.column, "NOT NULL"),
                is_not_null,
                look,
            )
        ]

    def has_helper(connection: Connection) -> bool:
        return database.catalog.constraint(connection, operation.table, name, operation.schema) is not None

    def is_proven(connection: Connection) -> bool:
        check = database.catalog.constraint(connection, operation.table, name, operation.schema)
        return is_not_null(connection) or (check is not None and check.is_validated)

    drop = f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {helper}"
    return [
        Step(
            f"check that new values of {operation.table}.{operation.column} are not NULL",
            (f"ALTER TABLE {table} ADD CONSTRAINT {helper} CHECK ({column} IS NOT NULL) NOT VALID",),
            lambda connection: is_not_null(connection) or has_helper(connection),
            LockClass.ACCESS_EXCLUSIVE,
            relations=(table,),
            prepare=look,
        ),
        Step(
            f"check that all values of {operation.table}.{operation.column} are not NULL",
            (f"ALTER TABLE {table} VALIDATE CONSTRAINT {helper}",),
            is_proven,
            LockClass.SHARE_UPDATE_EXCLUSIVE,
            in_transaction=False,
            relations=(table,),
            undo=Step(
                f"take back the check of {operation.table}.{operation.column}",
                (drop,),
                lambda connection: not has_helper(connection),
                LockClass.ACCESS_EXCLUSIVE,
                relations=(table,),
            ),
        ),
        Step(
            summary,
            (f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL", drop),
            lambda connection: is_not_null(connection) and not has_helper(connection),
            LockClass.ACCESS_EXCLUSIVE,
            relations=(table,),
        ),
    ]


def helper_name(table: str, column: str) -> str:
    """A name for the check that nobody else uses, short enough for any table and column."""
    name = f"nonstop_not_null_{table}_{column}"
    if len(name.encode()) <= LONGEST_NAME:
        return name
    return f"nonstop_not_null_{hashlib.sha256(name.encode()).hexdigest()[:16]}"
