"""On SQLite a script that succeeds ends as with Python's driver alone, which begins a transaction before few statements."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from textwrap import indent

import pytest

from tests.support.forked import Ended, ForkServer
from tests.support.projects import Project, make_project
from tests.support.scripts import write_script
from tests.support.snapshots import sqlite_file

SETUP = """
    CREATE TABLE shops (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
    INSERT INTO shops VALUES (1, 'a'), (2, 'b');
"""
# Bodies in which `c` is a connection of SQLAlchemy; plain Python decides how each ends.
ENDINGS = {
    "ddl": 'c.exec_driver_sql("ALTER TABLE shops ADD COLUMN town TEXT")',
    "ddl and rows": 'c.exec_driver_sql("CREATE TABLE x (n)"); c.exec_driver_sql("INSERT INTO x VALUES (1)")',
    "rows and ddl": 'c.exec_driver_sql("INSERT INTO shops VALUES (3, \'c\')"); c.exec_driver_sql("CREATE TABLE x (n)")',
    "rollback": 'c.exec_driver_sql("CREATE TABLE x (n)"); c.exec_driver_sql("INSERT INTO x VALUES (1)"); c.rollback()',
    "rollback, and on": """
c.exec_driver_sql("CREATE TABLE x (n)")
c.exec_driver_sql("INSERT INTO x VALUES (1)")
c.rollback()
c.exec_driver_sql("INSERT INTO x VALUES (2)")
c.commit()""",
    "with insert": "c.exec_driver_sql(\"WITH one AS (SELECT 3 AS id) INSERT INTO shops SELECT id, 'c' FROM one\")",
    "create table as": 'c.exec_driver_sql("CREATE TABLE x AS SELECT * FROM shops")',
    "user_version": 'c.exec_driver_sql("CREATE TABLE x (n)"); c.exec_driver_sql("PRAGMA user_version = 7")',
    "vacuum": 'c.exec_driver_sql("CREATE TABLE x (n)"); c.exec_driver_sql("VACUUM")',
    "journal_mode": 'c.exec_driver_sql("CREATE TABLE x (n)"); c.exec_driver_sql("PRAGMA journal_mode = WAL")',
    "attach": 'c.exec_driver_sql("CREATE TABLE x (n)"); c.exec_driver_sql("ATTACH \':memory:\' AS other")',
    "begin": """
c.exec_driver_sql("CREATE TABLE x (n)")
c.exec_driver_sql("BEGIN")
c.exec_driver_sql("CREATE TABLE y (n)")
c.rollback()""",
    "a savepoint": """
c.exec_driver_sql("SAVEPOINT s")
c.exec_driver_sql("CREATE TABLE x (n)")
c.exec_driver_sql("RELEASE s")""",
    "a savepoint, rolled back": """
c.exec_driver_sql("CREATE TABLE x (n)")
c.exec_driver_sql("SAVEPOINT s")
c.exec_driver_sql("CREATE TABLE y (n)")
c.rollback()""",
    "nested": """
with c.begin_nested():
    c.exec_driver_sql("CREATE TABLE x (n)")
c.rollback()""",
    "an error that is caught": """
try:
    c.exec_driver_sql("CREATE TABLE shops (n)")
except Exception:
    pass
c.exec_driver_sql("INSERT INTO shops VALUES (3, 'c')")
c.commit()""",
    "a row that is refused": """
c.exec_driver_sql("INSERT INTO shops VALUES (3, 'c')")
c.commit()
try:
    c.exec_driver_sql("INSERT INTO shops VALUES (4, 'c')")
except Exception:
    c.rollback()""",
    "a look in between": 'c.exec_driver_sql("CREATE TABLE x (n)"); c.exec_driver_sql("PRAGMA table_info(x)").all(); c.rollback()',
}


def state(file: Path) -> object:
    """Schema, rows and what PRAGMAs have left, without nonstop's own tables."""
    with closing(sqlite3.connect(file)) as database:
        objects = database.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name NOT LIKE 'nonstop%'"
            " AND name NOT LIKE 'sqlite_%' ORDER BY 1, 2"
        ).fetchall()
        rows = {
            name: database.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()
            for kind, name, _ in objects
            if kind == "table"
        }
        pragmas = [database.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "journal_mode")]
        return objects, rows, pragmas


def apply(tmp_path: Path, forks: ForkServer, body: str) -> tuple[Ended, Project]:
    """Apply a script with this body on a database with shops."""
    file = tmp_path / "nonstop.db"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(SETUP)
    project = make_project(tmp_path / "project", f"sqlite:///{file}", "light")
    write_script(
        project.migrations, "001_x.py", f"with db.engine.connect() as c:\n{indent(body.strip(), '    ')}"
    )
    return forks.run("apply", "--dir", project.migrations, env=project.environment), project


@pytest.mark.parametrize("body", ENDINGS.values(), ids=ENDINGS)
def test_it_ends_as_with_the_driver_alone(body: str, tmp_path: Path, forks: ForkServer) -> None:
    from sqlalchemy import create_engine

    plain = tmp_path / "plain.db"
    with closing(sqlite3.connect(plain)) as database:
        database.executescript(SETUP)
    engine = create_engine(f"sqlite:///{plain}")
    with engine.connect() as c:
        exec(body, {"c": c})
    engine.dispose()
    done, project = apply(tmp_path, forks, body)
    assert done.returncode == 0, done.output
    assert state(sqlite_file(project.url)) == state(plain)


@pytest.mark.parametrize(
    "body", [body for name, body in ENDINGS.items() if name in ("ddl", "ddl and rows", "rows and ddl")]
)
def test_a_script_that_fails_is_undone_with_its_ddl(body: str, tmp_path: Path, forks: ForkServer) -> None:
    done, project = apply(tmp_path, forks, f"{body}\nraise ValueError('too late')")
    assert done.returncode == 1, done.output
    assert "undone completely" in done.output
    found = str(state(sqlite_file(project.url)))
    assert "TABLE x" not in found
    assert "town" not in found


def test_a_script_that_goes_on_after_an_error_that_undid_ddl_has_failed(
    tmp_path: Path, forks: ForkServer
) -> None:
    """Alone, the driver would have kept the table."""
    body = """
c.exec_driver_sql("CREATE TABLE x (n)")
try:
    c.exec_driver_sql("INSERT INTO nowhere VALUES (1)")
except Exception:
    c.rollback()
"""
    done, project = apply(tmp_path, forks, body)
    assert done.returncode == 8, done.output
    assert "went on after an error that has undone" in done.output
    assert "CREATE TABLE x" not in str(state(sqlite_file(project.url)))


def test_what_the_driver_commits_before_a_pragma_is_told_when_the_script_fails(
    tmp_path: Path, forks: ForkServer
) -> None:
    body = 'c.exec_driver_sql("CREATE TABLE x (n)")\nc.exec_driver_sql("PRAGMA foreign_keys = OFF")\nraise ValueError("too late")'
    done, project = apply(tmp_path, forks, body)
    assert done.returncode == 7, done.output
    assert "1 commit of it is permanent, the last with: CREATE TABLE x (n)" in done.output
    assert "CREATE TABLE x" in str(state(sqlite_file(project.url)))
