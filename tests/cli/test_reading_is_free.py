"""``status``, ``plan`` and an ``apply`` with nothing to do leave no trace, whatever state they meet."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.support.commands import LIMIT, CommandLine
from tests.support.fingerprint import rows
from tests.support.project_commands import ProjectCommands, told
from tests.support.projects import make_project
from tests.support.scripts import edit, write_tables
from tests.support.snapshots import applied, snapshot, sqlite_file

READING = (["status", "--exit-code"], ["plan", "--sql"], ["plan", "rollback"], ["log"])


def files(folder: Path) -> dict[str, bytes]:
    """Each file below a folder by its name, with its bytes. What Python compiles on the way is its own business."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def read_all(run: ProjectCommands, commands: Sequence[list[str]] = READING) -> None:
    """Every command that only reads, to its end; which code it ends with depends on what it sees."""
    for arguments in commands:
        done = run(*arguments)
        assert done.returncode in (0, 3), done.stderr


# --- the same on both databases -------------------------------------------------------------------


def test_on_an_empty_database(run: ProjectCommands, tmp_path: Path) -> None:
    """No ledger appears; on SQLite, no file does."""
    write_tables(run.folder, 2)
    before, files_before = snapshot(run.project.url), files(tmp_path)

    read_all(run)

    assert snapshot(run.project.url) == before
    assert files(tmp_path) == files_before
    assert before["ledger"] == {}


def test_apply_and_rollback_with_nothing_to_do_on_an_empty_database(
    run: ProjectCommands, tmp_path: Path
) -> None:
    before, files_before = snapshot(run.project.url), files(tmp_path)

    for command in ("apply", "rollback"):
        assert run.succeeds(command)["migrations"] == []

    assert snapshot(run.project.url) == before
    assert files(tmp_path) == files_before


def test_with_applied_pending_edited_and_failed_scripts(run: ProjectCommands, tmp_path: Path) -> None:
    first, *_ = write_tables(run.folder, 3)
    run.succeeds("apply", "--to", "2")
    edit(run.folder / "003_make_table_3.py", "CREATE TABLE", "CREATE NOTHING")
    assert run("apply").returncode == 1
    edit(first, "import sys\n", "import sys  # for the path\n")
    before, files_before = snapshot(run.project.url), files(tmp_path)

    read_all(run)

    assert snapshot(run.project.url) == before
    assert files(tmp_path) == files_before


def test_apply_with_nothing_to_do(run: ProjectCommands, tmp_path: Path) -> None:
    write_tables(run.folder, 2)
    run.succeeds("apply")
    before, files_before = snapshot(run.project.url), files(tmp_path)

    for arguments in (["apply"], ["apply", "--to", "1"], ["apply", "--only", "2"], ["rollback", "--to", "2"]):
        assert run.succeeds(*arguments)["migrations"] == []

    assert snapshot(run.project.url) == before
    assert files(tmp_path) == files_before


def test_an_interrupted_script_is_looked_at_without_a_trace(run: ProjectCommands, tmp_path: Path) -> None:
    """Whether it is still running is asked of the lock, and asking for it must not leave one."""
    write_tables(run.folder, 1)
    edit(run.folder / "001_make_table_1.py", "        return True", "        os.kill(os.getpid(), 9)")
    assert run("apply").returncode == -signal.SIGKILL
    before, files_before = snapshot(run.project.url), files(tmp_path)

    assert run.succeeds("status")["migrations"][0]["state"] == "interrupted"

    assert snapshot(run.project.url) == before
    assert files(tmp_path) == files_before


# --- PostgreSQL -----------------------------------------------------------------------------------


def test_a_role_that_can_only_read(
    tmp_path: Path, cli: CommandLine, postgres_url: str, postgres_role: Callable[..., str]
) -> None:
    """It is granted the ledger's tables and nothing else."""
    run = ProjectCommands.of(make_project(tmp_path / "project", postgres_url, "light"), cli)
    write_tables(run.folder, 2)
    run.succeeds("apply", "--to", "1")
    url = postgres_role("NOSUPERUSER NOCREATEDB NOCREATEROLE")
    role = url.partition("://")[2].partition("@")[0]
    with psycopg.connect(postgres_url) as connection:
        for table in ("ledger", "migrations", "events", "steps"):
            connection.execute(f"GRANT SELECT ON nonstop_{table} TO {role}")
    before = snapshot(postgres_url)

    reader = run.with_url(url)
    read_all(reader, [command for command in READING if "--sql" not in command])
    reader.fails(
        "plan", "--sql", exit_code=2, says="no place where the scripts could be rehearsed",
        next_step="REHEARSAL_DATABASE_URL",
    )  # fmt: skip
    assert reader.succeeds("apply", "--to", "1")["migrations"] == []
    assert [row["state"] for row in reader.succeeds("status")["migrations"]] == ["applied", "pending"]

    assert snapshot(postgres_url) == before


def test_a_session_that_may_not_write(tmp_path: Path, cli: CommandLine, postgres_url: str) -> None:
    """The server itself watches: it would refuse even a row that is taken back at the end."""
    run = ProjectCommands.of(make_project(tmp_path / "project", postgres_url, "light"), cli)
    write_tables(run.folder, 1)
    run.succeeds("apply")
    url = postgres_url + "?options=-cdefault_transaction_read_only%3Don"

    read_all(run.with_url(url))
    assert run.with_url(url).succeeds("apply")["migrations"] == []


# --- SQLite ---------------------------------------------------------------------------------------


@pytest.fixture
def sqlite(tmp_path: Path, sqlite_url: str, cli: CommandLine) -> ProjectCommands:
    """A project on SQLite with 001 applied and 002 pending."""
    run = ProjectCommands.of(make_project(tmp_path / "project", sqlite_url, "light"), cli)
    write_tables(run.folder, 2)
    run.succeeds("apply", "--to", "1")
    return run


def killed_writer(path: Path, program: str) -> None:
    """Run ``program`` on the open ``database`` and kill it when it says that it is ready."""
    source = (
        f"import sqlite3, sys\ndatabase = sqlite3.connect({str(path)!r}, isolation_level=None)\n{program}"
    )
    command = [sys.executable, "-c", f"{source}\nprint('ready', flush=True)\nsys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        writer.kill()
        writer.wait(LIMIT)


def test_a_write_ahead_log(sqlite: ProjectCommands) -> None:
    """What a killed writer left in the log is read, and stays where it is."""
    path = sqlite_file(sqlite.project.url)
    log = Path(f"{path}-wal")
    killed_writer(
        path,
        "database.execute('PRAGMA journal_mode = wal')\n"
        "database.execute('PRAGMA wal_autocheckpoint = 0')\n"
        "database.execute(\"UPDATE nonstop_migrations SET who = 'a writer that was killed'\")",
    )
    before = path.read_bytes(), log.read_bytes()

    read_all(sqlite)
    assert sqlite.succeeds("apply", "--to", "1")["migrations"] == []
    [first, _] = sqlite.succeeds("status")["migrations"]

    assert first["applied_by"] == "a writer that was killed"
    assert (path.read_bytes(), log.read_bytes()) == before
    sqlite.succeeds("apply")
    assert applied(sqlite.project.url) == [1, 2]


HOT_JOURNAL = """
database.execute('PRAGMA cache_size = 1')  # so that pages go to the file before the commit
database.execute('BEGIN IMMEDIATE')
database.execute("UPDATE table_1 SET note = 'written by a writer that was killed'")
"""


def test_a_hot_journal(sqlite: ProjectCommands) -> None:
    """A killed writer left the file half-written: reading says so and touches nothing, apply brings it back."""
    path = sqlite_file(sqlite.project.url)
    journal = Path(f"{path}-journal")
    with closing(sqlite3.connect(path)) as database, database:
        database.executemany("INSERT INTO table_1 (note) VALUES (?)", [("n" * 40,)] * 5000)
    good = rows(sqlite.project.url)
    killed_writer(path, HOT_JOURNAL)
    before = path.read_bytes(), journal.read_bytes()
    assert b"a writer that was killed" in before[0]

    for arguments in READING:
        text = told(sqlite(*arguments), 6)
        assert "recovery needed: a writer was killed in the middle of a transaction" in text
        assert "apply recovers" in text
    assert (path.read_bytes(), journal.read_bytes()) == before

    sqlite.succeeds("apply")
    assert not journal.exists()
    assert {table: content for table, content in rows(sqlite.project.url).items() if table == "table_1"} == {
        "table_1": good["table_1"]
    }


def test_a_live_writer_is_not_waited_for(sqlite: ProjectCommands) -> None:
    """Its journal is not hot. Reading goes on beside it, and shows what was committed before."""
    path = sqlite_file(sqlite.project.url)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE nonstop_migrations SET who = 'nobody'")
        assert Path(f"{path}-journal").exists()

        [first, _] = sqlite.succeeds("status")["migrations"]
        assert first["applied_by"] != "nobody"
        assert sqlite.succeeds("apply", "--to", "1")["migrations"] == []

        assert Path(f"{path}-journal").exists()
        writer.execute("ROLLBACK")


def test_the_folder_of_the_database_stays_as_it_is(sqlite: ProjectCommands) -> None:
    """No lock file is made by looking: a first apply made it, and it is gone here."""
    path = sqlite_file(sqlite.project.url)
    for lock in path.parent.glob("*.lock"):
        lock.unlink()
    before = files(path.parent)

    read_all(sqlite)
    sqlite.succeeds("apply", "--to", "1")

    assert files(path.parent) == before
