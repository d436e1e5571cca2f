"""A partitioned table, whose indexes and foreign keys PostgreSQL makes only while everybody waits (C34)."""

from __future__ import annotations

import psycopg
import pytest

from tests.guard.conftest import Scene, Session
from tests.reliability.builds import BUILDERS, EARLY, GATE, PHASE, Phase, builder
from tests.support.fingerprint import fingerprint
from tests.support.scripts import Template, sql
from tests.support.sessions import end_session, sessions_of_runners
from tests.support.waiting import until

INDEX = 'from sqlalchemy import text\nop.create_index("ix_note", "visits", [text("gate(note)")])'
INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
BUILT = "SELECT count(*) FROM pg_indexes WHERE tablename LIKE 'visits%'"


@pytest.fixture
def partitioned(scene: Scene) -> Scene:
    """Visits of cars in two partitions, a row in each."""
    with psycopg.connect(scene.url) as connection:
        connection.execute(
            "CREATE TABLE visits (id INTEGER, car_id INTEGER, note TEXT) PARTITION BY RANGE (id)"
        )
        connection.execute("CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (10)")
        connection.execute("CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM (10) TO (20)")
        connection.execute("INSERT INTO visits VALUES (1, 1, ''), (11, 2, '')")
        connection.execute(GATE)
    return scene


@pytest.mark.parametrize("end_of", ["session", "runner"])
def test_c34_an_index_is_built_beside_writers_and_taken_up_where_it_was_ended(
    partitioned: Scene, busy_application: Session, end_of: str
) -> None:
    partitioned.script(INDEX, "bare")
    with psycopg.connect(partitioned.url, autocommit=True) as keeper:
        keeper.execute("SELECT pg_advisory_lock(%s)", [EARLY])
        runner = partitioned.start()
        until(lambda: partitioned.value(PHASE) == Phase.BUILD)
        busy_application.execute("UPDATE visits SET note = 'x' WHERE id = 1")
        busy_application.execute("INSERT INTO visits VALUES (2, 1, 'new')")
        if end_of == "session":
            end_session(partitioned.url, builder(partitioned))
            end = runner.wait()
            assert end.returncode == 7, end.output
            assert "it was broken off at: create index ix_note on each partition of visits" in end.output
        else:
            runner.kill()
            assert runner.wait().was_killed
            until(lambda: not partitioned.value(BUILDERS))
    until(lambda: not sessions_of_runners(partitioned.url))
    assert partitioned.value(INVALID) == 1
    end = partitioned.start().wait()
    assert end.returncode == 0, end.output
    assert partitioned.value(INVALID) == 0
    assert partitioned.value(BUILT) == 3


@pytest.mark.parametrize(
    ("lines", "template"),
    [
        ('op.add_foreign_key("fk_car", "visits", ["car_id"], "cars", ["id"])', "bare"),
        (sql("ALTER TABLE visits ADD CONSTRAINT fk_car FOREIGN KEY (car_id) REFERENCES cars"), "raw"),
    ],
    ids=["op", "raw"],
)
def test_c34_a_foreign_key_is_there_or_the_whole_is_undone(
    partitioned: Scene, lines: str, template: Template
) -> None:
    before = fingerprint(partitioned.url)
    partitioned.script(lines, template)
    end = partitioned.start().wait()
    if end.returncode == 0:  # PostgreSQL 18, or a plain key on a small table
        assert (
            partitioned.value("SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'") is True
        )
        return
    if template == "raw":
        assert end.returncode == 8, end.output
    else:
        assert end.returncode == 1, end.output
        assert "cannot add NOT VALID foreign key on partitioned table" in end.output
    assert "was undone completely" in end.output
    assert fingerprint(partitioned.url) == before


def test_c34_a_partition_is_detached_beside_readers_and_writers(
    partitioned: Scene, busy_application: Session
) -> None:
    partitioned.script("""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(text("ALTER TABLE visits DETACH PARTITION visits_2 CONCURRENTLY"))
""")
    with partitioned.session() as reader:
        reader.execute("SELECT * FROM visits")
        runner = partitioned.start()
        until(lambda: partitioned.value("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == 1)
        busy_application.execute("UPDATE visits SET note = 'x' WHERE id = 1")
        reader.rollback()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert partitioned.value("SELECT count(*) FROM pg_inherits") == 1
