"""Addresses that are none, that lead nowhere, or that lead to something that is no database."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commands import CommandLine
from tests.support.database_pool import with_database
from tests.support.project_commands import ProjectCommands, error_in, told
from tests.support.projects import Project
from tests.support.scripts import write_tables

COMMANDS = ("status", "plan", "apply", "rollback")


def fails(
    cli: CommandLine, folder: Path, url: str | None, *, exit_code: int, says: str, next_step: str,
    commands: tuple[str, ...] = ("status", "apply"),
) -> None:  # fmt: skip
    """Each command on this address, with one script to run, ends so, and says so."""
    write_tables(folder, 1)
    environment = {} if url is None else {"DATABASE_URL": url}
    for command in commands:
        done = cli(command, "--dir", folder, "--json", env=environment)
        assert done.returncode == exit_code, done.stdout + done.stderr
        error_in(done, says, next_step)
        assert "Traceback" not in done.stderr


# --- what is no address ---------------------------------------------------------------------------


def test_no_address(migrations: Path, cli: CommandLine) -> None:
    fails(
        cli, migrations, None, exit_code=2, says="no database is named", next_step="set DATABASE_URL",
        commands=COMMANDS,
    )  # fmt: skip


def test_an_empty_address(migrations: Path, cli: CommandLine) -> None:
    fails(cli, migrations, "", exit_code=2, says="no database is named", next_step="set DATABASE_URL")


@pytest.mark.parametrize("url", ["mysql://u@127.0.0.1/felix_hub", "oracle+cx://u@host/x", "http://host/x"])
def test_an_unknown_scheme(migrations: Path, cli: CommandLine, url: str) -> None:
    scheme = url.partition(":")[0].partition("+")[0]
    fails(cli, migrations, url, exit_code=2, says=repr(scheme), next_step="postgresql:// or a sqlite:///")


@pytest.mark.parametrize(
    "url", ["felix_hub", "postgresql:/u@host/x", "/var/lib/felix_hub.db", "sqlite:file.db"]
)
def test_no_url_at_all(migrations: Path, cli: CommandLine, url: str) -> None:
    fails(cli, migrations, url, exit_code=2, says="not a database URL", next_step="sqlite:///file.db")


@pytest.mark.parametrize("port", ["port", "5432x", "-1"])
def test_a_port_that_is_no_number(migrations: Path, cli: CommandLine, port: str) -> None:
    url = f"postgresql://u:p@127.0.0.1:{port}/felix_hub"
    fails(
        cli,
        migrations,
        url,
        exit_code=2,
        says="the port in the database URL is not a number",
        next_step="%2F",
    )


def test_what_a_person_reads(migrations: Path, cli: CommandLine) -> None:
    text = told(cli("status", "--dir", migrations, "--url", "mysql://u@127.0.0.1/x"), 2)
    assert text == (
        "Error: nonstop does not know databases of the kind 'mysql'\n"
        "Next: use a postgresql:// or a sqlite:/// URL\n"
    )


# --- SQLite: what is no file ----------------------------------------------------------------------


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_a_database_in_memory(migrations: Path, cli: CommandLine, url: str) -> None:
    fails(cli, migrations, url, exit_code=2, says="in memory", next_step="sqlite:///file.db")


def test_a_folder_as_database(migrations: Path, cli: CommandLine, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}"
    fails(
        cli,
        migrations,
        url,
        exit_code=2,
        says=f"{tmp_path} is a folder",
        next_step="name a file",
        commands=COMMANDS,
    )


def test_a_file_in_a_folder_that_does_not_exist(migrations: Path, cli: CommandLine, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/nowhere/database.db"
    says = f"the folder {tmp_path}/nowhere of the database does not exist"
    fails(cli, migrations, url, exit_code=2, says=says, next_step="make it, or correct", commands=COMMANDS)
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_is_no_database(migrations: Path, cli: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "database.db"
    path.write_text("dear diary, " * 1000)
    before = path.read_bytes()

    says = f"{path} is damaged, or is no SQLite database"
    fails(
        cli, migrations, f"sqlite:///{path}", exit_code=6, says=says, next_step="restore it from a backup",
        commands=COMMANDS,
    )  # fmt: skip
    assert path.read_bytes() == before
    assert sorted(tmp_path.glob("database.db*")) == [path]


def test_a_database_that_was_cut_off(sqlite_project: ProjectCommands) -> None:
    write_tables(sqlite_project.folder, 3)
    sqlite_project.succeeds("apply")
    path = Path(sqlite_project.project.url.removeprefix("sqlite:///"))
    os.truncate(path, path.stat().st_size // 2)
    before = path.read_bytes()

    for command in COMMANDS:
        sqlite_project.fails(command, exit_code=6, says="is damaged", next_step="restore it from a backup")
    assert path.read_bytes() == before


@pytest.fixture
def sqlite_project(tmp_path: Path, sqlite_url: str, cli: CommandLine) -> ProjectCommands:
    folder = tmp_path / "project"
    run = ProjectCommands.of(Project(folder, sqlite_url), cli)
    run.folder.mkdir(parents=True)
    (folder / "app.py").write_text("from contextlib import nullcontext\nfrom sqlalchemy import create_engine\n"
                                   "import os\n\nclass app:\n    app_context = nullcontext\n\n"
                                   "class db:\n    engine = create_engine(os.environ['DATABASE_URL'])\n")  # fmt: skip
    return run


# --- PostgreSQL: who does not answer --------------------------------------------------------------


def test_nobody_listens(migrations: Path, cli: CommandLine) -> None:
    with socket.socket() as taken:  # bound, but it does not listen: a connection is refused at once
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql://u@127.0.0.1:{taken.getsockname()[1]}/felix_hub"
        fails(
            cli, migrations, url, exit_code=6, says=f"no connection to {url}", next_step="check that the server runs",
            commands=COMMANDS,
        )  # fmt: skip


def test_a_host_that_does_not_exist(migrations: Path, cli: CommandLine) -> None:
    url = "postgresql://u@nowhere.invalid/felix_hub"
    fails(cli, migrations, url, exit_code=6, says="nowhere.invalid", next_step="check that the server runs")


def test_waiting_for_a_server_ends(migrations: Path, cli: CommandLine, tmp_path: Path) -> None:
    url = f"postgresql://u@/felix_hub?host={tmp_path}"
    done = cli("wait", "300ms", "--dir", migrations, env={"DATABASE_URL": url})
    assert "no connection to" in told(done, 6)
    assert "waiting up to 0.3 s" in done.stderr


def test_a_database_that_does_not_exist(migrations: Path, cli: CommandLine, postgres_url: str) -> None:
    url = with_database(postgres_url, "no_such_database")
    fails(
        cli, migrations, url, exit_code=6, says='database "no_such_database" does not exist',
        next_step="createdb no_such_database", commands=COMMANDS,
    )  # fmt: skip


def test_a_wrong_password(migrations: Path, cli: CommandLine, postgres_role: Callable[..., str]) -> None:
    url = postgres_role(password="right").replace(":right@", ":wrong@")
    fails(
        cli, migrations, url, exit_code=6, says="password authentication failed",
        next_step="check the user and the password", commands=COMMANDS,
    )  # fmt: skip


def test_no_password(migrations: Path, cli: CommandLine, postgres_role: Callable[..., str]) -> None:
    url = postgres_role(password="right").replace(":right@", "@")
    fails(cli, migrations, url, exit_code=6, says="no password supplied", next_step="check the user")


def test_a_role_that_does_not_exist(migrations: Path, cli: CommandLine, postgres_url: str) -> None:
    url = postgres_url.replace("postgres@", "no_such_role@")
    fails(cli, migrations, url, exit_code=6, says="no_such_role", next_step="correct the user")
