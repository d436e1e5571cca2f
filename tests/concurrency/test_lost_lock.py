"""A runner whose lock is taken from it stops before its next statement, and no other one overlaps it."""

from __future__ import annotations

import pytest

from tests.support.commands import CommandLine
from tests.support.databases import engine_for
from tests.support.fingerprint import rows
from tests.support.forked import ForkServer
from tests.support.projects import Project
from tests.support.rendezvous import Rendezvous
from tests.support.scripts import sql, write_script
from tests.support.sessions import cut_lock_connection
from tests.support.snapshots import applied, events
from tests.support.waiting import ended, until_it_waits

FIRST = {"RUNNER": "first"}


def test_it_stops_and_is_undone(
    postgres_project: Project, rendezvous: Rendezvous, forks: ForkServer, cli: CommandLine
) -> None:
    project = postgres_project
    write_script(
        project.migrations,
        "001_make_visits.py",
        f"""
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE visits (id INTEGER)"))
    if os.environ.get("RUNNER") == "first":
        {rendezvous.line}
    connection.execute(text("INSERT INTO visits VALUES (1)"))
""",
    )
    exit_code, output = lose_the_lock(project, rendezvous, forks, cli)
    assert exit_code == 5
    assert "the connection that holds the runner's lock was lost" in output
    assert "was undone completely" in output
    assert applied(project.url) == [1]
    assert rows(project.url)["visits"][0] == 1
    assert [event[2] for event in events(project.url)] == ["interruption", "apply"]


def test_a_lock_that_is_lost_after_the_last_statement_is_noticed(
    postgres_project: Project, rendezvous: Rendezvous, forks: ForkServer, cli: CommandLine
) -> None:
    """The script has asked for its commit by then, so that stays; but that it has ended is for the next one to note."""
    project = postgres_project
    write_script(
        project.migrations,
        "001_make_visits.py",
        f"""
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS visits (id INTEGER)"))
    if os.environ.get("RUNNER") == "first":
        {rendezvous.line}
""",
    )
    exit_code, output = lose_the_lock(project, rendezvous, forks, cli)
    assert exit_code == 7, output
    assert "the connection that holds the runner's lock was lost" in output
    assert applied(project.url) == [1]
    assert [event[2] for event in events(project.url)] == ["failure", "apply"]


def test_what_it_had_committed_is_said_and_taken_up_by_the_next(
    postgres_project: Project, rendezvous: Rendezvous, forks: ForkServer, cli: CommandLine
) -> None:
    project = postgres_project
    write_script(
        project.migrations,
        "001_make_visits.py",
        f"""
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS visits (id INTEGER)"))
with db.engine.begin() as connection:
    connection.execute(text("INSERT INTO visits VALUES (1)"))
    if os.environ.get("RUNNER") == "first":
        {rendezvous.line}
    connection.execute(text("INSERT INTO visits VALUES (2)"))
""",
    )
    exit_code, output = lose_the_lock(project, rendezvous, forks, cli)
    assert exit_code == 7
    assert "1 commit of it is permanent" in output
    assert applied(project.url) == [1]
    assert rows(project.url)["visits"][0] == 2
    assert [event[2] for event in events(project.url)] == ["failure", "apply"]


@pytest.mark.parametrize("commit", ["the last", "one in the middle"])
def test_what_another_runner_has_taken_over_is_not_recorded(
    project: Project, rendezvous: Rendezvous, forks: ForkServer, commit: str
) -> None:
    """Should two of them be at work in spite of the lock, only the one whose the ledger says it is can commit."""
    statements = ["CREATE TABLE visits (id INTEGER)", "INSERT INTO visits VALUES (1)"]
    work = sql(*statements, transactions="one" if commit == "the last" else "each")
    write_script(project.migrations, "001_make_visits.py", f"{rendezvous.line}\n{work}")
    runner = forks.start("apply", "--dir", project.migrations, env=project.environment)
    rendezvous.wait()
    engine = engine_for(project.url)
    with engine.begin() as other:
        other.exec_driver_sql("UPDATE nonstop_steps SET run_id = 'another'")
    engine.dispose()
    rendezvous.let_go()
    end = runner.wait()
    assert end.returncode == 5, end.output
    assert "another runner took over 001_make_visits" in end.output
    assert "visits" not in rows(project.url)
    assert applied(project.url) == []


def lose_the_lock(
    project: Project, rendezvous: Rendezvous, forks: ForkServer, cli: CommandLine
) -> tuple[int, str]:
    """How the first runner ends whose lock is cut while it is in its script and a second one is there already.

    The second one finds the lock free, but a session of the first at work: it has to wait, and then to end well.
    """
    command = ("apply", "--dir", project.migrations)
    first = forks.start(*command, env={**project.environment, **FIRST})
    rendezvous.wait()
    cut_lock_connection(project.url)
    with cli.start(*command, env=project.environment) as second:
        until_it_waits(second)
        rendezvous.let_go()
        end = first.wait()
        assert ended(second)[0] == 0
    return end.returncode, end.output
