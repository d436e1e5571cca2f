"""An ordinary autovacuum gives way, but only to somebody who waits for longer than deadlock_timeout (C13); one against
wraparound gives way to nobody (C14)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.guard.conftest import Scene
from tests.support.forked import ForkServer
from tests.support.postgres_server import Server, start_server, stop
from tests.support.projects import make_project
from tests.support.scripts import Template, sql
from tests.support.sessions import end_session, queued_for, until_it_looks
from tests.support.waiting import until

EAGER = "autovacuum_naptime = 1s\n"
SLOW = "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 1"
AT_WORK = """
    SELECT pid FROM pg_stat_progress_vacuum JOIN pg_stat_activity USING (pid)
    WHERE relid = 'cars'::regclass AND backend_type = 'autovacuum worker'"""
AGAINST_WRAPAROUND = f"{AT_WORK} AND query LIKE '%(to prevent wraparound)%'"
SOON_TOO_OLD = "autovacuum_freeze_max_age = 100000"  # the least that can be set
# Each COMMIT uses up a transaction id.
GROW_OLD = """
    CREATE PROCEDURE grow_old() LANGUAGE plpgsql AS $$
    BEGIN
        FOR n IN 1..101000 LOOP
            PERFORM pg_current_xact_id();
            COMMIT;
        END LOOP;
    END $$"""
FORMS: dict[str, tuple[str, Template]] = {
    "op": ('op.add_column("cars", Column("colour", String(20)))', "op"),
    "raw": (sql("ALTER TABLE cars ADD COLUMN colour VARCHAR(20)"), "raw"),
}


@pytest.fixture
def eager_scene(tmp_path: Path, postgres_server: Server, forks: ForkServer) -> Iterator[Scene]:
    """A server of its own, whose autovacuum comes soon, and stays on ``cars`` for minutes."""
    if postgres_server.binaries is None:
        pytest.skip("needs a server with settings of its own")
    server = start_server(Path(postgres_server.binaries), EAGER)
    try:
        with psycopg.connect(server.url) as connection:
            connection.execute(f"CREATE TABLE cars (id INTEGER, note TEXT) WITH ({SLOW})".encode())
            connection.execute("INSERT INTO cars SELECT n, repeat('x', 500) FROM generate_series(1, 20000) n")
            connection.commit()
            connection.execute("DELETE FROM cars WHERE id % 2 = 0")
        yield Scene(make_project(tmp_path / "project", server.url, "light"), forks, tmp_path / "attempts")
    finally:
        stop(server)


@pytest.fixture
def ageing_scene(eager_scene: Scene) -> Scene:
    """The same; the autovacuum that stays on ``cars`` is one against wraparound."""
    with psycopg.connect(eager_scene.url, autocommit=True) as connection:
        connection.execute(f"ALTER TABLE cars SET ({SOON_TOO_OLD})".encode())
        connection.execute(GROW_OLD)
        connection.execute("CALL grow_old()")
    until(lambda: eager_scene.value(AT_WORK))
    if not eager_scene.value(AGAINST_WRAPAROUND):  # an ordinary one came first
        worker = eager_scene.value(AT_WORK)
        assert isinstance(worker, int)
        end_session(eager_scene.url, worker)
    until(lambda: eager_scene.value(AGAINST_WRAPAROUND))
    return eager_scene


@pytest.mark.repetitive(1)
@pytest.mark.parametrize("form", FORMS)
def test_c13_we_get_past_an_ordinary_autovacuum(eager_scene: Scene, form: str) -> None:
    scene = eager_scene
    scene.script(*FORMS[form])
    until(lambda: scene.value(AT_WORK))
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert scene.has_column("cars", "colour")


@pytest.mark.thorough
def test_c14_a_vacuum_against_wraparound_is_waited_for_and_named(ageing_scene: Scene) -> None:
    """One server for both forms: it takes a while to get there."""
    scene = ageing_scene
    worker = scene.value(AGAINST_WRAPAROUND)
    for form in FORMS.values():
        scene.script(*form)
        with scene.session() as application:
            application.autocommit = True
            runner = scene.start("--deadline", "5s")
            for _ in range(3):
                until_it_looks(scene.url, times=2)
                assert queued_for(scene.url, "cars") == 0
                application.execute("SELECT count(*) FROM cars WHERE id < 100")
                application.execute("UPDATE cars SET note = 'x' WHERE id = 1")
            end = runner.wait()
        assert end.returncode == 1, end.output
        assert "the deadline of 5 s has passed" in end.output
        assert f"pid {worker}" in end.output
        assert "(to prevent wraparound)" in end.output
        assert "was undone completely" in end.output
        (scene.project.migrations / "001_script.py").unlink()
    assert scene.value(AGAINST_WRAPAROUND) == worker
    assert not scene.has_column("cars", "colour")


def test_c14_a_build_waits_for_a_vacuum_against_wraparound_and_nobody_for_the_build(
    ageing_scene: Scene,
) -> None:
    scene = ageing_scene
    worker = scene.value(AGAINST_WRAPAROUND)
    scene.script('op.create_index("ix_id", "cars", ["id"])', "op")
    with scene.session() as application:
        runner = scene.start()
        until(lambda: queued_for(scene.url, "cars") == 1)
        application.execute("UPDATE cars SET note = 'x' WHERE id = 1")
        application.commit()
        assert scene.value(AGAINST_WRAPAROUND) == worker
        with psycopg.connect(
            scene.url, autocommit=True
        ) as connection:  # let it be done, as it would be at last
            connection.execute("ALTER SYSTEM SET autovacuum_naptime = '1h'")
            connection.execute("SELECT pg_reload_conf()")
        assert isinstance(worker, int)
        end_session(scene.url, worker)
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_id'::regclass") is True
