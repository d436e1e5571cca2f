"""A reader that goes away, a full disk or a closed stream changes neither the database nor the exit code."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import clean_environment
from tests.support.projects import Project, make_project
from tests.support.scripts import write_script
from tests.support.snapshots import applied

ROOT = Path(__file__).resolve().parents[2]
MUCH = "for number in range(5000): print('line', number, 'x' * 60)"
LINES = f"""
{MUCH}
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE visits (id INTEGER)"))
{MUCH}
"""
BROKEN = {
    "a reader of both that goes": "2>&1 | head -1",
    "a reader that reads nothing": "2>&1 | true",
    "a reader of the report that reads nothing": "2>/dev/null | true",
    "a full disk": ">/dev/full 2>/dev/full",
    "a full disk for the report": ">/dev/full 2>/dev/null",
    "closed": ">&- 2>&-",
    "closed for errors": "2>&- >/dev/null",
    "all closed": "<&- >&- 2>&-",
}


@pytest.fixture
def sqlite_project(tmp_path: Path, sqlite_url: str) -> Project:
    """A project on an SQLite file."""
    return make_project(tmp_path / "project", sqlite_url, "light")


def apply(project: Project, home: Path, output: str) -> int:
    """The exit code of ``apply`` with its streams led as ``output`` says, in the shell's words."""
    command = shlex.join([sys.executable, "-m", "nonstop", "apply", "--dir", str(project.migrations)])
    return subprocess.run(
        ["bash", "-c", f"{command} {output}; exit ${{PIPESTATUS[0]}}"],
        env={**clean_environment(home, **project.environment), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    ).returncode


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("output", BROKEN.values(), ids=BROKEN)
def test_the_script_is_applied_all_the_same(output: str, sqlite_project: Project, tmp_path: Path) -> None:
    write_script(sqlite_project.migrations, "001_make_visits.py", LINES)
    assert apply(sqlite_project, tmp_path, output) == 0
    assert applied(sqlite_project.url) == [1]


def test_an_error_keeps_its_exit_code(sqlite_project: Project, tmp_path: Path) -> None:
    write_script(sqlite_project.migrations, "001_fails.py", f"{MUCH}\nraise ValueError('no')")
    assert apply(sqlite_project, tmp_path, "2>&1 | head -1") == 1
