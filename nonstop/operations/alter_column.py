"""What changes of one column have in common: ALTER COLUMN in an instant, or the table made anew."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.descriptions.operations import LockClass, Step
from nonstop.operations import catalog, rebuild


def steps(
    database: Database,
    where: tuple[str, str, str | None],
    summary: str,
    action: str,
    change: rebuild.Change,
    is_so: Callable[[Connection], bool],
) -> list[Step]:
    """One step for the column ``where`` (table, column, schema): ``action`` under a short ACCESS EXCLUSIVE lock, nothing
    is read or written; or the table made anew with its text changed by ``change``. ``is_so`` tells whether it is done.
    """
    table_name, column, schema = where
    dialect = database.dialect()
    table = catalog.quoted(dialect, table_name, schema)

    def is_done(connection: Connection) -> bool:
        catalog.require_column(database, connection, *where)
        return is_so(connection)

    if not database.alters_in_place:
        return [rebuild.step(database, summary, table_name, change, is_done)]
    statement = f"ALTER TABLE {table} ALTER COLUMN {dialect.identifier_preparer.quote(column)} {action}"
    return [Step(summary, (statement,), is_done, LockClass.ACCESS_EXCLUSIVE, relations=(table,))]
