"""The exit codes that a deployment goes by: of ``status --exit-code``, and of an ``apply`` that another one locks out."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tests.support.forked import ForkServer
from tests.support.project_commands import ProjectCommands
from tests.support.projects import Project
from tests.support.rendezvous import Rendezvous
from tests.support.scripts import edit, write_script, write_tables


def test_status_says_whether_there_is_something_to_do(project: Project, run: ProjectCommands) -> None:
    write_tables(project.migrations, 2)
    assert run("status", "--exit-code").returncode == 3
    assert run("apply", "--to", "1").returncode == 0
    assert run("status", "--exit-code").returncode == 3
    assert run("apply").returncode == 0
    assert run("status", "--exit-code").returncode == 0

    write_tables(project.migrations, 3)
    edit(project.migrations / "001_make_table_1.py", "table_1", "table_one")
    assert run("status", "--exit-code").returncode == 4, "a problem counts for more than what is pending"
    assert run("status").returncode == 0, "without the flag it only reports"


def test_a_runner_that_does_not_get_the_lock_ends_with_5(
    project: Project, run: ProjectCommands, forks: ForkServer, tmp_path: Path
) -> None:
    with closing(Rendezvous(tmp_path)) as meeting:
        write_script(project.migrations, "001_wait.py", meeting.line)
        first = forks.start("apply", "--dir", project.migrations, env=project.environment)
        meeting.wait()
        run.refuses(
            "apply", "--lock-timeout", "0s", exit_code=5, says=("another runner holds the lock (", "nonstop 20"),
            next_step="wait longer with --lock-timeout",
        )  # fmt: skip
        meeting.let_go()
        assert first.wait().returncode == 0
