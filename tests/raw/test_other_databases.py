"""A script may read a database of another kind, and may not write it; drivers that can't be watched are refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nonstop.errors import UsageError
from nonstop.guard.foreign_databases import refuse_asynchronous_driver
from tests.support.forked import ForkServer
from tests.support.projects import Project
from tests.support.scripts import write_script
from tests.support.snapshots import applied


@pytest.fixture
def legacy(tmp_path: Path) -> Path:
    """An SQLite file from which data is taken over."""
    file = tmp_path / "legacy.db"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(
            "CREATE TABLE parts (name TEXT); INSERT INTO parts VALUES ('filter'), ('belt')"
        )
    return file


def take_over(legacy: Path, first: str = "") -> str:
    return f"""
from sqlalchemy import create_engine
legacy = create_engine("sqlite:///{legacy}")
{first}
with legacy.connect() as other:
    names = [name for (name,) in other.execute(text("SELECT name FROM parts ORDER BY 1"))]
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE parts (name VARCHAR(20))"))
    for name in names:
        connection.execute(text("INSERT INTO parts VALUES (:name)"), {{"name": name}})
"""


def test_another_kind_of_database_may_be_read(
    postgres_project: Project, legacy: Path, forks: ForkServer
) -> None:
    project = postgres_project
    write_script(project.migrations, "001_take_over.py", take_over(legacy))
    done = forks.run("apply", "--dir", project.migrations, env=project.environment)
    assert done.returncode == 0, done.output
    assert applied(project.url) == [1]


@pytest.mark.parametrize(
    "statement", ["DELETE FROM parts", "CREATE TABLE x (n)", "VACUUM", "PRAGMA user_version = 1"]
)
def test_but_not_written(postgres_project: Project, legacy: Path, forks: ForkServer, statement: str) -> None:
    project = postgres_project
    write = f"with legacy.begin() as other:\n    other.execute(text({statement!r}))"
    write_script(project.migrations, "001_take_over.py", take_over(legacy, write))
    before = legacy.read_bytes()
    done = forks.run("apply", "--dir", project.migrations, env=project.environment)
    assert done.returncode == 2, done.output
    assert f"the script writes to another database than the ledger's: {statement}" in done.output
    assert legacy.read_bytes() == before
    assert applied(project.url) == []


def test_an_asynchronous_driver_is_refused() -> None:
    """It needs greenlet, which nonstop does not: so here is only what SQLAlchemy hands to the guard."""
    from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection
    from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection

    for adapter, driver in (
        (AsyncAdapt_asyncpg_connection, "asyncpg"),
        (AsyncAdapt_aiosqlite_connection, "aiosqlite"),
    ):
        with pytest.raises(UsageError, match=f"the script uses {driver}, an asynchronous driver"):
            refuse_asynchronous_driver(object.__new__(adapter))
