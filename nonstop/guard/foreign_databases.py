"""Databases of another kind than the ledger's: a script may read them, over a driver that can be watched."""

from __future__ import annotations

from nonstop.databases.base import DBAPIConnection
from nonstop.databases.wording import one_line, only_asks
from nonstop.errors import UsageError


def refuse_asynchronous_driver(connection: DBAPIConnection) -> None:
    """Raise UsageError for SQLAlchemy's adapters of drivers whose statements run in another coroutine."""
    name = type(connection).__name__
    if name.startswith("AsyncAdapt"):
        driver = name.removeprefix("AsyncAdapt_").removesuffix("_connection")
        raise UsageError(
            f"the script uses {driver}, an asynchronous driver, whose transactions can't be watched",
            next_step="use a synchronous engine in migrations: postgresql+psycopg://… or sqlite:///…",
        )


def refuse_foreign_write(statement: str) -> None:
    """Raise UsageError for a statement that may do more than read."""
    if not only_asks(statement):
        raise UsageError(
            f"the script writes to another database than the ledger's: {one_line(statement)}",
            next_step="write only to the database that is migrated; others may be read",
        )
