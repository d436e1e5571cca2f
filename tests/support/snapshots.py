"""Everything that a database holds at one moment, nonstop's own tables included."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.support.fingerprint import OWN_PREFIX, look

Snapshot = dict[str, Any]
Row = tuple[Any, ...]


def snapshot(url: str) -> Snapshot:
    """Schema, data and ledger: two of them are equal where nothing happened in between."""
    schema, rows = look(url)
    return {"schema": schema, "rows": rows, "ledger": ledger(url)}


def ledger(url: str) -> dict[str, list[Row]]:
    """The rows of each of nonstop's tables by its name; empty where it has none yet."""
    return _on_sqlite(url) if url.startswith("sqlite") else _on_postgres(url)


def events(url: str) -> list[Row]:
    """The ledger's events, oldest first."""
    return ledger(url).get(f"{OWN_PREFIX}events", [])


def applied(url: str) -> list[int]:
    """The numbers that the ledger calls applied, in order."""
    return sorted(row[0] for row in ledger(url).get(f"{OWN_PREFIX}migrations", []))


def sqlite_file(url: str) -> Path:
    """The file behind an SQLite URL."""
    return Path(make_url(url).database or "")


def _on_sqlite(url: str) -> dict[str, list[Row]]:
    if not sqlite_file(url).exists():
        return {}
    with closing(sqlite3.connect(f"file:{sqlite_file(url)}?mode=ro", uri=True)) as database:
        names = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE ? ORDER BY name",
            [f"{OWN_PREFIX}%"],
        ).fetchall()
        return {name: sorted(database.execute(f"SELECT * FROM {name}"), key=repr) for (name,) in names}


def _on_postgres(url: str) -> dict[str, list[Row]]:
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE tablename LIKE %s ORDER BY 2",
            [f"{OWN_PREFIX}%"],
        ).fetchall()
        return {
            name: sorted(
                connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, name))), key=repr
            )
            for schema, name in names
        }
