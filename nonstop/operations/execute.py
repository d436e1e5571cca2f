"""Send SQL of the script's own."""

from __future__ import annotations

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.descriptions.operations import Execute, LockClass, Step


def steps(operation: Execute, database: Database) -> list[Step]:
    """One step. With ``done_when`` it is skipped where it is done, and seen to be done afterwards."""
    first_line = " ".join(operation.sql.split())
    summary = first_line if len(first_line) <= 80 else f"{first_line[:77]}..."

    def is_done(connection: Connection) -> bool:
        if operation.done_when is None:
            return False
        return bool(
            connection.execution_options(no_parameters=True).exec_driver_sql(operation.done_when).scalar()
        )

    undo = None
    if operation.undo is not None:
        undo = Step(
            f"undo {summary}",
            (operation.undo,),
            lambda _: False,
            LockClass.ACCESS_EXCLUSIVE if operation.tables else LockClass.NONE,
            in_transaction=operation.in_transaction,
            relations=operation.tables,
            is_verifiable=False,
        )
    return [
        Step(
            summary,
            (operation.sql,),
            is_done,
            LockClass.ACCESS_EXCLUSIVE if operation.tables else LockClass.NONE,
            in_transaction=operation.in_transaction,
            relations=operation.tables,
            undo=undo,
            is_verifiable=operation.done_when is not None,
        )
    ]
