"""Plain SQL of a script makes way: what met the application's locks is undone as a whole, and tried again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.guard.conftest import Scene
from tests.support.rendezvous import Rendezvous
from tests.support.scripts import sql
from tests.support.sessions import until_blocked
from tests.support.snapshots import applied, events
from tests.support.waiting import until

ALTER_BOTH = ("ALTER TABLE cars ADD COLUMN colour TEXT", "ALTER TABLE orders ADD COLUMN colour TEXT")
UPDATE_BOTH = ("UPDATE cars SET note = 'by the script'", "UPDATE orders SET note = 'by the script'")
ALTER_AND_UPDATE = (ALTER_BOTH[0], UPDATE_BOTH[1])


def in_order(first: str, second: str, between: str = "pass") -> str:
    """Two statements in one transaction; what is between them is done at the first attempt only."""
    return f"""
with db.engine.begin() as connection:
    connection.execute(text({first!r}))
    if attempt == 1:
        {between}
    connection.execute(text({second!r}))
"""


@pytest.mark.parametrize(
    "statements", [ALTER_BOTH, UPDATE_BOTH, ALTER_AND_UPDATE], ids=["ddl", "dml", "both"]
)
def test_c09_the_application_wins_a_deadlock(
    scene: Scene, rendezvous: Rendezvous, meanwhile: Callable[..., Any], statements: tuple[str, str]
) -> None:
    scene.script(in_order(*statements, between=rendezvous.line))
    with scene.session() as application:
        application.execute("UPDATE orders SET note = 'by the application' WHERE id = 1")
        runner = scene.start()
        rendezvous.wait()
        update = meanwhile(application.execute, "UPDATE cars SET note = 'by the application' WHERE id = 1")
        until_blocked(scene.url, application.info.backend_pid)
        rendezvous.let_go()
        update.result()
        application.commit()
    end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.attempts >= 2
    assert applied(scene.url) == [1]


def test_our_limit_holds_for_what_follows_a_strong_lock(scene: Scene, rendezvous: Rendezvous) -> None:
    """An UPDATE after an ALTER TABLE waits no longer either, and what it then meets is no failure."""
    scene.script(in_order(*ALTER_AND_UPDATE))
    with scene.session() as application:
        application.execute("UPDATE orders SET note = 'by the application' WHERE id = 1")
        runner = scene.start()
        until(lambda: scene.attempts_file.exists() and scene.attempts >= 3)
        application.commit()
    end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.value("SELECT count(*) FROM orders WHERE note = 'by the script'") == 3
    assert [event[2] for event in events(scene.url)] == ["apply"]


def test_c32_each_attempt_has_our_settings(scene: Scene, tmp_path: Path) -> None:
    """They are lost with a rollback."""
    seen = tmp_path / "seen"
    show = "SELECT current_setting('lock_timeout') || ' ' || (current_setting('statement_timeout') <> '0')"
    scene.script(f"""
with db.engine.begin() as connection:
    connection.execute(text({ALTER_BOTH[0]!r}))
    with open({str(seen)!r}, "a") as file:
        print(connection.execute(text({show!r})).scalar(), file=file)
    connection.execute(text({ALTER_BOTH[1]!r}))
""")
    with scene.session() as application:
        application.execute("UPDATE orders SET note = 'by the application' WHERE id = 1")
        runner = scene.start()
        until(lambda: scene.attempts_file.exists() and scene.attempts >= 3)
        application.commit()
    assert runner.wait().returncode == 0
    settings = seen.read_text().splitlines()
    assert settings[:3] == ["50ms true", "75ms true", "112ms true"]


def test_a_connection_that_the_script_leaves_open_makes_way_too(scene: Scene) -> None:
    scene.script(f"""
import builtins
builtins.kept = getattr(builtins, "kept", [])
first, second = db.engine.connect(), db.engine.connect()
builtins.kept += [first, second]
first.execute(text({UPDATE_BOTH[0]!r}))
second.execute(text("UPDATE orders SET note = 'by the script' WHERE id = 3"))
second.execute(text({ALTER_BOTH[1]!r}))
first.commit()
second.commit()
""")
    with scene.session() as application:
        application.execute("UPDATE orders SET note = 'by the application' WHERE id = 1")
        runner = scene.start("--deadline", "8s")
        until(lambda: scene.attempts_file.exists() and scene.attempts >= 3)
        application.commit()
        end = runner.wait()
    assert end.returncode == 0, end.output


def test_a_script_that_swallows_a_lock_that_was_not_to_be_had_has_not_succeeded(scene: Scene) -> None:
    scene.script(f"""
try:
    with db.engine.begin() as connection:
        connection.execute(text({ALTER_BOTH[0]!r}))
        connection.execute(text({ALTER_BOTH[1]!r}))
except Exception:
    pass
""")
    with scene.session() as application:
        application.execute("UPDATE orders SET note = 'by the application' WHERE id = 1")
        runner = scene.start()
        until(lambda: scene.attempts_file.exists() and scene.attempts >= 2)
        application.commit()
    assert runner.wait().returncode == 0
    assert scene.has_column("cars", "colour")
    assert scene.has_column("orders", "colour")


def test_c20_the_timeout_of_the_role_is_overridden(scene: Scene, postgres_role: Callable[..., str]) -> None:
    """Of a web application's role, say: a migration may take longer than a request."""
    ours = scene.as_role(postgres_role())
    user = ours.url.partition("://")[2].partition("@")[0]
    with scene.session() as administrator:
        administrator.execute(f"ALTER ROLE {user} SET statement_timeout = '50ms'".encode())
    ours.script(sql(ALTER_BOTH[0], "SELECT pg_sleep(0.2)"))
    ours.script(
        'op.execute("UPDATE orders SET note = pg_sleep(0.2)::text WHERE id = 1")\n'
        'op.create_index("ix_note", "cars", ["note"])',
        "bare",
    )
    end = ours.start().wait()
    assert end.returncode == 0, end.output
    assert applied(scene.url) == [1, 2]


# --- the script's own business ------------------------------------------------------------------------------------

LIMITED = f"connection.execute(text({ALTER_BOTH[0]!r}))"
"""A statement before, whose lock we bound: that makes the script's own errors none of ours."""


@pytest.mark.parametrize("before", ["pass", LIMITED], ids=["alone", "after an ALTER TABLE"])
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("SELECT * FROM orders WHERE id = 1 FOR UPDATE NOWAIT", "could not obtain lock on row"),
        ("SET LOCAL statement_timeout = 50; SELECT pg_sleep(20)", "due to statement timeout"),
    ],
    ids=["nowait", "statement_timeout"],
)
def test_an_error_that_the_script_asked_for_is_a_failure(
    scene: Scene, before: str, statement: str, words: str
) -> None:
    scene.script(f"""
with db.engine.begin() as connection:
    {before}
    connection.execute(text({statement!r}))
""")
    with scene.session() as application:
        application.execute("UPDATE orders SET note = 'by the application' WHERE id = 1")
        end = scene.start().wait()
    assert end.returncode == 1, end.output
    assert words in end.output
    assert "was undone completely" in end.output
    assert scene.attempts == 1


def test_an_error_that_the_script_expects_is_left_to_it(scene: Scene) -> None:
    scene.script("""
from sqlalchemy.exc import OperationalError
with db.engine.begin() as connection:
    try:
        with connection.begin_nested():
            connection.execute(text("SELECT * FROM orders WHERE id = 1 FOR UPDATE NOWAIT"))
    except OperationalError:
        connection.execute(text("UPDATE cars SET note = 'orders are busy'"))
""")
    with scene.session() as application:
        application.execute("UPDATE orders SET note = 'by the application' WHERE id = 1")
        end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert scene.attempts == 1
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'orders are busy'") == 3


def test_a_statement_that_always_keeps_the_application_waiting_is_named(
    scene: Scene, meanwhile: Callable[..., Any]
) -> None:
    """To try it for ever would help nobody: it takes longer than the budget by itself."""
    scene.script("""
with db.engine.begin() as connection:
    connection.execute(text("UPDATE orders SET note = 'by the script'"))
    connection.execute(text("SELECT pg_sleep(60)"))
""")
    runner = scene.start()
    ended = Event()

    def work() -> None:
        with scene.session() as application:
            while not ended.is_set():
                application.execute("UPDATE orders SET note = 'by the application' WHERE id = 1")
                application.commit()

    application = meanwhile(work)
    end = runner.wait()
    ended.set()
    application.result()
    assert end.returncode == 5, end.output
    assert "SELECT pg_sleep(60)" in end.output
    assert "was undone completely" in end.output
    assert "Next: do it with op, or in batches" in end.output
    assert scene.attempts == 6
