"""Databases that can be read and not written: a standby, a read-only role, a read-only file. Reading works."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.commands import LIMIT, CommandLine, clean_environment
from tests.support.database_pool import with_database
from tests.support.postgres_server import Server, Unavailable, unprivileged
from tests.support.project_commands import ProjectCommands, error_in
from tests.support.projects import make_project
from tests.support.scripts import write_tables
from tests.support.standby import standby_of


def can_only_read(run: ProjectCommands, *, says: str, next_step: str) -> None:
    """001 is applied and 002 is not: what reads works, what writes ends with 2 and changes nothing."""
    assert [row["state"] for row in run.succeeds("status")["migrations"]] == ["applied", "pending"]
    assert run.succeeds("apply", "--to", "1")["migrations"] == []
    for command in ("apply", "rollback"):
        run.refuses(command, exit_code=2, says=says, next_step=next_step)


def one_of_two_applied(folder: Path, url: str, cli: CommandLine) -> ProjectCommands:
    run = ProjectCommands.of(make_project(folder, url, "light"), cli)
    write_tables(run.folder, 2)
    run.succeeds("apply", "--to", "1")
    return run


# --- PostgreSQL -----------------------------------------------------------------------------------


def test_a_standby(tmp_path: Path, cli: CommandLine, postgres_server: Server, postgres_url: str) -> None:
    run = one_of_two_applied(tmp_path / "project", postgres_url, cli)
    try:
        with standby_of(postgres_server) as server:
            url = with_database(server.url, postgres_url.rpartition("/")[2])
            with psycopg.connect(url) as connection:
                assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
            can_only_read(run.with_url(url), says="can't be written", next_step="connect to the primary")
    except Unavailable as reason:
        pytest.skip(str(reason))


def test_a_role_that_is_set_to_read_only(
    tmp_path: Path, cli: CommandLine, postgres_url: str, postgres_role: Callable[..., str]
) -> None:
    run = one_of_two_applied(tmp_path / "project", postgres_url, cli)
    url = postgres_role("SUPERUSER")
    role = url.partition("://")[2].partition("@")[0]
    with psycopg.connect(postgres_url) as connection:
        connection.execute(f"ALTER ROLE {role} SET default_transaction_read_only = on")

    can_only_read(run.with_url(url), says="can't be written", next_step="connect to the primary")


def test_a_role_that_may_only_select(
    tmp_path: Path, cli: CommandLine, postgres_url: str, postgres_role: Callable[..., str]
) -> None:
    run = one_of_two_applied(tmp_path / "project", postgres_url, cli)
    url = postgres_role()
    role = url.partition("://")[2].partition("@")[0]
    with psycopg.connect(postgres_url) as connection:
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")

    can_only_read(
        run.with_url(url), says=f"the role {role} may not do this", next_step="MIGRATION_DATABASE_URL"
    )


def test_a_role_without_any_right(
    tmp_path: Path, cli: CommandLine, postgres_url: str, postgres_role: Callable[..., str]
) -> None:
    """The ledger is its owner's: whoever else wants to look at it is granted that."""
    run = one_of_two_applied(tmp_path / "project", postgres_url, cli)
    stranger = run.with_url(postgres_role())
    for command in ("status", "apply", "log"):
        stranger.refuses(command, exit_code=2, says="permission denied", next_step="grant it the right")


def test_a_role_whose_search_path_leads_nowhere(
    tmp_path: Path, cli: CommandLine, postgres_url: str, postgres_role: Callable[..., str]
) -> None:
    url = postgres_role()
    role = psycopg.conninfo.conninfo_to_dict(url)["user"]
    with psycopg.connect(postgres_url) as connection:
        connection.execute(f"ALTER ROLE {role} SET search_path = no_such_schema".encode())
    run = ProjectCommands.of(make_project(tmp_path / "project", postgres_url, "light"), cli)
    write_tables(run.folder, 1)

    run.with_url(url).refuses(
        "apply", exit_code=2, says="names no schema that exists", next_step="create the schema"
    )


def test_a_role_that_may_not_create_tables(
    tmp_path: Path, cli: CommandLine, postgres_url: str, postgres_role: Callable[..., str]
) -> None:
    url = postgres_role()
    with psycopg.connect(postgres_url) as connection:  # PostgreSQL 14 lets everybody create in public
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    run = ProjectCommands.of(make_project(tmp_path / "project", postgres_url, "light"), cli)
    write_tables(run.folder, 1)

    stranger = run.with_url(url)
    stranger.succeeds("status")
    stranger.refuses(
        "apply", exit_code=2, says="permission denied for schema public", next_step="grant it the right"
    )


# --- SQLite ---------------------------------------------------------------------------------------


def test_a_file_opened_read_only(tmp_path: Path, cli: CommandLine, sqlite_url: str) -> None:
    run = one_of_two_applied(tmp_path / "project", sqlite_url, cli)
    path = sqlite_url.removeprefix("sqlite:///")

    read_only = run.with_url(f"sqlite:///file:{path}?mode=ro&uri=true")
    can_only_read(read_only, says="can't be written", next_step="writable")


class Unprivileged(CommandLine):
    """The command line under a user whom the rights of a file bind, as they do not bind root."""

    def python(self, *arguments, env=None, cwd=None, input=""):
        return subprocess.run(
            [*unprivileged(self.folder), *self._command(arguments)], env=clean_environment(self.home, **(env or {})),
            cwd=cwd or self.folder, input=input, capture_output=True, encoding="utf-8", timeout=LIMIT,
        )  # fmt: skip


@pytest.fixture
def unprivileged_cli(cli: CommandLine) -> CommandLine:
    found = Unprivileged(cli.home, cli.folder)
    try:
        works = found("--version").returncode == 0
    except Unavailable as reason:
        pytest.skip(str(reason))
    if not works:
        pytest.skip("an unprivileged user can't reach this Python")
    return found


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    """A folder for the database alone; its rights come back at the end, so that it can be removed."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    yield folder
    folder.chmod(0o755)


def test_a_file_that_may_only_be_read(tmp_path: Path, shelf: Path, unprivileged_cli: CommandLine) -> None:
    run = one_of_two_applied(tmp_path / "project", f"sqlite:///{shelf / 'database.db'}", unprivileged_cli)
    (shelf / "database.db").chmod(0o444)

    can_only_read(run, says="can't be written", next_step="writable")


def test_a_folder_that_may_only_be_read(tmp_path: Path, shelf: Path, unprivileged_cli: CommandLine) -> None:
    run = one_of_two_applied(tmp_path / "project", f"sqlite:///{shelf / 'database.db'}", unprivileged_cli)
    for path in shelf.glob("*.lock"):
        path.unlink()
    shelf.chmod(0o555)

    can_only_read(run, says="can't be written", next_step="writable")


def test_a_file_that_may_not_be_read(tmp_path: Path, shelf: Path, unprivileged_cli: CommandLine) -> None:
    run = one_of_two_applied(tmp_path / "project", f"sqlite:///{shelf / 'database.db'}", unprivileged_cli)
    (shelf / "database.db").chmod(0)

    for command in ("status", "apply"):
        done = run(command, "--json")
        assert done.returncode == 6, done.stderr
        error_in(done, "can't be opened", "check its permissions")


def test_migrations_that_may_not_be_read(
    tmp_path: Path, sqlite_url: str, unprivileged_cli: CommandLine
) -> None:
    run = one_of_two_applied(tmp_path / "project", sqlite_url, unprivileged_cli)
    (run.folder / "002_make_table_2.py").chmod(0)
    run.refuses("apply", exit_code=4, says="002_make_table_2.py: Permission denied", next_step="can be read")
    run.folder.chmod(0)
    try:
        run.refuses("status", exit_code=2, says="can't be read", next_step="permissions")
    finally:
        run.folder.chmod(0o755)
