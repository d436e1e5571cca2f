"""SQLite's schema as nested dictionaries, and checksums of its rows, whatever order things were made in."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from typing import Any

from nonstop.databases.fingerprint import Fingerprint, Snapshot, ValueCounts, checksum, counting, quoted


def snapshot(database: sqlite3.Connection, own: str) -> Snapshot:
    """Tables with their columns, constraints, indexes and triggers, and views, and the data of each table; without objects
    that begin with ``own``. There are no sequences."""
    rows = {table: _rows(database, table) for table in _names(database, "table", own)}
    return Snapshot(_schema(database, own), rows, rows)


def _schema(database: sqlite3.Connection, own: str) -> Fingerprint:
    return {
        "tables": {table: _table(database, table) for table in _names(database, "table", own)},
        "views": {view: _source(database, view) for view in _names(database, "view", own)},
    }


def value_counts(database: sqlite3.Connection, own: str) -> ValueCounts:
    """How many values each column of each table has."""
    found: ValueCounts = {}
    for table in _names(database, "table", own):
        columns = _columns(database, table)
        (counts,) = database.execute(counting(quoted(table), columns))
        found[table] = dict(zip(columns, counts, strict=True))
    return found


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    return sorted(name for (name,) in database.execute("SELECT name FROM pragma_table_info(?)", [table]))


def _names(database: sqlite3.Connection, kind: str, own: str) -> list[str]:
    found = database.execute("SELECT name FROM sqlite_master WHERE type = ? ORDER BY name", [kind])
    return [name for (name,) in found if not name.startswith((own, "sqlite_"))]


def _table(database: sqlite3.Connection, table: str) -> dict[str, Any]:
    source = _source(database, table)
    columns = database.execute(
        "SELECT name, type, [notnull], dflt_value, pk, hidden FROM pragma_table_xinfo(?)", [table]
    )
    foreign_keys: dict[int, list[Any]] = {}
    for number, *parts in database.execute(
        "SELECT id, [from], [table], [to], on_update, on_delete FROM pragma_foreign_key_list(?) ORDER BY id, seq",
        [table],
    ):
        foreign_keys.setdefault(number, []).append(tuple(parts))
    triggers = database.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", [table]
    )
    return {
        "columns": {name: (kind.upper(), *rest) for name, kind, *rest in columns},
        "foreign_keys": sorted(foreign_keys.values(), key=repr),
        "checks": sorted(_checks(source)),
        "collations": sorted(
            re.findall(r"[\w\"`\[\]]+ [^,()]*(?:\([^)]*\))?[^,()]*COLLATE \w+", source, re.I)
        ),
        "autoincrement": "AUTOINCREMENT" in source.upper(),
        "options": database.execute(
            "SELECT wr, strict FROM pragma_table_list(?) WHERE schema = 'main'", [table]
        ).fetchone(),
        "indexes": dict(_indexes(database, table)),
        "triggers": {name: _one_line(text) for name, text in triggers},
    }


def _indexes(database: sqlite3.Connection, table: str) -> Iterable[tuple[str, Any]]:
    for name, unique, origin, partial in database.execute(
        "SELECT name, [unique], origin, partial FROM pragma_index_list(?)", [table]
    ):
        keys = database.execute(
            "SELECT name, [desc], coll FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno", [name]
        )
        columns = keys.fetchall()
        # An index behind a constraint has no name of its own: SQLite numbers it as it comes.
        label = name if origin == "c" else f"{origin} ({', '.join(str(column) for column, *_ in columns)})"
        definition = _source(database, name) if partial or any(c is None for c, *_ in columns) else ""
        yield label, (bool(unique), columns, definition)


def _source(database: sqlite3.Connection, name: str) -> str:
    (source,) = database.execute("SELECT sql FROM sqlite_master WHERE name = ?", [name]).fetchone()
    return _one_line(source or "")


def _checks(source: str) -> Iterable[str]:
    """The conditions of CHECK constraints: everything up to the bracket that closes them."""
    for match in re.finditer(r"\bCHECK\s*\(", source, re.IGNORECASE):
        depth, start = 1, match.end()
        for end in range(start, len(source)):
            depth += {"(": 1, ")": -1}.get(source[end], 0)
            if depth == 0:
                yield source[start:end].strip()
                break


def _rows(database: sqlite3.Connection, table: str) -> tuple[int, str]:
    columns = ", ".join(map(quoted, _columns(database, table)))
    return checksum(database.execute(f"SELECT {columns} FROM {quoted(table)}"))


def _one_line(source: str) -> str:
    return " ".join(source.split())
