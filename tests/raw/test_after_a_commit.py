"""A commit is a commit: what a script has committed is there for everybody, and stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fingerprint import fingerprint, rows
from tests.support.forked import ForkServer
from tests.support.projects import Project, make_project
from tests.support.rendezvous import Rendezvous
from tests.support.scripts import sql, write_script
from tests.support.snapshots import applied, ledger, sqlite_file
from tests.support.waiting import until

MAKE_VISITS = sql("CREATE TABLE visits (id INTEGER)", "INSERT INTO visits VALUES (1)")
VISIT_ONCE_MORE = """
import os
from sqlalchemy import create_engine, text
url = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
with create_engine(url).begin() as connection:
    connection.execute(text("INSERT INTO visits VALUES (2)"))
"""
CHILDREN = {
    "subprocess": "import subprocess\nsubprocess.run([sys.executable, '-c', PROGRAM], check=True)",
    "os.system": "import shlex\nassert os.system(shlex.join([sys.executable, '-c', PROGRAM])) == 0",
    "os.posix_spawn": """
pid = os.posix_spawn(sys.executable, [sys.executable, '-c', PROGRAM], os.environ)
assert os.waitpid(pid, 0)[1] == 0
""",
    "os.fork": """
pid = os.fork()
if pid == 0:
    os.execv(sys.executable, [sys.executable, '-c', PROGRAM])
assert os.waitpid(pid, 0)[1] == 0
""",
}


@pytest.mark.parametrize("way", CHILDREN)
def test_a_child_process_sees_it(way: str, light_project: Project, forks: ForkServer) -> None:
    program = f"\nPROGRAM = {VISIT_ONCE_MORE!r}\n"
    write_script(light_project.migrations, "001_make_visits.py", MAKE_VISITS + program + CHILDREN[way])
    done = forks.run("apply", "--dir", light_project.migrations, env=light_project.environment)
    assert done.returncode == 0, done.output
    assert applied(light_project.url) == [1]
    assert rows(light_project.url)["visits"][0] == 2


def test_another_session_sees_it_while_the_script_does_something_else(
    postgres_project: Project, rendezvous: Rendezvous, forks: ForkServer
) -> None:
    project = postgres_project
    write_script(project.migrations, "001_make_visits.py", MAKE_VISITS + "\n" + rendezvous.line)
    run = forks.start("apply", "--dir", project.migrations, env=project.environment)
    rendezvous.wait()
    until(lambda: "visits" in fingerprint(project.url)["tables"])
    assert applied(project.url) == []
    rendezvous.let_go()
    assert run.wait().returncode == 0
    assert applied(project.url) == [1]
    assert ledger(project.url)["nonstop_steps"] == []


def test_a_plain_sqlite_connection_sees_it(sqlite_url: str, tmp_path: Path, forks: ForkServer) -> None:
    project = make_project(tmp_path / "project", sqlite_url, "light")
    look = f"""
import sqlite3
with sqlite3.connect({str(sqlite_file(sqlite_url))!r}) as connection:
    connection.execute("INSERT INTO visits VALUES (2)")
"""
    write_script(project.migrations, "001_make_visits.py", MAKE_VISITS + look)
    done = forks.run("apply", "--dir", project.migrations, env=project.environment)
    assert done.returncode == 0, done.output
    assert rows(project.url)["visits"][0] == 2


def test_a_commit_that_is_sent_as_text_counts(light_project: Project, forks: ForkServer) -> None:
    lines = sql("CREATE TABLE visits (id INTEGER)", "COMMIT") + "\nraise ValueError('too late')"
    write_script(light_project.migrations, "001_make_visits.py", lines)
    done = forks.run("apply", "--dir", light_project.migrations, env=light_project.environment)
    assert done.returncode == 7, done.output
    assert "1 commit of it is permanent" in done.output
    assert "visits" in fingerprint(light_project.url)["tables"]
