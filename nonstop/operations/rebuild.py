"""Changes a table where the database can't alter it: makes it anew beside the old one, refills it, swaps the names.

This is the procedure that sqlite.org gives for "other kinds of table schema changes", in the one transaction that the
step runs in. The table's own text is changed, word by word, rather than written anew from what a library understands of
it, so everything that stands in it stays. Around it are restored: indexes and triggers (from their own texts), row ids,
the count of AUTOINCREMENT. Views and other tables' triggers and foreign keys are not touched at all: they name the
table, and the name is there again (``legacy_alter_table`` keeps the renaming from rewriting them).
Foreign keys are not enforced meanwhile (``Database.prepare_steps``), so that the drop of the old table takes no child
row with it; foreign keys that are broken afterwards and were not before end the step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.databases.sqlite_catalog import table_text
from nonstop.databases.sqlite_table import TableText
from nonstop.descriptions.operations import LockClass, Step
from nonstop.errors import DefinitionConflict, MigrationFailed
from nonstop.operations import catalog

PREFIX = "nonstop_rebuild_"
Change = Callable[[TableText], TableText]
Quote = Callable[[str], str]


def step(
    database: Database,
    summary: str,
    table: str,
    change: Change,
    is_done: Callable[[Connection], bool],
    look: Callable[[Step, Connection], Step] | None = None,
    adds: str = "",
) -> Step:
    """One step that changes the text of ``table`` by ``change``, which may bring a new column (``adds``).

    ``look`` may refuse before anything is done.
    """

    def prepare(planned: Step, connection: Connection) -> Step:
        # From the first look on, so that nobody writes between the looks and the copy.
        database.begin_if_needed(connection.connection.dbapi_connection, "UPDATE")
        if look is not None:
            planned = look(planned, connection)
        text = table_text(connection, table)
        if text is None:
            raise DefinitionConflict(
                f"there is no table {table} that can be changed", next_step="create it first"
            )
        before = _inventory(connection, table, adds)
        statements = _statements(connection, table, text, change(text))
        return replace(
            planned, statements=statements, is_done=lambda c: is_done(c) and _kept(c, table, before, adds)
        )

    return Step(
        summary,
        (f"-- table {table} is made anew, refilled and renamed",),
        is_done,
        LockClass.NONE,
        prepare=prepare,
    )


def _statements(connection: Connection, table: str, old: TableText, new: TableText) -> tuple[str, ...]:
    quote = connection.dialect.identifier_preparer.quote_identifier
    temporary, name = quote(PREFIX + table), quote(table)
    columns = ", ".join(quote(column) for column in _stored_columns(connection, table))
    rowid = "rowid, " if _keeps_rowid(connection, table, old, new) else ""
    legacy = connection.exec_driver_sql("PRAGMA legacy_alter_table").scalar()
    return (
        f"DROP TABLE IF EXISTS {temporary}",
        new.renamed(temporary).text,
        f"INSERT INTO {temporary} ({rowid}{columns}) SELECT {rowid}{columns} FROM {name}",
        f"DROP TABLE {name}",
        "PRAGMA legacy_alter_table = ON",
        f"ALTER TABLE {temporary} RENAME TO {name}",
        f"PRAGMA legacy_alter_table = {legacy}",
        *_count_of_autoincrement(connection, table),
        *_belongings(connection, table),
    )


def _stored_columns(connection: Connection, table: str) -> list[str]:
    """All but generated ones, which fill themselves."""
    rows = connection.exec_driver_sql("SELECT name, hidden FROM pragma_table_xinfo(?)", (table,))
    return [name for name, hidden in rows if not hidden]


def _keeps_rowid(connection: Connection, table: str, old: TableText, new: TableText) -> bool:
    """Whether row ids are numbers of their own: neither absent, nor a column, nor about to become one."""
    keys = connection.exec_driver_sql("SELECT type FROM pragma_table_info(?) WHERE pk", (table,)).all()
    is_alias = len(keys) == 1 and str(keys[0][0]).upper() == "INTEGER"
    has_column = any(item.column.lower() == "rowid" for item in new.items)
    return old.has_rowid and not is_alias and not has_column and not _gains_key(old, new)


def _gains_key(old: TableText, new: TableText) -> bool:
    def keys(text: TableText) -> int:
        return sum(clause.kind == "PRIMARY" for item in text.items for clause in item.clauses)

    return keys(new) > keys(old)


def _count_of_autoincrement(connection: Connection, table: str) -> list[str]:
    """The drop forgets the highest number ever given, and the copy knows only the highest that is still there."""
    if not connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").first():
        return []
    highest = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).scalar()
    if highest is None:
        return []
    literal = "'" + table.replace("'", "''") + "'"
    return [
        f"DELETE FROM sqlite_sequence WHERE name = {literal}",
        f"INSERT INTO sqlite_sequence (name, seq) VALUES ({literal}, {int(highest)})",
    ]


def _belongings(connection: Connection, table: str) -> list[str]:
    """The texts of the table's indexes, then of its triggers. Those of its constraints have no text and come by themselves."""
    query = (
        "SELECT sql FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND type IN ('index', 'trigger')"
        " AND sql IS NOT NULL ORDER BY type, rowid"
    )
    return [source for (source,) in connection.exec_driver_sql(query, (table,))]


def _inventory(connection: Connection, table: str, adds: str) -> dict[str, Any]:
    """What a rebuild must leave as it is: rows, columns, every other object's text, and the state of foreign keys."""
    name = connection.dialect.identifier_preparer.quote_identifier(table)
    objects = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE NOT (type = 'table' AND name = ? COLLATE NOCASE)"
    return {
        "rows": connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar(),
        "objects": {tuple(row) for row in connection.exec_driver_sql(objects, (table,)) if row[3]},
        "columns": [
            row[1:3]
            for row in connection.exec_driver_sql("SELECT * FROM pragma_table_xinfo(?)", (table,))
            if row[1] != adds
        ],
        "broken keys": len(connection.exec_driver_sql("PRAGMA foreign_key_check").all()),
    }


def _kept(connection: Connection, table: str, before: dict[str, Any], adds: str) -> bool:
    after = _inventory(connection, table, adds)
    for part, was in before.items():
        if (after[part] > was) if part == "broken keys" else (after[part] != was):
            raise MigrationFailed(
                f"the new {table} differs from the old one in its {part}: {catalog.difference(was, after[part])}",
                next_step="this is an error of nonstop: everything is undone; change the table by hand",
            )
    return True
