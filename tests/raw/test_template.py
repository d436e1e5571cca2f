"""Scripts exactly in the contract's template run under the runner and alone, and are treated like any other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.commands import CommandLine
from tests.support.fingerprint import fingerprint, rows
from tests.support.forked import Ended, ForkServer
from tests.support.projects import Project
from tests.support.rendezvous import Rendezvous
from tests.support.scripts import edit, sql, write_script
from tests.support.snapshots import applied, events

MAKE = ("CREATE TABLE visits (id INTEGER)", "INSERT INTO visits VALUES (1)")
DROP = ("DROP TABLE visits",)


@pytest.fixture
def project(project_of_kind: Callable[..., Project]) -> Project:
    """A Flask application whose last line mounts nonstop."""
    return project_of_kind("mounted")


@pytest.fixture
def script(project: Project) -> Path:
    """001 in the template."""
    return write_script(project.migrations, "001_make_visits.py", sql(*MAKE), sql(*DROP))


@pytest.fixture
def alone(project: Project, forks: ForkServer) -> Callable[..., Ended]:
    """``alone(script, "rollback")`` is ``python 001_make_visits.py rollback``."""
    return lambda script, *arguments, **options: forks.run(
        script, *arguments, env=project.environment, **options
    )


@pytest.fixture
def run(project: Project, forks: ForkServer) -> Callable[..., Ended]:
    """``run("apply")`` is nonstop on the project's folder."""
    return lambda *arguments: forks.run(*arguments, "--dir", project.migrations, env=project.environment)


def kinds(url: str) -> list[tuple[str, int]]:
    """What happened, as kind and number of the events."""
    return [(event[2], event[3]) for event in events(url)]


# --- under the runner -----------------------------------------------------------------------------


def test_under_the_runner(project: Project, script: Path, run: Callable[..., Ended]) -> None:
    source = script.read_bytes()
    assert run("apply").returncode == 0
    assert rows(project.url)["visits"][0] == 1
    (row,) = json.loads(run("status", "--json").output)["migrations"]
    assert (row["number"], row["name"], row["state"]) == (1, "make_visits", "applied")
    assert run("rollback").returncode == 0
    assert fingerprint(project.url)["tables"] == {}
    assert kinds(project.url) == [("apply", 1), ("rollback", 1)]
    assert script.read_bytes() == source


# --- alone ----------------------------------------------------------------------------------------


def test_alone_as_typed_in_the_document(project: Project, script: Path, cli: CommandLine) -> None:
    """``cd migrations; python 001_make_visits.py``, and with rollback: through the runner, each executed once."""

    def typed(*arguments: str) -> CompletedProcess[str]:
        return cli.python(script.name, *arguments, env=project.environment, cwd=project.migrations)

    done = typed()
    assert done.returncode == 0, done.stderr
    assert "001_make_visits: applied" in done.stdout
    assert rows(project.url)["visits"][0] == 1
    again = typed()
    assert again.returncode == 0, again.stderr
    assert "applied already" in again.stdout
    undone = typed("rollback")
    assert undone.returncode == 0, undone.stderr
    assert fingerprint(project.url)["tables"] == {}
    assert kinds(project.url) == [("apply", 1), ("rollback", 1)]


def test_alone_from_another_folder(project: Project, script: Path, cli: CommandLine, tmp_path: Path) -> None:
    done = cli.python(script, env=project.environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert applied(project.url) == [1]


def test_alone_it_says_what_it_prints(project: Project, alone: Callable[..., Ended]) -> None:
    script = write_script(project.migrations, "001_speak.py", "print('the table is there')")
    assert "the table is there" in alone(script).output


def test_alone_false_is_a_failure(project: Project, alone: Callable[..., Ended]) -> None:
    """The bare template would end with 0."""
    script = write_script(project.migrations, "001_give_up.py", "return False", "return False")
    done = alone(script)
    assert done.returncode == 1
    assert "apply() returned False" in done.output
    assert applied(project.url) == []
    assert kinds(project.url) == [("failure", 1)]


def test_alone_an_error_is_undone_and_reported(project: Project, alone: Callable[..., Ended]) -> None:
    script = write_script(project.migrations, "001_fail.py", sql(*MAKE, "SELECT no_such_column FROM visits"))
    done = alone(script)
    assert done.returncode == 1
    assert "no_such_column" in done.output
    assert re.search(r"at .*001_fail\.py:\d+ in apply\(\)", done.output)
    assert "Traceback" not in done.output
    assert fingerprint(project.url)["tables"] == {}


def test_alone_a_second_commit_that_fails_is_part_way_and_resumed(
    project: Project, alone: Callable[..., Ended], run: Callable[..., Ended]
) -> None:
    first, second = "CREATE TABLE IF NOT EXISTS visits (id INTEGER)", "INSERT INTO visits SELECT id FROM cars"
    script = write_script(project.migrations, "001_visits.py", sql(first, second, transactions="each"))
    done = alone(script)
    assert done.returncode == 7
    assert "stopped part-way" in done.output
    (row,) = json.loads(run("status", "--json").output)["migrations"]
    assert row["state"] == "interrupted"
    assert "CREATE TABLE IF NOT EXISTS visits" in row["note"]
    edit(script, " SELECT id FROM cars", " VALUES (1)")
    assert alone(script).returncode == 0
    assert applied(project.url) == [1]
    assert rows(project.url)["visits"][0] == 1


def test_alone_it_is_resumed_after_a_kill(
    project: Project, forks: ForkServer, run: Callable[..., Ended]
) -> None:
    script = write_script(
        project.migrations,
        "001_make_visits.py",
        """
        with db.engine.begin() as connection:
            connection.execute(text("CREATE TABLE visits (id INTEGER)"))
            if "KILL" in os.environ:
                os.kill(os.getpid(), 9)
            connection.execute(text("INSERT INTO visits VALUES (1)"))
        """,
    )
    assert forks.run(script, env={**project.environment, "KILL": "yes"}).was_killed
    (row,) = json.loads(run("status", "--json").output)["migrations"]
    assert row["state"] == "interrupted"
    assert run("apply").returncode == 0
    assert applied(project.url) == [1]
    assert rows(project.url)["visits"][0] == 1


def test_alone_it_is_refused_when_it_was_edited_since(
    project: Project, script: Path, alone: Callable[..., Ended]
) -> None:
    assert alone(script).returncode == 0
    edit(script, "DROP TABLE visits", "DROP TABLE orders")
    for verb in ("apply", "rollback"):
        refused = alone(script, verb)
        assert refused.returncode == 4, refused.output
        assert "was changed after it was applied" in refused.output
    assert rows(project.url)["visits"][0] == 1


def test_alone_it_notes_that_later_ones_are_applied(
    project: Project, script: Path, alone: Callable[..., Ended], run: Callable[..., Ended]
) -> None:
    later = write_script(project.migrations, "002_visit.py", "pass", "pass")
    assert alone(later).returncode == 0
    done = alone(script)
    assert done.returncode == 0
    assert "002 is applied already" in done.output
    assert applied(project.url) == [1, 2]
    undone = alone(script, "rollback")
    assert (undone.returncode, "002 is applied already" in undone.output) == (0, True)
    assert run("apply").returncode == 0
    assert applied(project.url) == [1, 2]


def test_alone_it_respects_the_lock(
    project: Project, rendezvous: Rendezvous, forks: ForkServer, alone: Callable[..., Ended]
) -> None:
    script = write_script(project.migrations, "001_make_visits.py", f"{rendezvous.line}\n{sql(*MAKE)}")
    first = forks.start("apply", "--dir", project.migrations, env=project.environment)
    rendezvous.wait()
    refused = alone(script, "--lock-timeout", "0s")
    assert refused.returncode == 5, refused.output
    assert "another runner holds the lock" in refused.output
    rendezvous.let_go()
    assert first.wait().returncode == 0
    assert rows(project.url)["visits"][0] == 1
    assert kinds(project.url) == [("apply", 1)]
