"""Whatever a database is set to, nonstop's own rows are written and read as they are meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql as pg

from tests.support.database_pool import with_database
from tests.support.forked import ForkServer
from tests.support.postgres_server import Server
from tests.support.projects import Project, make_project
from tests.support.scripts import sql, write_script
from tests.support.snapshots import applied, events

SETTINGS = (
    "datestyle = 'SQL, DMY'",
    "datestyle = 'German'",
    "intervalstyle = 'iso_8601'",
    "timezone = 'Asia/Tokyo'",
    "client_encoding = 'LATIN1'",
    "quote_all_identifiers = on",
    "bytea_output = 'escape'",
    "lock_timeout = '1ms'",
)
DATABASE = "CREATE DATABASE {} ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
MAKE = "CREATE TABLE visits (id INTEGER)"


@contextmanager
def database(server: Server, encoding: str = "UTF8") -> Iterator[str]:
    """A database of its own, for its settings go with it."""
    name = f"set_{uuid4().hex[:12]}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(pg.SQL(DATABASE).format(pg.Identifier(name), pg.Literal(encoding)))
        try:
            yield with_database(server.url, name)
        finally:
            connection.execute(pg.SQL("DROP DATABASE {} WITH (FORCE)").format(pg.Identifier(name)))


def life(project: Project, forks: ForkServer) -> list[str]:
    """Apply, look, roll back and look again; what was said comes back."""
    said = []
    for command in (["apply"], ["status"], ["log"], ["rollback", "--yes"], ["apply"], ["status", "--json"]):
        done = forks.run(*command, "--dir", project.migrations, env=project.environment)
        assert done.returncode == 0, done.output
        said.append(done.output)
    return said


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_of_the_database_changes_nothing(
    postgres_server: Server, tmp_path: Path, forks: ForkServer, setting: str
) -> None:
    with database(postgres_server) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            name = connection.info.dbname
            connection.execute(f"ALTER DATABASE {name} SET {setting}".encode())
        project = make_project(tmp_path / "project", url, "light")
        write_script(project.migrations, "001_make_visits.py", sql(MAKE), sql("DROP TABLE visits"))
        assert '"state": "applied"' in life(project, forks)[-1]


@pytest.mark.parametrize("encoding", ["LATIN1", "EUC_JP", "WIN1252"])
def test_what_a_database_has_no_characters_for_is_written_escaped(
    postgres_server: Server, tmp_path: Path, forks: ForkServer, encoding: str
) -> None:
    with database(postgres_server, encoding) as url:
        project = make_project(tmp_path / "project", url, "light")
        path = write_script(project.migrations, "001_make_visits.py", sql(MAKE), sql("DROP TABLE visits"))
        path.write_text(path.read_text(encoding="utf-8") + "# Привет, €, 東京, é, 🚗\n", encoding="utf-8")
        write_script(project.migrations, "002_fails.py", "raise ValueError('🚗 Привет')")
        done = forks.run("apply", "--dir", project.migrations, env=project.environment)
        assert done.returncode == 1, done.output
        assert "ValueError: 🚗 Привет" in done.output
        assert "could not be noted" not in done.output
        assert applied(url) == [1]
        assert any("\\U0001f697" in str(event) for event in events(url))


def test_in_a_database_without_an_encoding_the_ledger_has_its_tables(
    postgres_server: Server, tmp_path: Path, forks: ForkServer
) -> None:
    """SQLAlchemy itself can't use such a database; what nonstop does by itself works."""
    with database(postgres_server, "SQL_ASCII") as url:
        project = make_project(tmp_path / "project", url, "light")
        write_script(project.migrations, "001_nothing.py", "pass", "pass")
        assert '"state": "applied"' in life(project, forks)[-1]


@pytest.mark.parametrize(
    "setting",
    ["SET client_encoding = 'LATIN1'", "SET LOCAL datestyle = 'SQL, DMY'", "SET timezone = 'Asia/Tokyo'"],
)
def test_a_setting_of_the_script_changes_no_row_of_ours(
    postgres_url: str, tmp_path: Path, forks: ForkServer, setting: str
) -> None:
    project = make_project(tmp_path / "project", postgres_url, "light")
    lines = f"""
with db.engine.begin() as connection:
    connection.execute(text({setting!r}))
    connection.execute(text("CREATE TABLE visits (id INTEGER)"))
    print(connection.execute(text("SHOW client_encoding")).scalar())
"""
    write_script(project.migrations, "001_make_visits.py", lines, sql("DROP TABLE visits"))
    said = life(project, forks)
    assert ("LATIN1" in said[0]) is ("LATIN1" in setting)
