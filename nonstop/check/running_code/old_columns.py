"""Whether an INSERT that knows nothing of a script still works: it names the columns of before, and no others."""

from __future__ import annotations

import re

from sqlalchemy import Engine, Table, insert
from sqlalchemy.engine import Connection

from nonstop.check import reflection
from nonstop.check.reflection import may_be_left_out, quietly, raise_if_lost, reason_of, undone
from nonstop.check.running_code.models import Model
from nonstop.check.running_code.probe_rows import SAMPLE, Subject, parents
from nonstop.databases.base import Database, Violation
from nonstop.descriptions.promises import Evidence


def old_columns_insert(
    before: Engine, after: Engine, database: Database, ignored: frozenset[str] = frozenset()
) -> list[Evidence]:
    """Try it for every table of ``before`` in ``after``, whose ``database`` it is; nothing of it is kept.

    A new column that has to have a value breaks it. What is gone is only named. ``ignored`` are names of tables.
    """
    found: list[Evidence] = []
    with quietly(), undone(before) as earlier, undone(after) as connection:
        old = reflection.tables(earlier, database, ignored)
        later = reflection.tables(connection, database)
        for key, table in old.items():
            if key in later:
                worked_before = _error(earlier, table, table) is None
                found += _of(connection, database, table, later[key], worked_before)
            else:
                found.append(Evidence(f"{key} is gone: nothing to insert into", facts={"table": key}))
    return found


def _of(
    connection: Connection, database: Database, table: Table, later: Table, worked_before: bool
) -> list[Evidence]:
    gone = [column.name for column in table.columns if column.name not in later.columns]
    found = [
        Evidence(f"{table.key}.{name} is gone: the INSERT leaves it out", facts=_facts(table, name))
        for name in gone
    ]
    demanded = [
        column.name
        for column in later.columns
        if column.name not in table.columns and not may_be_left_out(column)
    ]
    error = _error(connection, table, later)
    if error is None and not demanded:
        count = len(table.columns) - len(gone)
        found.append(
            Evidence(
                f"INSERT into {table.key} that names its {count} old column{'s' if count != 1 else ''} works",
                facts=_facts(table, "") | {"columns": count},
            )
        )
        return found
    violated = "" if error is None else database.violated_column(error)
    missing = error is not None and database.violation(error) is Violation.NOT_NULL
    if missing and violated in later.columns and violated not in table.columns:
        demanded = list(dict.fromkeys([*demanded, violated]))
    found += [
        Evidence(
            f"an INSERT that does not know {table.key}.{name} fails: it must have a value and has no default",
            breaks=True,
            facts=_facts(table, name) | {"violation": "not_null"},
        )
        for name in demanded
    ]
    if error is not None and not demanded:
        found.append(
            Evidence(
                f"INSERT into {table.key} with its old columns fails for another reason: {reason_of(error)}",
                breaks=worked_before
                and (missing or _names_new_column(error, table, later)),  # by a trigger, say
                facts=_facts(table, violated),
            )
        )
    return found


def _names_new_column(error: Exception, table: Table, later: Table) -> bool:
    """Whether what the database says is about a column that the INSERT does not know."""
    new = [column.name for column in later.columns if column.name not in table.columns]
    return any(re.search(rf"\b{re.escape(name)}\b", reason_of(error)) for name in new)


def _error(connection: Connection, table: Table, later: Table) -> Exception | None:
    """What is wrong with an INSERT of the old columns that are still there."""
    subject = Subject(Model(table.key, later, None))
    savepoint = connection.begin_nested()
    try:
        rows = [dict(found) for found in connection.execute(later.select().limit(SAMPLE)).mappings()]
        row, _ = subject.twins(rows, parents(connection, subject))
        old = {name: value for name, value in row.items() if name in table.columns}
        connection.execute(insert(later).values(old))
    except Exception as error:
        raise_if_lost(error)
        return error
    finally:
        if savepoint.is_active:
            savepoint.rollback()
    return None


def _facts(table: Table, column: str) -> dict[str, str | int | float | bool | None]:
    return {"table": table.key, "column": column}
