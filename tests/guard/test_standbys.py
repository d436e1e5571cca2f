"""A strong lock is replayed on standbys, where their readers meet it: each one apart, and not on a standby that lags (C12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from nonstop.databases import open_database
from nonstop.guard.standbys import Standbys
from tests.guard.conftest import Scene
from tests.support.databases import fresh_database, fresh_role
from tests.support.forked import ForkServer
from tests.support.postgres_server import Server, Unavailable, start_server, stop
from tests.support.projects import make_project
from tests.support.scripts import sql
from tests.support.standby import standby_of
from tests.support.waiting import until

PATIENT = "max_standby_streaming_delay = -1\n"
"""A standby whose readers are never cancelled: whatever conflicts with them waits."""
LOOKS = """
    SELECT true FROM pg_stat_activity
    WHERE application_name = 'nonstop observer' AND query LIKE '%pg_stat_replication r%'"""
BEHIND = """
    SELECT true FROM pg_stat_replication WHERE pg_wal_lsn_diff(pg_current_wal_flush_lsn(), replay_lsn) > 0"""
REPLAYED = (
    "SELECT count(*) FROM pg_attribute WHERE attrelid = 'cars'::regclass AND attname IN ('colour', 'shape')"
)
RAW = sql(
    "ALTER TABLE cars ADD COLUMN colour TEXT", "ALTER TABLE cars ADD COLUMN shape TEXT", transactions="each"
)
OP = 'op.add_column("cars", Column("colour", Text))\nop.add_column("cars", Column("shape", Text))'
DEADLINE = ("--deadline", "60s")


@dataclass(frozen=True)
class Pair:
    """A server with the table ``cars``, and its standby."""

    scene: Scene
    standby: str
    """The address of the same database there."""


@pytest.fixture(scope="module")
def replicated(postgres_server: Server) -> Iterator[tuple[Server, Server]]:
    """Servers of their own: every runner on a server with a standby would wait for it."""
    if postgres_server.binaries is None:
        pytest.skip("needs a server of its own")
    server = start_server(Path(postgres_server.binaries), "")
    try:
        with standby_of(server, PATIENT) as standby:
            yield server, standby
    except Unavailable as error:
        pytest.skip(str(error))
    finally:
        stop(server)


@pytest.fixture
def pair(tmp_path: Path, replicated: tuple[Server, Server], forks: ForkServer) -> Iterator[Pair]:
    server, standby = replicated
    with fresh_database(server.url) as url:
        with psycopg.connect(url) as owner:
            owner.execute("CREATE TABLE cars (id INTEGER PRIMARY KEY); CREATE TABLE orders (id INTEGER)")
        there = standby.url.rpartition("/")[0] + "/" + url.rpartition("/")[2]
        until(lambda: answers(there, "SELECT to_regclass('orders')"))
        yield Pair(
            Scene(make_project(tmp_path / "project", url, "light"), forks, tmp_path / "attempts"), there
        )
        with psycopg.connect(standby.url, autocommit=True) as reader:
            reader.execute("SELECT pg_wal_replay_resume()")


def answers(url: str, query: str) -> object:
    """The first value of a query; None where the database is not there yet."""
    try:
        with psycopg.connect(url) as connection:
            row = connection.execute(query.encode()).fetchone()
            return row and row[0]
    except psycopg.Error:
        return None


@pytest.mark.parametrize(("lines", "template"), [(RAW, "raw"), (OP, "op")], ids=["raw", "op"])
def test_c12_stalls_on_a_standby_do_not_add_up(pair: Pair, lines: str, template: Any) -> None:
    """The first lock meets a reader there and is waited for; the second is not even asked for before."""
    scene = pair.scene
    scene.script(lines, template)
    with psycopg.connect(pair.standby) as reader:
        reader.execute("SELECT * FROM cars")
        runner = scene.start(*DEADLINE)
        until(lambda: scene.has_column("cars", "colour"))
        until(lambda: scene.value(LOOKS) and scene.value(BEHIND))
        for _ in range(20):
            scene.value(LOOKS)
            assert not scene.has_column("cars", "shape")
        reader.rollback()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.has_column("cars", "shape")
    assert "standbys" not in end.output


def test_b19_a_standby_that_lags_gets_no_lock_to_replay(pair: Pair) -> None:
    scene = pair.scene
    with psycopg.connect(pair.standby, autocommit=True) as standby:
        standby.execute("SELECT pg_wal_replay_pause()")
        with psycopg.connect(scene.url) as application:
            application.execute("INSERT INTO cars VALUES (2)")
        scene.script(RAW)
        runner = scene.start(*DEADLINE)
        until(lambda: scene.value(LOOKS))
        for _ in range(20):
            assert not scene.has_column("cars", "colour")
        standby.execute("SELECT pg_wal_replay_resume()")
        end = runner.wait()
        assert end.returncode == 0, end.output
        until(lambda: standby.execute(REPLAYED).fetchone() == (2,))


def test_the_deadline_ends_the_waiting(pair: Pair) -> None:
    scene = pair.scene
    with psycopg.connect(pair.standby, autocommit=True) as standby:
        standby.execute("SELECT pg_wal_replay_pause()")
        with psycopg.connect(scene.url) as application:
            application.execute("INSERT INTO cars VALUES (2)")
        scene.script(RAW)
        end = scene.start("--deadline", "1s").wait()
    assert end.returncode == 1, end.output
    assert "the deadline of 1 s has passed" in end.output
    assert not scene.has_column("cars", "colour")


def test_a_standby_that_never_comes_is_left_behind_with_a_note(pair: Pair) -> None:
    scene = pair.scene
    notes: list[str] = []
    standbys = Standbys(notes.append, lambda: None, give_up_after=0.2)
    observer = open_database(scene.url).observer()
    assert observer is not None
    with psycopg.connect(pair.standby, autocommit=True) as standby:
        standby.execute("SELECT pg_wal_replay_pause()")
        with psycopg.connect(scene.url) as application:
            application.execute("INSERT INTO cars VALUES (2)")
        standbys.wait(observer)
        assert len(notes) == 1
        assert "standbys were still behind after 0.2 s, and were not waited for: walreceiver by" in notes[0]
        standbys.wait(observer)  # at once: it is not waited for a second time
    observer.close()
    assert len(notes) == 1


def test_a_role_that_can_not_see_goes_on_with_a_note(pair: Pair) -> None:
    scene = pair.scene
    with fresh_role(scene.url, "", None) as url:
        ours = scene.as_role(url)
        ours.script(RAW)
        end = ours.start(*DEADLINE).wait()
    assert end.returncode == 0, end.output
    assert end.output.count("walreceiver can't be waited for: our role does not see how far it is") == 1


def test_without_a_standby_nobody_waits(scene: Scene, meanwhile: Callable[..., Any]) -> None:
    scene.script(sql("ALTER TABLE cars ADD COLUMN colour TEXT"))
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert "standby" not in end.output
