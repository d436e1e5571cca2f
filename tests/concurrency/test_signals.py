"""Ctrl-C, TERM and the deadline stop a run between two statements, and the next run takes up where it stopped."""

from __future__ import annotations

import os
import signal

import pytest

from tests.support.commands import CommandLine
from tests.support.fingerprint import fingerprint, rows
from tests.support.forked import Ended, ForkServer
from tests.support.projects import Project
from tests.support.rendezvous import Rendezvous
from tests.support.scripts import sql, write_script
from tests.support.sessions import at_work
from tests.support.snapshots import applied, ledger
from tests.support.waiting import ended, until, until_it_waits

FIRST = {"RUNNER": "first"}
SIGNALS = pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])


def stop_at_the_meeting_point(
    project: Project, rendezvous: Rendezvous, forks: ForkServer, number: int
) -> Ended:
    """How an apply ends that is sent a signal while its script waits at the meeting point."""
    run = forks.start("apply", "--dir", project.migrations, env={**project.environment, **FIRST})
    rendezvous.wait()
    os.kill(run.pid, number)
    rendezvous.let_go()
    return run.wait()


def apply_again(project: Project, forks: ForkServer) -> None:
    """The rest runs without another word, and leaves nothing unfinished."""
    done = forks.run("apply", "--dir", project.migrations, env=project.environment)
    assert done.returncode == 0, done.output
    assert ledger(project.url)["nonstop_steps"] == []


def meeting(rendezvous: Rendezvous, depth: int = 4) -> str:
    """Lines of a script that only the first run runs."""
    indent = " " * depth
    return f'{indent}if os.environ.get("RUNNER") == "first":\n{indent}    {rendezvous.line}\n'


@SIGNALS
def test_a_transaction_is_undone(
    number: int, exit_code: int, project: Project, rendezvous: Rendezvous, forks: ForkServer
) -> None:
    write_script(
        project.migrations,
        "001_make_visits.py",
        "with db.engine.begin() as connection:\n"
        '    connection.execute(text("CREATE TABLE visits (id INTEGER)"))\n'
        f"{meeting(rendezvous)}"
        '    connection.execute(text("INSERT INTO visits VALUES (1)"))\n',
    )
    stopped = stop_at_the_meeting_point(project, rendezvous, forks, number)
    assert stopped.returncode == exit_code, stopped.output
    assert "was undone completely" in stopped.output
    assert fingerprint(project.url)["tables"] == {}
    assert ledger(project.url)["nonstop_steps"] == []
    apply_again(project, forks)
    assert applied(project.url) == [1]
    assert rows(project.url)["visits"][0] == 1


@SIGNALS
def test_what_is_committed_stays_and_is_said(
    number: int, exit_code: int, project: Project, rendezvous: Rendezvous, forks: ForkServer
) -> None:
    """Part-way (7) wins over the signal: somebody has to know."""
    write_script(
        project.migrations,
        "001_make_visits.py",
        sql("CREATE TABLE IF NOT EXISTS visits (id INTEGER)") + "\nwith db.engine.begin() as connection:\n"
        '    connection.execute(text("INSERT INTO visits VALUES (1)"))\n'
        f"{meeting(rendezvous)}"
        '    connection.execute(text("INSERT INTO visits VALUES (2)"))\n',
    )
    stopped = stop_at_the_meeting_point(project, rendezvous, forks, number)
    assert stopped.returncode == 7, stopped.output
    assert "stopped part-way" in stopped.output
    assert rows(project.url)["visits"][0] == 0
    apply_again(project, forks)
    assert rows(project.url)["visits"][0] == 2


def test_an_except_in_the_script_does_not_swallow_it(
    project: Project, rendezvous: Rendezvous, forks: ForkServer
) -> None:
    write_script(
        project.migrations,
        "001_make_visits.py",
        "try:\n"
        "    with db.engine.begin() as connection:\n"
        '        connection.execute(text("CREATE TABLE visits (id INTEGER)"))\n'
        f"{meeting(rendezvous, 8)}"
        '        connection.execute(text("INSERT INTO visits VALUES (1)"))\n'
        "except BaseException:\n"
        "    pass\n",
    )
    stopped = stop_at_the_meeting_point(project, rendezvous, forks, signal.SIGTERM)
    assert stopped.returncode == 143, stopped.output
    assert applied(project.url) == []


def test_a_script_that_has_done_its_work_is_recorded_and_the_next_is_not_started(
    project: Project, rendezvous: Rendezvous, forks: ForkServer
) -> None:
    """Nothing is gained by calling it part-way: one that can't be done twice would then need a person."""
    write_script(
        project.migrations,
        "001_make_visits.py",
        sql("CREATE TABLE visits (id INTEGER)") + "\n" + meeting(rendezvous, 0),
    )
    write_script(
        project.migrations, "002_visit.py", "print('002 begins')\n" + sql("INSERT INTO visits VALUES (1)")
    )
    stopped = stop_at_the_meeting_point(project, rendezvous, forks, signal.SIGTERM)
    assert stopped.returncode == 143, stopped.output
    assert "002 begins" not in stopped.output
    assert applied(project.url) == [1]
    assert rows(project.url)["visits"][0] == 0
    apply_again(project, forks)
    assert applied(project.url) == [1, 2]
    assert rows(project.url)["visits"][0] == 1


def test_a_second_signal_breaks_off_a_running_statement(postgres_project: Project, forks: ForkServer) -> None:
    project, sleep = postgres_project, "SELECT pg_sleep(600)"
    write_script(project.migrations, "001_sleep.py", sql("CREATE TABLE visits (id INTEGER)", sleep))
    run = forks.start("apply", "--dir", project.migrations, env=project.environment)
    until(lambda: at_work(project.url, sleep))
    # Two of a kind might arrive as one.
    os.kill(run.pid, signal.SIGTERM)
    os.kill(run.pid, signal.SIGINT)
    stopped = run.wait()
    assert stopped.returncode in (130, 143), stopped.output
    assert at_work(project.url, sleep) == []
    assert fingerprint(project.url)["tables"] == {}
    assert ledger(project.url)["nonstop_steps"] == []


def test_a_runner_that_waits_for_the_lock_can_be_stopped(
    project: Project, rendezvous: Rendezvous, forks: ForkServer, cli: CommandLine
) -> None:
    write_script(
        project.migrations, "001_wait.py", meeting(rendezvous, 0) + sql("CREATE TABLE visits (id INTEGER)")
    )
    command = ("apply", "--dir", project.migrations)
    first = forks.start(*command, env={**project.environment, **FIRST})
    rendezvous.wait()
    with cli.start(*command, env=project.environment) as second:
        until_it_waits(second)
        second.send_signal(signal.SIGTERM)
        exit_code, output = ended(second)
    assert exit_code == 143, output
    assert "nothing was started" in output
    rendezvous.let_go()
    assert first.wait().returncode == 0


# --- the deadline ---------------------------------------------------------------------------------


def test_the_deadline_stops_a_script_between_two_statements(project: Project, forks: ForkServer) -> None:
    write_script(
        project.migrations,
        "001_never_ends.py",
        """
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE visits (id INTEGER)"))
    while True:
        try:
            connection.execute(text("INSERT INTO visits VALUES (1)"))
        except Exception:
            pass
""",
    )
    check_deadline(project, forks)


def test_the_deadline_breaks_off_a_statement(project: Project, forks: ForkServer) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT count(*) FROM n"
    write_script(project.migrations, "001_never_ends.py", sql("CREATE TABLE visits (id INTEGER)", endless))
    check_deadline(project, forks)


def check_deadline(project: Project, forks: ForkServer) -> None:
    stopped = forks.run("apply", "--dir", project.migrations, "--deadline", "1s", env=project.environment)
    assert stopped.returncode == 1, stopped.output
    assert "the deadline of 1 s has passed" in stopped.output
    assert "was undone completely" in stopped.output
    assert fingerprint(project.url)["tables"] == {}
    assert ledger(project.url)["nonstop_steps"] == []
