"""What each deployment does with a script that the one before could not finish: it runs it again, unattended (C40)."""

from __future__ import annotations

from tests.guard.conftest import Scene
from tests.support.fingerprint import look
from tests.support.scripts import sql
from tests.support.snapshots import applied, events

DEPLOYMENTS = 3
DUPLICATE = "INSERT INTO cars VALUES (1, 'a second one')"


def test_c40_a_script_that_fails_is_undone_by_each_deployment_and_holds_up_those_behind_it(
    scene: Scene,
) -> None:
    scene.script(sql("UPDATE cars SET note = note || '+'", DUPLICATE))
    scene.script(sql("CREATE TABLE doors (id INTEGER)"))
    before = look(scene.url)
    for deployment in range(1, DEPLOYMENTS + 1):
        end = scene.start().wait()
        assert end.returncode == 1, end.output
        assert "001_script was undone completely" in end.output
        assert "not started: 002_script" in end.output
        assert scene.attempts == deployment
        assert look(scene.url) == before
    assert "001  script  failed" in scene.run("status").output

    with scene.session() as somebody:
        somebody.execute("DELETE FROM cars WHERE id = 1")
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert scene.value("SELECT string_agg(note, ',' ORDER BY id) FROM cars") == "a second one,+,+"
    assert [event[2] for event in events(scene.url)] == ["failure"] * DEPLOYMENTS + ["apply"] * 2


def test_c40_a_script_that_stops_part_way_begins_again_with_each_deployment_until_it_is_settled(
    scene: Scene,
) -> None:
    """What it commits before it fails is committed each time: that's why such a script has to be idempotent."""
    scene.script(f"""
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS wheels (id INTEGER)"))
    connection.execute(text("INSERT INTO wheels VALUES (1)"))
with db.engine.begin() as connection:
    connection.execute(text({DUPLICATE!r}))
""")
    scene.script(sql("CREATE TABLE doors (id INTEGER)"))
    for deployment in range(1, DEPLOYMENTS + 1):
        end = scene.start().wait()
        assert end.returncode == 7, end.output
        assert "1 commit of it is permanent" in end.output
        assert "not started: 002_script" in end.output
        assert "a script must be idempotent for that" in end.output
        assert scene.value("SELECT count(*) FROM wheels") == deployment
    assert "001  script  interrupted" in scene.run("status").output

    assert scene.run("repair", "--mark-applied", "1", "--yes").returncode == 0
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert applied(scene.url) == [1, 2]
    assert scene.value("SELECT count(*) FROM wheels") == DEPLOYMENTS
