"""On SQLite the lock is the file's: whatever path leads to it, and whatever becomes of the lock file beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.forked import ForkServer
from tests.support.projects import Project, make_project
from tests.support.rendezvous import Rendezvous
from tests.support.scripts import write_script
from tests.support.snapshots import sqlite_file

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has locks of open file descriptions"
)


@pytest.fixture
def sqlite_project(tmp_path: Path, sqlite_url: str) -> Project:
    """A project on an SQLite file."""
    return make_project(tmp_path / "project", sqlite_url, "light")


@pytest.fixture
def meeting(tmp_path: Path) -> Iterator[Rendezvous]:
    with closing(Rendezvous(tmp_path)) as rendezvous:
        yield rendezvous


def by_symlink(file: Path, folder: Path) -> Path:
    (folder / "link.db").symlink_to(file)
    return folder / "link.db"


def by_hard_link(file: Path, folder: Path) -> Path:
    (folder / "hard").mkdir()
    os.link(file, folder / "hard" / "other.db")
    return folder / "hard" / "other.db"


def by_a_folder(file: Path, folder: Path) -> Path:
    (folder / "shortcut").symlink_to(file.parent, target_is_directory=True)
    return folder / "shortcut" / file.name


def without_its_lock_file(file: Path, folder: Path) -> Path:
    for lock in file.parent.glob("*.lock"):
        lock.unlink()
    return file


@pytest.mark.parametrize("way", [by_symlink, by_hard_link, by_a_folder, without_its_lock_file])
def test_a_second_runner_waits(
    way: Callable[[Path, Path], Path],
    sqlite_project: Project,
    tmp_path: Path,
    forks: ForkServer,
    meeting: Rendezvous,
) -> None:
    project = sqlite_project
    lines = f"""
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE visits (id INTEGER)"))
{meeting.line}
"""
    write_script(project.migrations, "001_make_visits.py", lines)
    first = forks.start("apply", "--dir", project.migrations, env=project.environment)
    meeting.wait()
    other = {"DATABASE_URL": f"sqlite:///{way(sqlite_file(project.url), tmp_path)}"}
    second = forks.run("apply", "--dir", project.migrations, "--lock-timeout", "0", env=other)
    meeting.let_go()
    assert second.returncode == 5, second.output
    assert "another runner holds the lock" in second.output
    assert first.wait().returncode == 0
    again = forks.run("apply", "--dir", project.migrations, "--lock-timeout", "0", env=other)
    assert again.returncode == 0, again.output


def test_the_application_goes_on_meanwhile_and_afterwards(
    sqlite_project: Project, forks: ForkServer, meeting: Rendezvous
) -> None:
    """The lock is on a byte that SQLite does not know."""
    import sqlite3

    project = sqlite_project
    write_script(project.migrations, "001_nothing.py", meeting.line)
    with closing(sqlite3.connect(sqlite_file(project.url), timeout=0)) as application:
        application.execute("CREATE TABLE orders (id INTEGER)")
        runner = forks.start("apply", "--dir", project.migrations, env=project.environment)
        meeting.wait()
        with application:
            application.execute("INSERT INTO orders VALUES (1)")
        meeting.let_go()
        assert runner.wait().returncode == 0
