"""Any operations on any table leave what plain, blocking statements would have left, and rollback what was there before.

Hypothesis makes up a table (odd names, types, defaults, keys, constraints, indexes, partitions, triggers, views, child
rows) and a script of operations. A twin database gets the plain statements that mean the same; on SQLite, which knows
plain statements for a few only, it gets the CREATE TABLE of the wanted table, and the same rows.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.support.databases import fresh_database
from tests.support.fingerprint import look
from tests.support.operations import Trial
from tests.support.postgres_server import Server
from tests.support.random_operations import SPARE, Change, Maker
from tests.support.random_tables import Table, create, naming, tables
from tests.support.snapshots import sqlite_file
from tests.support.tiers import times

EXAMPLES = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck), print_blob=False,
    phases=[Phase.generate, Phase.shrink], report_multiple_bugs=False,
)  # fmt: skip
"""The same examples each time: what fails once fails again."""
AROUND = [
    "CREATE TABLE parents (id INTEGER PRIMARY KEY)",
    "INSERT INTO parents VALUES (1), (2), (3)",
    "CREATE TABLE log (id INTEGER)",
    f"CREATE TABLE {SPARE} (id INTEGER PRIMARY KEY NOT NULL, text VARCHAR(20) NOT NULL)",
]
ONLY_POSTGRESQL = [
    'CREATE SCHEMA "my Schema"',
    "CREATE TYPE mood AS ENUM ('ok', 'bad')",
    "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
]


@dataclass(frozen=True)
class Case:
    """A table, what is done to it, and what it is then."""

    before: Table
    changes: list[Change]
    after: Table
    has_spare: bool


@st.composite
def cases(draw: st.DrawFn, is_postgresql: bool) -> Case:
    names = naming(draw)
    table = draw(tables(is_postgresql, names))
    maker = Maker(draw, table, names, is_postgresql)
    for _ in range(draw(st.integers(0, 3))):  # what the table has already
        draw(st.sampled_from([Maker.add_check, Maker.add_foreign_key, Maker.create_index, Maker.add_unique]))(
            maker
        )
    before = table.copy()
    changes = [change for _ in range(draw(st.integers(1, 6))) if (change := maker.change()) is not None]
    return Case(before, changes, table, maker.has_spare)


def try_out(case: Case, trial: Trial) -> None:
    """Apply and roll back the changes of a case; its twin is compared by the caller in between."""
    inverses = [change.inverse for change in reversed(case.changes)]
    trial.script(
        "\n".join(change.call for change in case.changes) or "pass",
        "\n".join(inverses) or "pass",
        before="from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Text, text",
    )
    note((trial.folder / "001_x.py").read_text(encoding="utf-8"))


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two values differ, so that nobody has to compare pages of them."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys(), key=repr)
        return [line for key in keys for line in differences(one.get(key), other.get(key), f"{path} / {key}")]
    return [] if one == other else [f"{path}: {one} | {other}"]


def is_reversible(case: Case) -> bool:
    return all(change.inverse for change in case.changes)


# --- PostgreSQL -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_databases(postgres_server: Server) -> Iterator[tuple[str, str]]:
    with fresh_database(postgres_server.url) as one, fresh_database(postgres_server.url) as other:
        yield one, other


def on_postgresql(url: str, table: Table) -> None:
    """An empty database, and in it the table."""
    with psycopg.connect(url, autocommit=True) as connection:
        schemas = connection.execute(
            "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^(pg_|information)'"
        )
        for (schema,) in schemas.fetchall():
            connection.execute(f"DROP SCHEMA {schema} CASCADE")
        connection.execute("CREATE SCHEMA public")
        for statement in [*ONLY_POSTGRESQL, *AROUND]:
            connection.execute(statement)
        for statement, values in create(table, True):
            note(f"{statement} {values or ''}")
            connection.execute(statement, values or None)


def looked(url: str) -> dict[str, Any]:
    """Schema and rows; a partition's indexes without their names, which their parents' builds choose."""
    schema, rows = look(url)
    found = {**schema, "rows": rows}
    for table in found["tables"].values():
        if "kind" in table and table["kind"][3] is not None:
            nameless = [
                (re.sub(r"INDEX .* ON ", "INDEX ON ", text), *rest)
                for text, *rest in table["indexes"].values()
            ]
            table["indexes"] = sorted(nameless)
    return found


@pytest.mark.postgresql
def test_on_postgresql(two_databases: tuple[str, str], tmp_path: Path) -> None:
    ours, twin = two_databases
    trial = Trial(ours, tmp_path)

    @settings(EXAMPLES, max_examples=times(quick=10, thorough=50))
    @given(cases(True))
    def check(case: Case) -> None:
        on_postgresql(ours, case.before)
        before = looked(ours)
        try_out(case, trial)
        trial.apply()
        on_postgresql(twin, case.before)
        with psycopg.connect(twin, autocommit=True) as connection:
            for statement in (statement for change in case.changes for statement in change.plain):
                connection.execute(statement)
        assert differences(looked(ours), looked(twin)) == []
        if is_reversible(case):
            trial.rollback()
            assert differences(looked(ours), before) == []

    check()


# --- SQLite ---------------------------------------------------------------------------------------------------


def on_sqlite(folder: Path, name: str, table: Table, has_spare: bool) -> str:
    """A new file, and in it the table."""
    url = f"sqlite:///{folder / name}"
    with closing(sqlite3.connect(sqlite_file(url))) as database:
        for statement in AROUND if has_spare else AROUND[:-1]:
            database.execute(statement)
        for statement, values in create(table, False):
            note(f"{statement} {values or ''}")
            database.execute(statement, values)
        database.commit()
    return url


def seen(url: str) -> dict[str, Any]:
    """Schema and rows; of the text around a collation only its column."""
    schema, rows = look(url)
    found: dict[str, Any] = unquoted({**schema, "rows": rows})
    for table in found["tables"].values():
        table["collations"] = sorted(
            re.sub(r".*[,(](?=.* (?:TEXT|VARCHAR))", "", text) for text in table["collations"]
        )
    return found


def unquoted(found: Any) -> Any:
    """SQLite keeps the text of an index, a view or a trigger as it was written: with or without quotes."""
    if isinstance(found, str):
        return found.replace('"', "")
    if isinstance(found, dict):
        return {unquoted(key): unquoted(value) for key, value in found.items()}
    return type(found)(map(unquoted, found)) if isinstance(found, list | tuple) else found


def test_on_sqlite() -> None:
    @settings(EXAMPLES, max_examples=times(quick=40, thorough=150))
    @given(cases(False))
    def check(case: Case) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            ours = on_sqlite(folder, "ours.db", case.before, True)
            before = seen(ours)
            trial = Trial(ours, folder)
            try_out(case, trial)
            trial.apply()
            twin = on_sqlite(folder, "twin.db", case.after, case.has_spare)
            assert differences(seen(ours), seen(twin)) == []
            if is_reversible(case):
                trial.rollback()
                assert differences(seen(ours), before) == []

    check()
