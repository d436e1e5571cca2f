"""A runner that was killed holds nobody up, and nobody overlaps what it left behind."""

from __future__ import annotations

import pytest

from tests.support.commands import CommandLine
from tests.support.fingerprint import rows
from tests.support.forked import ForkServer
from tests.support.projects import Project
from tests.support.rendezvous import Rendezvous
from tests.support.scripts import sql, write_script
from tests.support.sessions import at_work, end_session
from tests.support.snapshots import applied
from tests.support.waiting import ended, until, until_it_waits

FIRST = {"RUNNER": "first"}
LONG = "SELECT pg_sleep(600)"


def in_one_transaction(line: str) -> str:
    """A script's lines: two statements, and between them ``line``, which only the first runner runs."""
    return f"""
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE visits (id INTEGER)"))
    if os.environ.get("RUNNER") == "first":
        {line}
    connection.execute(text("INSERT INTO visits VALUES (1)"))
"""


def test_who_waits_goes_on_when_the_holder_is_killed(
    project: Project, rendezvous: Rendezvous, cli: CommandLine
) -> None:
    write_script(project.migrations, "001_make_visits.py", in_one_transaction(rendezvous.line))
    command = ("apply", "--dir", project.migrations)
    with cli.start(*command, env={**project.environment, **FIRST}) as first:
        rendezvous.wait()
        with cli.start(*command, env=project.environment) as second:
            until_it_waits(second)
            first.kill()
            assert ended(second)[0] == 0
    assert applied(project.url) == [1]
    assert rows(project.url)["visits"][0] == 1


def test_c39_the_lock_is_free_as_soon_as_its_holder_is_dead(
    project: Project, rendezvous: Rendezvous, cli: CommandLine
) -> None:
    write_script(project.migrations, "001_make_visits.py", in_one_transaction(rendezvous.line))
    command = ("apply", "--dir", project.migrations, "--lock-timeout", "5s")
    with cli.start(*command, env={**project.environment, **FIRST}) as first:
        rendezvous.wait()
        first.kill()
    done = cli(*command, env=project.environment)
    assert done.returncode == 0, done.stderr
    assert applied(project.url) == [1]


@pytest.mark.parametrize("transactions", [1, 2, 3])
def test_c15_the_next_runner_waits_for_a_statement_that_outlives_a_dead_one(
    transactions: int, postgres_project: Project, forks: ForkServer, cli: CommandLine
) -> None:
    """Whichever transaction of the script it belongs to: the session is marked as long as the script uses it."""
    project = postgres_project
    earlier = "".join(
        f"""
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS visits_{number} (id INTEGER)"))
"""
        for number in range(1, transactions)
    )
    write_script(
        project.migrations,
        "001_make_visits.py",
        earlier
        + f"""
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE visits (id INTEGER)"))
    if os.environ.get("RUNNER") == "first":
        connection.execute(text("SET client_connection_check_interval = 0"))  # nothing ends it but we
        connection.execute(text({LONG!r}))
""",
    )
    first = forks.start("apply", "--dir", project.migrations, env={**project.environment, **FIRST})
    until(lambda: at_work(project.url, LONG))
    first.kill()
    assert first.wait().was_killed
    with cli.start("apply", "--dir", project.migrations, env=project.environment) as second:
        until_it_waits(second)
        (orphan,) = at_work(project.url, LONG)
        end_session(project.url, orphan)
        assert ended(second)[0] == 0
    assert applied(project.url) == [1]


def test_c15_the_server_ends_the_statement_of_a_dead_runner(
    postgres_project: Project, forks: ForkServer
) -> None:
    project = postgres_project
    write_script(project.migrations, "001_sleep.py", sql(LONG))
    runner = forks.start("apply", "--dir", project.migrations, env=project.environment)
    until(lambda: at_work(project.url, LONG))
    runner.kill()
    assert runner.wait().was_killed
    until(lambda: not at_work(project.url, LONG))
