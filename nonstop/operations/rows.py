"""Looks for rows that stand in the way of a constraint, before anything is changed.

A constraint that is added NOT VALID holds for every later update, also of rows that were bad before: the application
could not touch them any more (failure mode C28). So they are counted first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.descriptions.operations import Step
from nonstop.errors import ValidationError
from nonstop.operations import catalog

SAMPLE = 5
"""How many rows an error names."""
Prepare = Callable[[Step, Connection], Step]


def require_none(database: Database, table: str, schema: str | None, violation: str, what: str) -> Prepare:
    """Refuse to begin where rows of ``table``, called ``t``, meet the SQL ``violation``; ``what`` says what they do."""

    def look(step: Step, connection: Connection) -> Step:
        dialect = database.dialect()
        source = f"{catalog.quoted(dialect, table, schema)} AS t WHERE {violation}"
        count = _value(connection, f"SELECT count(*) FROM {source}")
        if count:
            key = database.catalog.key_columns(connection, table, schema)
            raise _refusal(f"{count} row(s) of {table} {what}", _sample(database, connection, source, key))
        return step

    return look


def require_unique(
    database: Database, table: str, schema: str | None, columns: Sequence[str], what: str
) -> Prepare:
    """Refuse to begin where several rows of ``table`` have the same values in ``columns``, none of them NULL."""

    def look(step: Step, connection: Connection) -> Step:
        dialect = database.dialect()
        names = [dialect.identifier_preparer.quote(column) for column in columns]
        source = (
            f"{catalog.quoted(dialect, table, schema)} WHERE {' AND '.join(f'{name} IS NOT NULL' for name in names)}"
            f" GROUP BY {', '.join(names)} HAVING count(*) > 1"
        )
        count = _value(connection, f"SELECT count(*) FROM (SELECT 1 FROM {source}) AS d")
        if count:
            raise _refusal(f"{count} value(s) stand in several rows of {table}: {what}",
                           _sample(database, connection, source, columns))  # fmt: skip
        return step

    return look


def all_of(*looks: Prepare) -> Prepare:
    """One look after the other."""

    def look(step: Step, connection: Connection) -> Step:
        for each in looks:
            step = each(step, connection)
        return step

    return look


def _sample(database: Database, connection: Connection, source: str, columns: Sequence[str]) -> str:
    """The first few rows by their key, as ``id 4, id 7``; empty without a key."""
    if not columns:
        return ""
    names = ", ".join(database.dialect().identifier_preparer.quote(column) for column in columns)
    rows = (
        _plain(connection)
        .exec_driver_sql(f"SELECT {names} FROM {source} ORDER BY {names} LIMIT {SAMPLE}")
        .all()
    )
    return ", ".join(
        " ".join(f"{name} {value}" for name, value in zip(columns, row, strict=True)) for row in rows
    )


def _refusal(message: str, sample: str) -> ValidationError:
    return ValidationError(
        f"{message}{f' ({sample})' if sample else ''}; nothing was changed",
        next_step="correct these rows (in a script of its own, before this one), then run again",
    )


def _value(connection: Connection, query: str) -> int:
    return int(_plain(connection).exec_driver_sql(query).scalar() or 0)


def _plain(connection: Connection) -> Connection:
    return connection.execution_options(no_parameters=True)  # a '%' in a condition is just that
