"""Many runners at the same moment: every script is executed exactly once, and everybody ends with 0."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.forked import ForkServer, closed_gate
from tests.support.projects import Project, make_project
from tests.support.scripts import sql, write_script
from tests.support.snapshots import applied, ledger
from tests.support.tiers import times

pytestmark = pytest.mark.no_cover  # two hundred runs go the same way
RUNNERS = times(quick=4, thorough=10)
ROUNDS = times(quick=3, thorough=20)


def make_race(folder: Path, url: str) -> Project:
    """Two scripts that leave a trace of each execution: in the database, and in a file that no rollback undoes."""
    project = make_project(folder, url, "light")
    for number in (1, 2):
        trace = f"""
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "executions"), "a") as file:
    print("{{verb}} {number}", file=file)
"""
        write_script(
            project.migrations,
            f"{number:03}_make_table_{number}.py",
            trace.format(verb="apply") + sql(f"CREATE TABLE table_{number} (id INTEGER)"),
            trace.format(verb="rollback") + sql(f"DROP TABLE table_{number}"),
        )
    return project


def race(forks: ForkServer, project: Project, verb: str) -> None:
    """Let all runners go at the same moment; all of them must end with 0."""
    with closed_gate(project.folder / "gate") as gate:
        runners = [
            forks.start(verb, "--dir", project.migrations, env=project.environment, gate=gate)
            for _ in range(RUNNERS)
        ]
    ended = [runner.wait() for runner in runners]
    assert [end.returncode for end in ended] == [0] * RUNNERS, "\n".join(end.output for end in ended)


def executions(project: Project) -> list[str]:
    return (project.migrations / "executions").read_text().splitlines()


@pytest.mark.parametrize("number", range(ROUNDS))
def test_c17_many_runners_at_once(number: int, database_url: str, tmp_path: Path, forks: ForkServer) -> None:
    """All apply on a database without a ledger, then all roll back."""
    project = make_race(tmp_path / "race", database_url)
    race(forks, project, "apply")
    assert executions(project) == ["apply 1", "apply 2"]
    assert applied(project.url) == [1, 2]
    race(forks, project, "rollback")
    assert executions(project) == ["apply 1", "apply 2", "rollback 2", "rollback 1"]
    assert applied(project.url) == []
    assert ledger(project.url)["nonstop_steps"] == []
