"""What a script's statements did, to themselves and to others, is told afterwards: ``--json``, and in words with ``-v``."""

from __future__ import annotations

import json
from typing import Any

from tests.guard.conftest import Scene
from tests.support.forked import Forked, ForkServer
from tests.support.projects import Project
from tests.support.rendezvous import Rendezvous
from tests.support.scripts import sql, write_script
from tests.support.sessions import until_blocked, until_it_looks

ALTER = "ALTER TABLE cars ADD COLUMN colour TEXT"


def told_by(runner: Forked) -> list[dict[str, Any]]:
    """The statements of the only script of a run with ``--json``."""
    end = runner.wait()
    assert end.returncode == 0, end.output
    document = json.loads(end.output[end.output.index("{") :])
    statements: list[dict[str, Any]] = document["migrations"][0]["statements"]
    return statements


def test_rows_and_lines_on_both_databases(project: Project, forks: ForkServer) -> None:
    write_script(
        project.migrations,
        "001_visits.py",
        sql(
            "CREATE TABLE visits (id INTEGER)",
            "INSERT INTO visits VALUES (1), (2), (3)",
            "UPDATE visits SET id = id + 10 WHERE id > 1",
        ),
    )
    runner = forks.start("apply", "--json", "--dir", project.migrations, env=project.environment)
    create, insert, update = told_by(runner)
    assert create["sql"] == "CREATE TABLE visits (id INTEGER)"
    assert (insert["rows"], update["rows"]) == (3, 2)
    assert 0 < create["line"] < insert["line"] < update["line"]
    assert create["sent"] is create["error"] is None
    assert [create[empty] for empty in ("locks", "rewritten", "blocked", "waited_for")] == [[], [], [], []]


def test_locks_and_rewrites(scene: Scene) -> None:
    scene.script(
        sql(
            "UPDATE cars SET note = 'by the script'",
            ALTER,
            "ALTER TABLE cars ALTER COLUMN id TYPE BIGINT",
            "COMMENT ON TABLE cars IS 'mine'",
        )
    )
    update, alter, change, comment = told_by(scene.start("--json"))
    assert (update["rows"], update["locks"]) == (3, [])
    assert alter["locks"] == ["cars ACCESS EXCLUSIVE"]
    assert alter["rewritten"] == []
    assert "cars ACCESS EXCLUSIVE" in change["locks"]
    assert change["rewritten"] == ["cars"]
    assert comment["rewritten"] == []


def test_a_step_of_op_has_its_locks_too(scene: Scene) -> None:
    scene.script('op.add_column("cars", Column("colour", Text))', "op")
    (alter,) = [s for s in told_by(scene.start("--json")) if s["sql"].startswith("ALTER")]
    assert alter["locks"] == ["cars ACCESS EXCLUSIVE"]


def test_who_was_waited_for(scene: Scene) -> None:
    scene.script(sql(ALTER))
    with scene.session() as reader:
        reader.execute("SELECT count(*) AS seen FROM cars")
        runner = scene.start("--json")
        until_it_looks(scene.url, times=20)
        pid = reader.info.backend_pid
        reader.rollback()
        (alter,) = told_by(runner)
    assert alter["waited_ms"] > 0
    assert f"pid {pid}" in alter["waited_for"][0]
    assert "SELECT count(*) AS seen FROM cars" in alter["waited_for"][0]
    assert alter["duration_ms"] < alter["waited_ms"]


def test_who_waited_for_us(scene: Scene, rendezvous: Rendezvous, meanwhile: Any) -> None:
    scene.script(f"""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'by the script'"))
    {rendezvous.line}
""")
    with scene.session() as application:
        application.execute("SET application_name = 'shop'")
        application.execute("SET lock_timeout = 0")
        runner = scene.start("--json", "--blocking-budget", "60s")
        rendezvous.wait()
        pid = application.info.backend_pid
        update = meanwhile(application.execute, "UPDATE cars SET note = 'by the application' WHERE id = 1")
        until_blocked(scene.url, pid)
        meanwhile_it_is_seen(scene)
        rendezvous.let_go()
        update.result()
        application.rollback()
        (statement,) = told_by(runner)
    (blocked,) = statement["blocked"]
    assert (blocked["pid"], blocked["application"]) == (pid, "shop")


def meanwhile_it_is_seen(scene: Scene) -> None:
    """Wait until the watchdog has looked twice more."""
    until_it_looks(scene.url, times=3, at="pg_blocking_pids")


def test_verbose_tells_it_in_words(scene: Scene) -> None:
    scene.script(sql(ALTER))
    end = scene.start("-v").wait()
    assert end.returncode == 0, end.output
    assert f": {ALTER}  (" in end.output
    assert "      locked: cars ACCESS EXCLUSIVE" in end.output
    assert "locked" not in scene.start("-v").wait().output
