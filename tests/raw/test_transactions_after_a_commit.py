"""What a script does after a commit belongs to a transaction of its own, although that commit may still be held back."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from nonstop.databases.wording import only_asks
from tests.support.databases import engine_for
from tests.support.forked import ForkServer
from tests.support.projects import Project, make_project
from tests.support.scripts import sql, write_script
from tests.support.snapshots import applied

MAKE = "CREATE TABLE notes (note TEXT)"
KEEP = "INSERT INTO notes VALUES ('kept')"

# The statements of a second transaction, after which the note is 'kept'.
SAVEPOINT = ("SAVEPOINT one", "INSERT INTO notes VALUES ('given up')", "ROLLBACK TO SAVEPOINT one", KEEP)
ON_POSTGRESQL = {
    "a rollback": ("ROLLBACK", KEEP),
    "SET LOCAL": ("SET LOCAL app.note = 'kept'", "INSERT INTO notes VALUES (current_setting('app.note'))"),
    "set_config": (
        "SELECT set_config('app.note', 'kept', true)", "INSERT INTO notes VALUES (current_setting('app.note'))",
    ),
    "SET TRANSACTION": (
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "INSERT INTO notes SELECT 'kept' WHERE current_setting('transaction_isolation') = 'serializable'",
    ),
    "FOR UPDATE": (
        "SELECT * FROM notes FOR UPDATE",
        "INSERT INTO notes SELECT 'kept' FROM pg_locks WHERE relation = 'notes'::regclass AND mode = 'RowShareLock'",
    ),
    "an advisory lock": (
        "SELECT pg_advisory_xact_lock(17)",
        "INSERT INTO notes SELECT 'kept' FROM pg_locks WHERE locktype = 'advisory' AND objid = 17 AND pid = pg_backend_pid()",
    ),
}  # fmt: skip


def test_a_savepoint_is_one_of_the_next_transaction(light_project: Project, forks: ForkServer) -> None:
    assert notes_after(light_project, forks, *SAVEPOINT) == ["kept"]


@pytest.mark.parametrize("case", ON_POSTGRESQL)
def test_what_concerns_a_transaction_concerns_the_next_one(
    case: str, postgres_project: Project, forks: ForkServer
) -> None:
    assert notes_after(postgres_project, forks, *ON_POSTGRESQL[case]) == ["kept"]


@pytest.mark.parametrize("value", ["0", "1"])
def test_a_pragma_that_is_only_heeded_between_transactions(
    value: str, sqlite_url: str, tmp_path: Path, forks: ForkServer
) -> None:
    project = make_project(tmp_path / "project", sqlite_url, "light")
    heeded = "INSERT INTO notes SELECT foreign_keys FROM pragma_foreign_keys"
    assert notes_after(project, forks, f"PRAGMA foreign_keys = {value}", heeded) == [value]


def notes_after(project: Project, forks: ForkServer, *statements: str) -> list[str]:
    """Apply a script that makes the table in one transaction and sends ``statements`` in the next one."""
    write_script(project.migrations, "001_make_notes.py", f"{sql(MAKE)}\n{sql(*statements)}")
    done = forks.run("apply", "--dir", project.migrations, env=project.environment)
    assert done.returncode == 0, done.output
    assert applied(project.url) == [1]
    engine = engine_for(project.url)
    with engine.connect() as connection:
        notes = list(connection.scalars(text("SELECT note FROM notes")))
    engine.dispose()
    return notes


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT 1", True),
        ("-- FOR whom\n(SELECT note FROM notes);", True),
        ("WITH n AS (SELECT 1) SELECT * FROM n", True),
        ("PRAGMA table_info('notes')", True),
        ("PRAGMA main.index_list(notes)", True),
        ("SHOW search_path", True),
        ("SELECT 1; SET LOCAL search_path = other", False),
        ("SELECT note FROM notes FOR NO KEY UPDATE", False),
        ("PRAGMA foreign_keys(0)", False),
        ("RESET search_path", False),
        ("BEGIN", False),
        ("DELETE FROM notes", False),
        ("/* a /* nested */ select */ UPDATE notes SET note = 'x'", False),
        ("SELECT note INTO kept FROM notes", False),
    ],
)
def test_what_only_asks(statement: str, expected: bool) -> None:
    assert only_asks(statement) is expected
