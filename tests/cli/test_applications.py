"""What the application under the scripts may not do: change the database when imported, or use another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import CommandLine
from tests.support.fingerprint import fingerprint
from tests.support.project_commands import ProjectCommands
from tests.support.projects import Project, make_project
from tests.support.scripts import edit, sql, write_script, write_tables

CREATE_ALL = """
class Order(db.Model):
    id = db.Column(db.Integer, primary_key=True)


with app.app_context():
    db.create_all()
"""
ALTER_AT_IMPORT = """
with db.engine.begin() as connection:
    connection.exec_driver_sql("CREATE TABLE eager (id INTEGER)")
"""
SWALLOWED = """
try:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE eager (id INTEGER)")
except Exception:
    pass
"""


def append(project: Project, source: str) -> None:
    with (project.folder / "app.py").open("a", encoding="utf-8") as file:
        file.write(source)


@pytest.mark.parametrize("source", [ALTER_AT_IMPORT, SWALLOWED], ids=["plain", "swallowed"])
def test_ddl_at_import(project: Project, run: ProjectCommands, source: str) -> None:
    """It is the application's business, which happens wherever it is imported; the report says so once."""
    append(project, source)
    write_tables(project.migrations, 2)
    said = str(run.succeeds("apply"))
    assert said.count("the application changes the database while it is imported: CREATE TABLE eager") == 1
    assert {"eager", "table_1", "table_2"} <= set(fingerprint(project.url)["tables"])


def test_create_all_at_import(tmp_path: Path, database_url: str, cli: CommandLine) -> None:
    """The usual small application, there and back and there again."""
    project = make_project(tmp_path / "project", database_url, "flask")
    append(project, CREATE_ALL)
    write_tables(project.migrations, 2)
    run = ProjectCommands.of(project, cli)
    told = "the application changes the database while it is imported: CREATE TABLE"
    assert told in str(run.succeeds("apply"))
    run.succeeds("status")
    run.succeeds("rollback", "--yes")
    assert told not in str(run.succeeds("apply"))


def test_reading_at_import_is_fine(project: Project, run: ProjectCommands) -> None:
    append(project, "\nwith db.engine.connect() as connection:\n    connection.exec_driver_sql('SELECT 1')\n")
    write_tables(project.migrations, 1)

    run.succeeds("apply")


def test_an_application_on_another_sqlite_file(tmp_path: Path, sqlite_url: str, cli: CommandLine) -> None:
    project = make_project(tmp_path / "project", sqlite_url, "light")
    other = f"sqlite:///{tmp_path / 'other.db'}"
    edit(project.folder / "app.py", 'os.environ["DATABASE_URL"]', repr(other))
    write_tables(project.migrations, 1)
    run = ProjectCommands.of(project, cli)

    run.undoes(
        "apply", exit_code=2, says=("the script works on", "other.db"), next_step="the same DATABASE_URL"
    )
    assert fingerprint(other)["tables"] == {}


def test_an_application_on_another_postgres_database(
    tmp_path: Path, postgres_url: str, postgres_server: object, cli: CommandLine
) -> None:
    project = make_project(tmp_path / "project", postgres_url, "light")
    other = postgres_url.rpartition("/")[0] + "/template1"
    edit(project.folder / "app.py", 'os.environ["DATABASE_URL"]', repr(other))
    write_tables(project.migrations, 1)
    run = ProjectCommands.of(project, cli)

    says = "the script works on another database than the ledger's"
    run.undoes("apply", exit_code=2, says=says, next_step="the same DATABASE_URL")
    assert fingerprint(other)["tables"] == {}


def test_a_script_that_swallows_the_refusal(tmp_path: Path, sqlite_url: str, cli: CommandLine) -> None:
    project = make_project(tmp_path / "project", sqlite_url, "light")
    edit(project.folder / "app.py", 'os.environ["DATABASE_URL"]', repr(f"sqlite:///{tmp_path / 'other.db'}"))
    lines = ["try:", *(f"    {line}" for line in sql("CREATE TABLE notes (id INTEGER)").splitlines())]
    write_script(
        project.migrations, "001_notes.py", "\n".join([*lines, "except Exception as error:", "    pass"])
    )

    ProjectCommands.of(project, cli).undoes("apply", exit_code=2, says="the script works on")


def test_the_flag_leads_the_application_too(project: Project, run: ProjectCommands, tmp_path: Path) -> None:
    """--url moves the ledger and the application under the scripts together."""
    other = f"sqlite:///{tmp_path / 'other.db'}"
    write_tables(project.migrations, 1)

    run.succeeds("apply", "--url", other)

    assert list(fingerprint(other)["tables"]) == ["table_1"]
    assert fingerprint(project.url)["tables"] == {}
