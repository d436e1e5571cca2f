"""Killed with SIGKILL at any moment and run again, apply and rollback end where they would have ended undisturbed.

For raw scripts that holds where they are idempotent. Of others the second run tells what the first had committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.support.commands import CommandLine
from tests.support.databases import engine_for
from tests.support.disturbed import Disturbed, kill_at_each_point
from tests.support.fingerprint import fingerprint
from tests.support.forked import ForkServer
from tests.support.projects import Project, make_project
from tests.support.scripts import sql, write_script
from tests.support.snapshots import applied
from tests.support.tiers import first_kill_points, kill_point_stride

pytestmark = [
    pytest.mark.no_cover,  # what is killed tells nothing, and what runs again goes the ways of others
    pytest.mark.long,
]
STRIDE = kill_point_stride()
BACKEND = Path(__file__).resolve().parents[2] / "felix_hub" / "backend"

# One transaction each, and none of it can be done twice.
COUNT_UP = (
    "CREATE TABLE visits (id INTEGER)",
    "INSERT INTO visits VALUES (1)",
    "UPDATE counter SET n = n + 1",
)
COUNT_DOWN = ("DROP TABLE visits", "UPDATE counter SET n = n - 1")

# Several commits, each of what may have happened already.
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
with db.engine.begin() as connection:
    connection.execute(text("DROP TABLE IF EXISTS tags"))
if 'note' in [column['name'] for column in inspect(db.engine).get_columns('counter')]:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE counter DROP COLUMN note"))
"""


@pytest.fixture
def project(project_of_kind: Callable[..., Project]) -> Project:
    """A project whose database has a table ``counter`` with one row."""
    project = project_of_kind("light")
    send(project.url, "CREATE TABLE counter (n INTEGER)", "INSERT INTO counter VALUES (0)")
    return project


@pytest.fixture
def postgres_project(tmp_path: Path, postgres_url: str) -> Project:
    return make_project(tmp_path / "project", postgres_url, "light")


def fewest(points: int) -> int:
    """The least number of kills in a test where all tests together make ``points``; each direction may have one less."""
    return points // STRIDE - 2


@pytest.fixture(params=first_kill_points())
def points(request: pytest.FixtureRequest) -> Iterator[int]:
    """The points at which this test kills a run; together the tests of the thorough tier try them all."""
    return count(request.param, STRIDE)


@pytest.fixture
def disturb(project: Project, forks: ForkServer, points: Iterator[int]) -> Callable[[], Disturbed]:
    """Kill the project's apply and rollback at each point of this test."""
    return lambda: kill_at_each_point(forks, project.migrations, project.url, points)


def test_felix_hub(points: Iterator[int], database_url: str, forks: ForkServer, cli: CommandLine) -> None:
    made = cli.python(BACKEND / "init_db.py", "--demo", "3", env={"DATABASE_URL": database_url})
    assert made.returncode == 0, made.stderr
    disturbed = kill_at_each_point(forks, BACKEND / "migrations", database_url, points)
    assert disturbed.astray == []
    assert disturbed.points >= fewest(40)


def test_of_scripts_that_can_not_be_done_twice_the_commits_are_told(
    project: Project, forks: ForkServer, points: Iterator[int]
) -> None:
    """Killed before its commit, such a script is undone and begins anew; killed after it, the second run names it."""
    write_script(project.migrations, "001_count.py", sql(*COUNT_UP), sql(*COUNT_DOWN))
    last_commits = {
        "apply": f"an earlier run made 1 permanent commit, the last with: {COUNT_UP[-1]}",
        "rollback": f"an earlier run made 1 permanent commit, the last with: {COUNT_DOWN[-1]}",
    }
    disturbed = kill_at_each_point(forks, project.migrations, project.url, points, last_commits)
    assert disturbed.astray == []
    assert disturbed.points >= fewest(20)
    assert STRIDE > 1 or disturbed.told


def test_what_is_deferred_to_the_commit_is_neither_lost_nor_done_twice(
    postgres_project: Project, forks: ForkServer, points: Iterator[int]
) -> None:
    """Plain SQL of which a part is carried out after the commit, killed before it, in it and behind it."""
    project = postgres_project
    make_all_tables_large(project)
    send(project.url, "CREATE TABLE counter (n INTEGER)", "INSERT INTO counter VALUES (0)")
    added = (
        "ALTER TABLE counter ADD COLUMN IF NOT EXISTS note VARCHAR(20)",
        "CREATE INDEX IF NOT EXISTS ix_note ON counter (note)",
    )
    removed = ("DROP INDEX IF EXISTS ix_note", "UPDATE counter SET n = 0")
    write_script(project.migrations, "001_index.py", sql(*added), sql(*removed))
    disturbed = kill_at_each_point(forks, project.migrations, project.url, points)
    assert disturbed.astray == []
    assert disturbed.points >= fewest(15)


def test_a_deferred_validation_is_neither_lost_nor_done_twice(
    postgres_project: Project, forks: ForkServer, points: Iterator[int]
) -> None:
    project = postgres_project
    make_all_tables_large(project)
    send(
        project.url, "CREATE TABLE parent (id INTEGER PRIMARY KEY)", "CREATE TABLE child (parent_id INTEGER)"
    )
    careful = """
keys = [key["name"] for key in inspect(db.engine).get_foreign_keys("child")]
checks = [check["name"] for check in inspect(db.engine).get_check_constraints("child")]
with db.engine.begin() as connection:
    connection.execute(text("INSERT INTO parent VALUES (7) ON CONFLICT DO NOTHING"))
with db.engine.begin() as connection:
    if "fk" not in keys:
        connection.execute(text("ALTER TABLE child ADD CONSTRAINT fk FOREIGN KEY (parent_id) REFERENCES parent"))
with db.engine.begin() as connection:
    if "child_parent_id_check" not in checks:
        connection.execute(text("ALTER TABLE child ADD CHECK (parent_id > 0)"))
"""
    removed = (
        "ALTER TABLE child DROP CONSTRAINT IF EXISTS fk, DROP CONSTRAINT IF EXISTS child_parent_id_check",
        "DELETE FROM parent",
    )
    write_script(project.migrations, "001_keys.py", careful, sql(*removed))
    disturbed = kill_at_each_point(forks, project.migrations, project.url, points)
    assert disturbed.astray == []
    assert disturbed.points >= fewest(15)


def test_idempotent_scripts_that_commit_several_times(project: Project, disturb) -> None:
    write_script(project.migrations, "001_careful.py", CAREFUL_APPLY, CAREFUL_ROLLBACK)
    disturbed = disturb()
    assert disturbed.astray == []
    assert disturbed.points >= fewest(30)


@pytest.mark.thorough("postgresql")
def test_a_script_that_commits_twice_and_can_not_be_resumed_is_seen(
    project: Project, forks: ForkServer
) -> None:
    """What nobody can promise, and what shows that these tests can fail."""
    write_script(project.migrations, "001_careless.py", sql(*COUNT_UP, transactions="each"), sql(*COUNT_DOWN))
    disturbed = kill_at_each_point(forks, project.migrations, project.url, count())
    assert "already exists" in disturbed.astray[0]


def test_the_creation_of_the_ledger(project: Project, forks: ForkServer, points: Iterator[int]) -> None:
    write_script(project.migrations, "001_make.py", sql("CREATE TABLE IF NOT EXISTS table_1 (id INTEGER)"))
    for point in points:
        first = forks.run("apply", "--dir", project.migrations, env=project.environment, kill_at=point)
        last = forks.run("apply", "--dir", project.migrations, env=project.environment)
        assert last.returncode == 0, first.output + last.output
        assert applied(project.url) == [1]
        assert set(fingerprint(project.url)["tables"]) == {"counter", "table_1"}
        remove_the_ledger(project)
        if not first.was_killed:
            break
    assert point > 15


def make_all_tables_large(project: Project) -> None:
    """Let plain DDL be carried out online whatever the size of its table."""
    (project.folder / "pyproject.toml").write_text("[tool.nonstop]\nonline-above = 0\n", encoding="utf-8")


def send(url: str, *statements: str) -> None:
    """Run statements in one transaction."""
    engine = engine_for(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def remove_the_ledger(project: Project) -> None:
    """Bring the database back to what it was before the first run."""
    tables = ("ledger", "migrations", "events", "steps")
    send(project.url, "DROP TABLE table_1", *(f"DROP TABLE nonstop_{table}" for table in tables))
