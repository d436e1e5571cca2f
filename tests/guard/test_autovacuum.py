"""An ordinary autovacuum gives way, but only to somebody who waits for longer than deadlock_timeout (C13)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.guard.conftest import Scene
from tests.support.forked import ForkServer
from tests.support.postgres_server import Server, start_server, stop
from tests.support.projects import make_project
from tests.support.scripts import sql
from tests.support.waiting import until

EAGER = "autovacuum_naptime = 1s\n"
SLOW = "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 1"
AT_WORK = """
    SELECT pid FROM pg_stat_progress_vacuum JOIN pg_stat_activity USING (pid)
    WHERE relid = 'cars'::regclass AND backend_type = 'autovacuum worker'"""


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


@pytest.mark.parametrize("written_with", ["op", "raw"])
def test_c13_we_get_past_an_ordinary_autovacuum(eager_scene: Scene, written_with: str) -> None:
    scene = eager_scene
    if written_with == "op":
        scene.script('op.add_column("cars", Column("colour", String(20)))', "op")
    else:
        scene.script(sql("ALTER TABLE cars ADD COLUMN colour VARCHAR(20)"))
    until(lambda: scene.value(AT_WORK))
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert scene.has_column("cars", "colour")
