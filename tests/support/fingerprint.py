"""What a database looks like and what is in it, as values that two moments can be compared by.

Both functions look from outside with the plain driver, whatever order things were made in, and leave out nonstop's own
tables. ``assert fingerprint(url) == before`` then shows exactly what differs.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.support import postgres_catalog

OWN_PREFIX = "nonstop_"
Fingerprint = dict[str, dict[str, Any]]


def fingerprint(url: str) -> Fingerprint:
    """The schema: tables with their columns, constraints, indexes and triggers; views; on PostgreSQL also sequences,
    functions and types. An SQLite file that does not exist is an empty schema."""
    if url.startswith("sqlite"):
        with closing(_open_sqlite(url)) as database:
            return _sqlite_schema(database)
    with psycopg.connect(_libpq(url)) as connection:
        return postgres_catalog.schema(connection, OWN_PREFIX)


def rows(url: str) -> dict[str, tuple[int, str]]:
    """The data: for each table the number of rows and a checksum of them, independent of the order of rows and columns."""
    if url.startswith("sqlite"):
        with closing(_open_sqlite(url)) as database:
            return {table: _sqlite_rows(database, table) for table in _sqlite_names(database, "table")}
    with psycopg.connect(_libpq(url)) as connection:
        return {
            postgres_catalog.display(schema, table): _postgres_rows(connection, schema, table)
            for schema, table in postgres_catalog.tables(connection, OWN_PREFIX)
        }


# --- SQLite ---------------------------------------------------------------------------------------


def _open_sqlite(url: str) -> sqlite3.Connection:
    path = Path(make_url(url).database or "")
    if not path.exists():
        return sqlite3.connect(":memory:")
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)


def _sqlite_names(database: sqlite3.Connection, kind: str) -> list[str]:
    found = database.execute("SELECT name FROM sqlite_master WHERE type = ? ORDER BY name", [kind])
    return [name for (name,) in found if not name.startswith((OWN_PREFIX, "sqlite_"))]


def _sqlite_schema(database: sqlite3.Connection) -> Fingerprint:
    return {
        "tables": {table: _sqlite_table(database, table) for table in _sqlite_names(database, "table")},
        "views": {view: _sqlite_source(database, view) for view in _sqlite_names(database, "view")},
    }


def _sqlite_table(database: sqlite3.Connection, table: str) -> dict[str, Any]:
    source = _sqlite_source(database, table)
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
        "indexes": dict(_sqlite_indexes(database, table)),
        "triggers": {name: _one_line(text) for name, text in triggers},
    }


def _sqlite_indexes(database: sqlite3.Connection, table: str) -> Iterable[tuple[str, Any]]:
    for name, unique, origin, partial in database.execute(
        "SELECT name, [unique], origin, partial FROM pragma_index_list(?)", [table]
    ):
        keys = database.execute(
            "SELECT name, [desc], coll FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno", [name]
        )
        columns = keys.fetchall()
        # An index behind a constraint has no name of its own: SQLite numbers it as it comes.
        label = name if origin == "c" else f"{origin} ({', '.join(str(column) for column, *_ in columns)})"
        definition = _sqlite_source(database, name) if partial or any(c is None for c, *_ in columns) else ""
        yield label, (bool(unique), columns, definition)


def _sqlite_source(database: sqlite3.Connection, name: str) -> str:
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


def _sqlite_rows(database: sqlite3.Connection, table: str) -> tuple[int, str]:
    columns = sorted(name for (name,) in database.execute("SELECT name FROM pragma_table_info(?)", [table]))
    return _checksum(database.execute(f"SELECT {', '.join(map(_quoted, columns))} FROM {_quoted(table)}"))


# --- PostgreSQL -----------------------------------------------------------------------------------


def _postgres_rows(connection: psycopg.Connection[Any], schema: str, table: str) -> tuple[int, str]:
    with connection.cursor() as cursor:
        whole = sql.Identifier(schema, table)
        cursor.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(whole))
        columns = sorted(column.name for column in cursor.description or ())
        # As text: what the server shows is what there is, and no type needs a Python counterpart.
        values = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns)
        return _checksum(cursor.execute(sql.SQL("SELECT {} FROM {}").format(values, whole)))


def _libpq(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"postgresql{separator}{rest}" if scheme.startswith("postgres") else url


# --- both -----------------------------------------------------------------------------------------


def _checksum(found: Iterable[tuple[Any, ...]]) -> tuple[int, str]:
    digests = sorted(hashlib.sha256(repr(row).encode()).digest() for row in found)
    return len(digests), hashlib.sha256(b"".join(digests)).hexdigest()[:16]


def _one_line(source: str) -> str:
    return " ".join(source.split())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
