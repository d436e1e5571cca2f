"""Killed with SIGKILL at any moment and run again, a migration ends where it would have ended undisturbed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commands import CommandLine
from tests.support.disturbed import Disturbed, kill_at_each_point
from tests.support.forked import ForkServer
from tests.support.projects import Project
from tests.support.scripts import sql, write_script

BACKEND = Path(__file__).resolve().parents[2] / "felix_hub" / "backend"
VERBS = pytest.mark.parametrize("verb", ["apply", "rollback"])

# One transaction each, and none of it can be done twice.
COUNT_UP = ("CREATE TABLE visits (id INTEGER PRIMARY KEY)", "INSERT INTO visits VALUES (1)", "UPDATE counter SET n = n + 1")
COUNT_DOWN = ("UPDATE counter SET n = n - 1", "DROP TABLE visits")

# Several commits on one connection, each of which may have happened already.
CAREFUL_APPLY = """
with db.engine.connect() as connection:
    if 'note' not in [column['name'] for column in inspect(db.engine).get_columns('counter')]:
        connection.execute(text("ALTER TABLE counter ADD COLUMN note VARCHAR(20)"))
        connection.commit()
    connection.execute(text("CREATE TABLE IF NOT EXISTS tags (name VARCHAR(20) PRIMARY KEY)"))
    connection.execute(text("UPDATE counter SET note = 'seen' WHERE note IS NULL"))
    connection.commit()
    connection.execute(text("INSERT INTO tags SELECT 'old' WHERE NOT EXISTS (SELECT 1 FROM tags)"))
    connection.commit()
"""
CAREFUL_ROLLBACK = """
with db.engine.connect() as connection:
    connection.execute(text("DROP TABLE IF EXISTS tags"))
    connection.commit()
    if 'note' in [column['name'] for column in inspect(db.engine).get_columns('counter')]:
        connection.execute(text("ALTER TABLE counter DROP COLUMN note"))
        connection.commit()
"""


@pytest.fixture
def kill(
    project_of_kind: Callable[..., Project], forks: ForkServer
) -> Callable[[str], tuple[Path, Callable[[], Disturbed]]]:
    """``folder, run = kill("apply")``: fill the folder with scripts, then run them as often as there are points."""

    def prepare(verb: str) -> tuple[Path, Callable[[], Disturbed]]:
        project = project_of_kind("light")
        write_script(
            project.migrations,
            "001_make_counter.py",
            sql("CREATE TABLE counter (n INTEGER)", "INSERT INTO counter VALUES (0)"),
            sql("DROP TABLE counter"),
        )
        first = ("apply", "--to", "1") if verb == "apply" else ("apply",)

        def run() -> Disturbed:
            done = forks.run(*first, "--dir", project.migrations, env=project.environment)
            assert done.returncode == 0, done.output
            return kill_at_each_point(forks, verb, project.migrations, project.url)

        return project.migrations, run

    return prepare


@VERBS
def test_felix_hub(verb: str, database_url: str, forks: ForkServer, cli: CommandLine) -> None:
    environment = {"DATABASE_URL": database_url}
    made = cli.python(BACKEND / "init_db.py", "--demo", "3", env=environment)
    assert made.returncode == 0, made.stderr
    if verb == "rollback":
        done = forks.run("apply", "--dir", BACKEND / "migrations", env=environment)
        assert done.returncode == 0, done.output
    disturbed = kill_at_each_point(forks, verb, BACKEND / "migrations", database_url)
    assert disturbed.astray == ()
    assert disturbed.points > 30


@VERBS
def test_a_script_of_one_transaction_that_can_not_be_done_twice(verb: str, kill) -> None:
    folder, run = kill(verb)
    write_script(folder, "002_count.py", sql(*COUNT_UP), sql(*COUNT_DOWN))
    write_script(folder, "003_count_again.py", *(sql(s[-1] if v else s[0]) for v, s in ((1, COUNT_UP), (0, COUNT_DOWN))))
    disturbed = run()
    assert disturbed.astray == ()
    assert disturbed.points > 30


@VERBS
def test_idempotent_scripts_that_commit_several_times(verb: str, kill) -> None:
    folder, run = kill(verb)
    write_script(folder, "002_careful.py", CAREFUL_APPLY, CAREFUL_ROLLBACK)
    disturbed = run()
    assert disturbed.astray == ()
    assert disturbed.points > 20


def test_the_matrix_sees_a_script_that_can_not_be_resumed(kill) -> None:
    """Two commits that can't be done twice: what nobody can promise, and what shows that this file can fail."""
    folder, run = kill("apply")
    write_script(folder, "002_careless.py", sql(*COUNT_UP, transactions="each"), sql(*COUNT_DOWN))
    assert any("already exists" in story for story in run().astray)
