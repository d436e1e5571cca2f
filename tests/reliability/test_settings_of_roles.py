"""The timeouts that a web application's role has are not the migration's (C20, C31, C33)."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.guard.conftest import Scene
from tests.reliability.builds import PHASE, Phase, indexes
from tests.support.scripts import sql
from tests.support.sessions import until_it_looks
from tests.support.snapshots import applied
from tests.support.waiting import until

RoleScene = Callable[..., Scene]
SLOW = """
    CREATE FUNCTION slow(note text) RETURNS text IMMUTABLE LANGUAGE plpgsql
    AS $$ BEGIN PERFORM pg_sleep(0.1); RETURN note; END $$"""
ALTER_BOTH = ("ALTER TABLE cars ADD COLUMN colour TEXT", "ALTER TABLE orders ADD COLUMN colour TEXT")


def test_c20_builds_and_validations_may_take_longer_than_a_request(role_scene: RoleScene) -> None:
    scene = role_scene("statement_timeout = '50ms'", "lock_timeout = '20ms'")
    with psycopg.connect(scene.url, autocommit=True) as connection:
        connection.execute("SET statement_timeout = 0")
        connection.execute(SLOW)
    scene.script(
        'from sqlalchemy import text\nop.create_index("ix_note", "cars", [text("slow(note)")])\n'
        'op.add_check("short", "orders", "slow(note) IS NOT NULL")\nop.set_not_null("cars", "note")',
        "bare",
    )
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert indexes(scene) == [("ix_note", True)]
    assert scene.value("SELECT convalidated FROM pg_constraint WHERE conname = 'short'") is True


def test_c20_a_build_waits_for_longer_than_the_lock_timeout_of_the_role(
    scene: Scene, role_scene: RoleScene
) -> None:
    ours = role_scene("lock_timeout = '20ms'")
    ours.script('op.create_index("ix_note", "cars", ["note"])', "bare")
    with scene.session() as other:
        other.execute("UPDATE cars SET note = 'x' WHERE id = 1")
        runner = ours.start()
        until(lambda: scene.value(PHASE) == Phase.WRITERS)
        other.rollback()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert indexes(scene) == [("ix_note", True)]


@pytest.mark.parametrize("form", ["op", "raw"])
def test_c31_a_statement_timeout_equal_to_our_lock_timeout_is_no_failure(
    scene: Scene, role_scene: RoleScene, form: str
) -> None:
    """With both at 50 ms, the first limit of ours, the server would call it a cancelled statement."""
    ours = role_scene("statement_timeout = '50ms'")
    if form == "op":
        ours.script('op.add_column("orders", Column("colour", String(20)))', "bare")
    else:
        ours.script(sql(*ALTER_BOTH))
    with scene.session() as application:
        application.execute("UPDATE orders SET note = 'by the application' WHERE id = 1")
        runner = ours.start()
        if form == "op":
            until_it_looks(scene.url, times=30)
        else:
            until(lambda: ours.attempts_file.exists() and ours.attempts >= 3)
        application.commit()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.has_column("orders", "colour")


@pytest.mark.parametrize("form", ["op", "raw", "raw after a look"])
def test_c33_waiting_is_not_ended_as_an_idle_transaction(
    scene: Scene, role_scene: RoleScene, form: str
) -> None:
    """Nobody sleeps inside a transaction; one in which the script has read already is not ended for it."""
    ours = role_scene("idle_in_transaction_session_timeout = '300ms'", "idle_session_timeout = '300ms'")
    if form == "op":
        ours.script('op.add_column("cars", Column("colour", String(20)))', "bare")
    else:
        looks = ["SELECT count(*) FROM orders"] if form == "raw after a look" else []
        ours.script(sql(*looks, ALTER_BOTH[0]))
    with scene.session() as reader:
        reader.execute("SELECT * FROM cars")
        runner = ours.start()
        until_it_looks(scene.url, times=100)  # a look takes 5 to 15 ms: longer than either limit
        reader.rollback()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert applied(scene.url) == [1]
    assert scene.has_column("cars", "colour")
