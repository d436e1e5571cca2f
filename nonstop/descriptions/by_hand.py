"""What is done by hand today, in steps between which the code is deployed: errors of verbs that are still to come.

Each is refused on every database, so that development shows what production would. None of the steps blocks anybody.
"""

from __future__ import annotations

from nonstop.errors import Refused

IN_BATCHES = "fill the rows that are there in batches, each committed (docs: operations/backfill)"


def rename_column(table: str, column: str, new_name: str) -> Refused:
    """Why there is no ``op.rename_column``, and what to do."""
    return _not_yet(
        f"op.rename_column: code that is running and uses {table}.{column} would fail from that moment on",
        f'op.add_column("{table}", Column("{new_name}", …)): a new column that may be NULL',
        f"deploy code that writes both and reads {column}",
        IN_BATCHES,
        f"deploy code that knows {new_name} only",
        f'op.drop_column("{table}", "{column}")',
    )


def alter_type(table: str, column: str, type_: str) -> Refused:
    """Why there is no ``op.alter_type``, and what to do."""
    new = f"new_{column}"
    return _not_yet(
        f"op.alter_type: {table}.{column} as {type_} can mean that every row is written anew while nobody reads or writes",
        f'op.add_column("{table}", Column("{new}", …)): a new column of that type that may be NULL',
        f"deploy code that writes both and reads {column}",
        IN_BATCHES,
        f"deploy code that knows {new} only",
        f'op.drop_column("{table}", "{column}")',
    )


def backfill(table: str, column: str, expression: str) -> Refused:
    """Why there is no ``op.backfill``, and what to do."""
    return _not_yet(
        f"op.backfill: {table}.{column} can't be filled by a verb yet",
        f"read the next thousand keys of {table}, beginning after the last one that is done",
        f"UPDATE {table} SET {column} = {expression} WHERE … these keys, and only rows that still need it",
        "commit, and begin again at 1 until there are no keys left (docs: operations/backfill has the script)",
    )


def _not_yet(message: str, *steps: str) -> Refused:
    return Refused(
        f"{message}; there is no such verb yet",
        details=(
            "Instead, by hand, in steps:",
            *(f"{number}. {step}" for number, step in enumerate(steps, 1)),
        ),
        next_step="write the steps as scripts of their own, and deploy in between where they say so",
    )
