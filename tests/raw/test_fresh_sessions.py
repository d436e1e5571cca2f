"""Each script starts with fresh sessions, as if it had a process of its own: what one sets does not reach the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.forked import ForkServer
from tests.support.operations import send
from tests.support.projects import Project, make_project
from tests.support.scripts import write_script
from tests.support.snapshots import applied
from tests.support.stage import closing_engine

SESSION = "with db.engine.connect() as c:\n    c.execute(text({!r}))\n    c.commit()"
SETTINGS = {
    "search_path": "SET search_path TO elsewhere",
    "an empty search_path": "SELECT set_config('search_path', '', false)",
    "session_replication_role": "SET session_replication_role = replica",
    "a role": "SET ROLE pg_read_all_data",
    "a temporary table": "CREATE TEMPORARY TABLE notes (id INTEGER)",
    "a prepared statement": "PREPARE notes AS SELECT 1",
    "a session lock": "SELECT pg_advisory_lock(4711)",
}
LOOK = """
with db.engine.begin() as c:
    seen = {
        "search_path": c.execute(text("SELECT current_setting('search_path')")).scalar(),
        "replication": c.execute(text("SELECT current_setting('session_replication_role')")).scalar(),
        "role": c.execute(text("SELECT current_setting('role')")).scalar(),
        "temporary": c.execute(text("SELECT count(*) FROM pg_class WHERE relpersistence = 't'")).scalar(),
        "prepared": c.execute(text("SELECT count(*) FROM pg_prepared_statements WHERE from_sql")).scalar(),
        "locks": c.execute(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())")).scalar(),
    }
    c.execute(text("INSERT INTO public.seen VALUES (:seen)"), {"seen": str(seen)})
"""


@pytest.mark.parametrize("setting", SETTINGS)
def test_nothing_of_a_session_reaches_the_next_script(
    postgres_project: Project, forks: ForkServer, setting: str
) -> None:
    project = postgres_project
    send(project.url, "CREATE TABLE seen (what TEXT)", "CREATE SCHEMA elsewhere")
    write_script(project.migrations, "001_look.py", LOOK)
    write_script(project.migrations, "002_set.py", SESSION.format(SETTINGS[setting]))
    write_script(project.migrations, "003_look.py", LOOK)
    ended = forks.run("apply", "--dir", project.migrations, env=project.environment)
    assert ended.returncode == 0, ended.output
    with closing_engine(project.url) as engine, engine.connect() as connection:
        before, after = connection.exec_driver_sql("SELECT what FROM seen").scalars()
    assert after == before


@pytest.mark.parametrize(
    "pragma", ["foreign_keys = ON", "recursive_triggers = ON", "case_sensitive_like = ON"]
)
def test_no_pragma_reaches_the_next_script(
    sqlite_url: str, tmp_path: Path, forks: ForkServer, pragma: str
) -> None:
    project = make_project(tmp_path / "project", sqlite_url, "light")
    look = """
with db.engine.connect() as c:
    for question in ("PRAGMA foreign_keys", "PRAGMA recursive_triggers", "SELECT 'a' LIKE 'A'"):
        print("seen", question, c.execute(text(question)).scalar())
"""
    write_script(project.migrations, "001_look.py", look)
    write_script(project.migrations, "002_set.py", SESSION.format(f"PRAGMA {pragma}"))
    write_script(project.migrations, "003_look.py", look)
    ended = forks.run("apply", "--dir", project.migrations, env=project.environment)
    assert ended.returncode == 0, ended.output
    seen = [line.strip() for line in ended.output.splitlines() if line.strip().startswith("seen")]
    assert len(seen) == 6
    assert seen[3:] == seen[:3]


@pytest.mark.parametrize(
    "role",
    [
        "SET ROLE pg_read_all_data",
        "SET LOCAL ROLE pg_read_all_data",
        "SET SESSION AUTHORIZATION pg_read_all_data",
    ],
)
def test_the_role_of_a_script_does_not_keep_the_ledger_from_its_rows(
    postgres_project: Project, forks: ForkServer, role: str
) -> None:
    project = postgres_project
    look = "c.execute(text('SELECT current_user')).scalar()"
    lines = f"""
with db.engine.connect() as c:
    c.execute(text("CREATE TABLE notes (id INTEGER)"))
    c.execute(text({role!r}))
    assert {look} == "pg_read_all_data"
    c.commit()
    c.execute(text("RESET ROLE"))
    c.execute(text("RESET SESSION AUTHORIZATION"))
    c.execute(text("INSERT INTO notes VALUES (1)"))
    c.commit()
"""
    write_script(project.migrations, "001_notes.py", lines)
    ended = forks.run("apply", "--dir", project.migrations, env=project.environment)
    assert ended.returncode == 0, ended.output
    assert applied(project.url) == [1]
