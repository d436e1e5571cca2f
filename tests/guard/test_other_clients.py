"""Clients that the guard's hooks do not reach, a script's own connections and child processes: bounded and watched too."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psycopg
import pytest

from nonstop.guard.environment import ClientEnvironment
from tests.guard.conftest import Scene
from tests.support.scripts import Template
from tests.support.sessions import end_session, sessions_of_runners
from tests.support.waiting import until

SETTINGS = "SELECT current_setting('application_name'), current_setting('lock_timeout'), current_setting('client_connection_check_interval')"
OPEN = "import psycopg; own = psycopg.connect(os.environ['DATABASE_URL'])"
BLOCKS = "UPDATE cars SET note = 'by the script'; SELECT pg_sleep(20)"
DIRECTLY = f"""
{OPEN}
own.execute({BLOCKS!r})
own.commit()
"""
SWALLOWED = f"""
{OPEN}
try:
    own.execute({BLOCKS!r})
except Exception:
    own.rollback()
"""
CHILD = f"import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']).execute({BLOCKS!r})"
IN_A_CHILD = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {CHILD!r}], check=True)
"""
WITH_PSQL = f"""
import subprocess
subprocess.run(["psql", os.environ["DATABASE_URL"], "-c", {BLOCKS!r}], check=True)
"""
ASLEEP = "SELECT true FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
UPDATE_ONE = "UPDATE cars SET note = 'by the application' WHERE id = 1"
RESET_VALUES = (
    "SELECT reset_val FROM pg_settings WHERE name IN ('lock_timeout', 'application_name') ORDER BY name"
)
CLIENT = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE '% client of nonstop' AND datname = current_database()"


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """Where a script says what it saw."""
    return tmp_path / "told"


def tell(told: Path, expression: str) -> str:
    return f"open({str(told)!r}, 'a').write(str({expression}) + '\\n')"


@pytest.mark.parametrize("template", ["raw", "bare"])
def test_a_connection_of_its_own_is_named_and_bounded(scene: Scene, told: Path, template: Template) -> None:
    scene.script(f"{OPEN}\n{tell(told, f'own.execute({SETTINGS!r}).fetchone()')}\nown.close()", template)
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    name, lock_timeout, interval = eval(told.read_text())
    assert name.startswith("nonstop 2")
    assert name.endswith(" client of nonstop")
    assert (lock_timeout, interval) == ("1s", "200ms")  # the budget


def test_what_the_user_has_set_wins_and_is_what_sqlalchemy_sees(scene: Scene, told: Path) -> None:
    """A session of the application's remembers for life what it was opened with: nothing of ours, then."""
    scene.script(f"""
{OPEN}
{tell(told, f"own.execute({SETTINGS!r}).fetchone()[1]")}
own.close()
with db.engine.connect() as connection:
    {tell(told, f"connection.execute(text({RESET_VALUES!r})).scalars().all()")}
""")
    end = scene.start(environment={"PGOPTIONS": "-c lock_timeout=7s", "PGAPPNAME": "shop"}).wait()
    assert end.returncode == 0, end.output
    assert told.read_text().splitlines() == ["7s", "['shop', '7000']"]


def test_without_anything_set_sqlalchemy_sees_nothing(scene: Scene, told: Path) -> None:
    scene.script(f"""
from threading import Thread
def in_the_application():
    with db.engine.connect() as connection:
        {tell(told, f"connection.execute(text({RESET_VALUES!r})).scalars().all()")}
thread = Thread(target=in_the_application)
thread.start()
thread.join()
""")
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert told.read_text().splitlines() == ["['', '0']"]


def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIVEN", "before")
    monkeypatch.setenv("CHANGED", "before")
    monkeypatch.delenv("NEW", raising=False)
    environment = ClientEnvironment({"GIVEN": "ours", "CHANGED": "ours", "NEW": "ours"})
    with environment.passed_on():
        assert (os.environ["GIVEN"], os.environ["NEW"]) == ("ours", "ours")
        with environment.withheld():
            assert (os.environ["GIVEN"], os.environ.get("NEW")) == ("before", None)
        assert (os.environ["GIVEN"], os.environ["NEW"]) == ("ours", "ours")
        os.environ["CHANGED"] = "by the script"
    assert (os.environ["GIVEN"], os.environ["CHANGED"]) == ("before", "by the script")
    assert "NEW" not in os.environ


@pytest.mark.parametrize(
    "lines",
    [
        DIRECTLY,
        IN_A_CHILD,
        pytest.param(
            WITH_PSQL, marks=pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
        ),
        SWALLOWED,
    ],
    ids=["psycopg.connect", "child", "psql", "swallowed"],
)
def test_a_client_that_blocks_the_application_is_broken_off(scene: Scene, lines: str) -> None:
    """It is not tried again: nobody knows what it had committed."""
    scene.script(lines)
    with scene.session() as application:
        runner = scene.start()
        until(lambda: scene.value(ASLEEP))
        application.execute(UPDATE_ONE)  # within its lock_timeout, which is less than the budget
        application.commit()
        end = runner.wait()
    assert end.returncode == 7, end.output
    assert "stopped part-way; it worked on a connection of its own, whose commits nobody sees" in end.output
    assert scene.attempts == 1
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'by the script'") == 0


def test_a_client_that_is_idle_in_its_transaction_is_ended(scene: Scene, told: Path) -> None:
    scene.script(f"""
{OPEN}
own.execute("UPDATE cars SET note = 'by the script'")
{tell(told, "'ready'")}
with db.engine.connect() as connection:
    connection.execute(text("SELECT pg_sleep(2)"))
own.commit()
""")
    with scene.session() as application:
        runner = scene.start()
        until(told.exists)
        application.execute(UPDATE_ONE)
        application.commit()
        end = runner.wait()
    assert end.returncode == 7, end.output
    assert scene.attempts == 1


def test_the_next_runner_waits_for_a_child_that_outlives_a_dead_one(scene: Scene) -> None:
    scene.script(IN_A_CHILD.replace("pg_sleep(20)", "pg_sleep(600)"))
    first = scene.start()
    until(lambda: scene.value(CLIENT) and scene.value(ASLEEP))
    child = scene.value(CLIENT)
    assert isinstance(child, int)
    first.kill()
    assert first.wait().was_killed
    until(lambda: sessions_of_runners(scene.url) and len(sessions_of_runners(scene.url)) == 1)
    second = scene.start("--lock-timeout", "100ms").wait()
    assert second.returncode == 5, second.output
    assert f"another runner holds the lock (pid {child}, nonstop 2" in second.output
    end_session(scene.url, child)
    (scene.project.migrations / "001_script.py").write_text("def apply(): pass\n\ndef rollback(): pass\n")
    assert scene.start().wait().returncode == 0


def test_a_client_of_its_own_does_not_count_as_the_application(scene: Scene) -> None:
    """It waits for its own script for as long as the script lets it."""
    scene.script(f"""
{OPEN}
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'by the script'"))
    try:
        own.execute("SET lock_timeout = '1500ms'; UPDATE cars SET note = 'by a client'")
    except psycopg.errors.LockNotAvailable:
        own.close()
""")
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert scene.attempts == 1
    with psycopg.connect(scene.url) as connection:
        assert connection.execute("SELECT DISTINCT note FROM cars").fetchall() == [("by the script",)]
