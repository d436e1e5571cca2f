"""Flags, durations and numbers that can't be: exit code 2, a next step, and one JSON document where asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import CommandLine
from tests.support.project_commands import ProjectCommands, error_in, told
from tests.support.projects import make_project
from tests.support.scripts import write_tables
from tests.support.snapshots import applied


@pytest.fixture
def run(tmp_path: Path, sqlite_url: str, cli: CommandLine) -> ProjectCommands:
    """A project on SQLite: nothing here gets as far as the database."""
    project = make_project(tmp_path / "project", sqlite_url, "light")
    write_tables(project.migrations, 3)
    return ProjectCommands.of(project, cli)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["aply"], "aply"),
        (["apply", "--no-such-flag"], "--no-such-flag"),
        (["apply", "--to"], "--to"),
        (["apply", "--to", "three"], "'three' is not a migration's number"),
        (["apply", "--steps", "0"], "--steps"),
        (["apply", "--steps", "many"], "--steps"),
        (["apply", "now"], "now"),
        (["plan", "sideways"], "sideways"),
        (["baseline"], "--to"),
        (["new"], "TITLE"),
        (["log", "--limit", "0"], "--limit"),
        (["apply", "--to", "2", "--steps", "1"], "--to and --steps can't be combined"),
        (["apply", "--only", "2", "--to", "1"], "--to and --only can't be combined"),
        (["rollback", "--only", "2", "--last-run"], "--only and --last-run can't be combined"),
        (["repair", "--mark-applied", "1", "--mark-pending", "1"], "can't be combined"),
        (["plan", "rollback", "--out-of-order"], "--out-of-order belongs to apply"),
        (["plan", "--last-run"], "--last-run belongs to rollback"),
    ],
    ids=" ".join,
)
def test_wrong_arguments(run: ProjectCommands, arguments: list[str], says: str) -> None:
    run.refuses(*arguments, exit_code=2, says=says, next_step="--help")


@pytest.mark.parametrize(
    "arguments",
    [
        ["apply", "--lock-timeout", "soon"],
        ["apply", "--lock-timeout", "-1s"],
        ["apply", "--deadline", "1 day"],
        ["status", "--wait", "1h30m"],
        ["wait", "a while"],
    ],
    ids=" ".join,
)
def test_what_is_no_duration(run: ProjectCommands, arguments: list[str]) -> None:
    run.refuses(
        *arguments, exit_code=2, says=f"{arguments[-1]!r} is not a duration", next_step="60s, 500ms or 2m"
    )


@pytest.mark.parametrize(
    "arguments",
    [["apply", "--only", "9"], ["apply", "--to", "9"], ["rollback", "--only", "9"], ["rollback", "--to", "9"],
     ["baseline", "--to", "9"], ["repair", "--mark-applied", "9"], ["repair", "--mark-pending", "9"],
     ["plan", "--only", "009_x.py"]],
    ids=" ".join,
)  # fmt: skip
def test_a_number_that_no_script_has(run: ProjectCommands, arguments: list[str]) -> None:
    run.refuses(
        *arguments, exit_code=2, says="there is no script with the number 9", next_step="001, 002, 003"
    )


def test_a_script_that_does_not_exist(run: ProjectCommands) -> None:
    run.refuses("renumber", "009_x.py", exit_code=2, says="there is no script 009_x.py", next_step="status")


def test_a_title_without_letters(run: ProjectCommands) -> None:
    run.refuses("new", "!!!", exit_code=2, says="gives no file name", next_step="use letters")


def test_an_applied_script_keeps_its_number(run: ProjectCommands) -> None:
    run.succeeds("apply", "--to", "1")
    run.refuses(
        "renumber", "1", exit_code=4, says="001_make_table_1 is applied", next_step="renumber the other"
    )
    assert (run.folder / "001_make_table_1.py").exists()


def test_a_missing_folder(cli: CommandLine, tmp_path: Path, database_url: str) -> None:
    for command in ("status", "plan", "apply", "rollback"):
        done = cli(command, "--dir", tmp_path / "nowhere", "--json", env={"DATABASE_URL": database_url})
        assert done.returncode == 2
        error_in(done, f"no migrations folder at {tmp_path / 'nowhere'}", "--dir")


def test_a_file_as_folder(run: ProjectCommands, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "no migrations folder" in told(
        run.cli("status", "--dir", tmp_path / "file", env=run.environment), 2
    )


def test_an_environment_file_that_does_not_exist(run: ProjectCommands) -> None:
    run.refuses(
        "status", "--env-file", "nowhere.env", exit_code=2, says="no file nowhere.env", next_step="--env-file"
    )


def test_settings_that_can_not_be_read(run: ProjectCommands) -> None:
    settings = run.project.folder / "pyproject.toml"
    settings.write_text("[tool.nonstop]\ndir =")
    run.refuses("status", exit_code=2, says=f"{settings} can't be read", next_step="correct the file")
    settings.write_text("[tool.nonstop]\nurl-function = 'config.py:nothing'")
    run.refuses("status", exit_code=2, says="url-function", next_step="write it like")


@pytest.mark.parametrize("name", ["two words", "x; DROP TABLE orders", 'x"'])
def test_a_ledger_that_can_not_be_called_so(run: ProjectCommands, name: str) -> None:
    settings = run.project.folder / "pyproject.toml"
    settings.write_text(f"[tool.nonstop]\nledger-table = '{name}'")
    run.refuses("status", exit_code=2, says="the ledger can't be called", next_step="letters, digits")


def test_flags_may_stand_on_either_side(run: ProjectCommands) -> None:
    for arguments in (["--json", "apply", "--to", "1"], ["apply", "--to", "001_make_table_1.py", "--json"]):
        done = run.cli("--dir", run.folder, *arguments, env=run.environment)
        assert done.returncode == 0
    assert applied(run.project.url) == [1]


def test_help_and_version_are_free(cli: CommandLine, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments in (["--help"], ["apply", "--help"], ["--version"]):
        done = cli(*arguments, cwd=empty)
        assert (done.returncode, done.stderr) == (0, "")
    assert list(empty.iterdir()) == []


def test_no_json_means_no_document(run: ProjectCommands) -> None:
    done = run("apply", "--only", "9")
    assert done.stdout == ""
    assert told(done, 2).startswith("Error: there is no script with the number 9")
