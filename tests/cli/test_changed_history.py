"""Files that changed after they were applied, vanished, came late or are missing: told apart, with a way out."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg
import pytest

from tests.support.project_commands import ProjectCommands
from tests.support.projects import Project
from tests.support.scripts import edit, write_script, write_tables
from tests.support.snapshots import applied, sqlite_file


def row_of(run: ProjectCommands, number: int) -> dict[str, str]:
    return {row["number"]: row for row in run.succeeds("status")["migrations"]}[number]


# --- edited ---------------------------------------------------------------------------------------


def test_an_edit_of_comments_is_a_note(project: Project, run: ProjectCommands) -> None:
    first, *_ = write_tables(project.migrations, 2)
    run.succeeds("apply", "--to", "1")
    edit(
        first,
        '    """Apply the migration"""',
        '    # Why: the workshop asked for it.\n    """Make the first table"""',
    )
    edit(first, "return True", "return  True")

    assert row_of(run, 1)["state"] == "applied"
    assert "comments or formatting only" in row_of(run, 1)["note"]
    done = run.succeeds("apply")
    assert any("001_make_table_1.py was edited" in note for note in done["notes"])
    assert applied(project.url) == [1, 2]


def test_other_line_ends_and_a_byte_order_mark_are_no_edit(project: Project, run: ProjectCommands) -> None:
    [path] = write_tables(project.migrations, 1)
    run.succeeds("apply")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"  \r\n"))

    assert row_of(run, 1)["note"] is None
    assert run.succeeds("apply")["notes"] == []


@pytest.fixture
def edited(project: Project, run: ProjectCommands) -> Project:
    """001 is applied and then says something else; 002 is pending."""
    first, *_ = write_tables(project.migrations, 2)
    run.succeeds("apply", "--to", "1")
    edit(first, "VARCHAR(40)", "VARCHAR(80)")
    return project


def test_an_edit_of_the_program_is_refused(edited: Project, run: ProjectCommands) -> None:
    says = "001_make_table_1.py was changed after it was applied"
    for command in ("apply", "rollback", "plan"):
        run.refuses(command, exit_code=4, says=says, next_step=("--allow-edited", "repair"))
    assert row_of(run, 1)["state"] == "edited"
    assert run("status", "--exit-code").returncode == 4


def test_an_edit_can_be_passed_over_once(edited: Project, run: ProjectCommands) -> None:
    run.succeeds("apply", "--allow-edited")
    assert applied(edited.url) == [1, 2]
    run.refuses("apply", exit_code=4, says="was changed after it was applied")
    run.succeeds("rollback", "--allow-edited")
    assert applied(edited.url) == []


def test_repair_accepts_an_edit(edited: Project, run: ProjectCommands) -> None:
    [change] = run.succeeds("repair")["changes"]
    assert change == {"label": "001_make_table_1", "action": "accepted as it is now"}
    run.succeeds("apply")
    assert applied(edited.url) == [1, 2]


def test_another_script_under_an_applied_number(project: Project, run: ProjectCommands) -> None:
    [path] = write_tables(project.migrations, 1)
    run.succeeds("apply")
    path.rename(project.migrations / "001_other_name.py")

    run.refuses(
        "apply", exit_code=4, says="001_other_name.py was applied as 001_make_table_1.py", next_step="repair"
    )


# --- gone -----------------------------------------------------------------------------------------


def test_an_applied_file_that_is_gone(project: Project, run: ProjectCommands) -> None:
    first, *_ = write_tables(project.migrations, 2)
    run.succeeds("apply", "--to", "1")
    first.unlink()

    says = "001_make_table_1 is applied, but its file is gone"
    run.refuses("rollback", exit_code=4, says=says, next_step=("bring the file back", "repair"))
    assert row_of(run, 1)["state"] == "missing file"
    assert run.succeeds("apply")["notes"] == [says]
    [change] = run.succeeds("repair")["changes"]
    assert "forgotten" in change["action"]
    assert applied(project.url) == [2]


# --- order ----------------------------------------------------------------------------------------


def test_a_script_that_comes_late(project: Project, run: ProjectCommands) -> None:
    write_tables(project.migrations, 3)
    late = (project.migrations / "002_make_table_2.py").rename(project.folder / "late.py")
    run.succeeds("apply", "--out-of-order")
    late.rename(project.migrations / "002_make_table_2.py")

    run.refuses(
        "apply", exit_code=4, says="002_make_table_2.py is pending, but 003 is applied already",
        next_step=("--out-of-order", "renumber 002_make_table_2.py"),
    )  # fmt: skip
    assert row_of(run, 2)["state"] == "out of order"
    run.succeeds("apply", "--out-of-order")
    assert applied(project.url) == [1, 2, 3]


def test_a_gap(project: Project, run: ProjectCommands) -> None:
    write_tables(project.migrations, 1)
    write_tables(project.migrations, 1, first=4)

    run.refuses(
        "apply", exit_code=4, says="there is no script 002 to 003 between 001 and 004",
        next_step=("renumber", "--out-of-order"),
    )  # fmt: skip
    run.succeeds("apply", "--out-of-order")
    assert applied(project.url) == [1, 4]
    assert run.succeeds("status")["problems"] == []


def test_a_single_script_runs_alone_whatever_its_order(project: Project, run: ProjectCommands) -> None:
    write_tables(project.migrations, 3)

    run.succeeds("apply", "--only", "2")
    assert applied(project.url) == [2]
    run.succeeds("apply")  # takes up what was left out knowingly
    assert applied(project.url) == [1, 2, 3]
    assert run.succeeds("rollback", "--only", "2")["notes"] == ["003 is applied already"]


# --- dependencies and ways back -------------------------------------------------------------------


def test_declared_dependencies(project: Project, run: ProjectCommands) -> None:
    write_tables(project.migrations, 1)
    path = write_script(project.migrations, "002_use_it.py", template="bare")
    edit(path, "def apply()", "depends_on = [1]\n\n\ndef apply()")

    says = "002_use_it depends on 001, not applied"
    run.refuses("apply", "--only", "2", exit_code=4, says=says, next_step="apply 001 first")
    run.succeeds("apply")
    says = "002_use_it is applied and depends on 001"
    run.refuses("rollback", "--only", "1", exit_code=4, says=says, next_step="roll back 002_use_it first")
    run.succeeds("rollback")


def test_dependencies_that_are_no_numbers(project: Project, run: ProjectCommands) -> None:
    path = write_script(project.migrations, "001_use_it.py", template="bare")
    edit(path, "def apply()", "depends_on = ['first']\n\n\ndef apply()")

    run.refuses(
        "apply", exit_code=4, says="depends_on is not a list of numbers", next_step="depends_on = [1, 2]"
    )


def test_no_way_back(project: Project, run: ProjectCommands) -> None:
    write_tables(project.migrations, 1)
    path = write_script(project.migrations, "002_once.py", template="bare")
    edit(path, "\n\ndef rollback():\n    pass", "")
    write_tables(project.migrations, 1, first=3)
    run.succeeds("apply")

    says = "002_once has no rollback()"
    for flags in ([], ["--only", "2"], ["--steps", "2"]):
        run.refuses("rollback", *flags, exit_code=8, says=says, next_step="rollback --to 2")
    run.succeeds("rollback", "--to", "2")
    assert applied(project.url) == [1, 2]


# --- the ledger -----------------------------------------------------------------------------------


def test_a_ledger_from_a_newer_version(project: Project, run: ProjectCommands) -> None:
    write_tables(project.migrations, 2)
    run.succeeds("apply", "--to", "1")
    change_version(project.url)

    for command in ("status", "plan", "apply", "rollback", "log", "repair"):
        run.refuses(
            command, exit_code=4, says="the ledger has version 9", next_step="install the newer nonstop"
        )


def change_version(url: str) -> None:
    statement = "UPDATE nonstop_ledger SET version = 9"
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(sqlite_file(url))) as database, database:
            database.execute(statement)
    else:
        with psycopg.connect(url) as connection:
            connection.execute(statement)
