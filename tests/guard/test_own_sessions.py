"""A script with several sessions: it is not left to wait for itself, nor begun anew after one that nobody saw."""

from __future__ import annotations

import psycopg
import pytest

from tests.guard.conftest import Scene
from tests.support.sessions import until_it_looks

WAITS_FOR_ITSELF = {
    "read, then altered": ("SELECT * FROM cars", "ALTER TABLE cars ADD COLUMN colour TEXT"),
    "written, then indexed": ("UPDATE cars SET note = 'x'", "CREATE INDEX ix ON cars (note)"),
    "locked, then dropped": ("LOCK TABLE cars IN SHARE MODE", "DROP TABLE cars"),
    "read, then referred to": (
        "SELECT * FROM cars FOR UPDATE",
        "ALTER TABLE cars ADD CONSTRAINT c CHECK (id > 0)",
    ),
}


@pytest.mark.parametrize(("first", "second"), WAITS_FOR_ITSELF.values(), ids=WAITS_FOR_ITSELF)
def test_a_script_that_would_wait_for_itself_fails_at_once(scene: Scene, first: str, second: str) -> None:
    scene.script(f"""
other = db.engine.connect()
other.execute(text({first!r}))
with db.engine.begin() as connection:
    connection.execute(text({second!r}))
""")
    end = scene.start("--discard-data").wait()
    assert end.returncode == 2, end.output
    assert f"the script would wait for itself: {second}" in end.output
    assert f"has not ended its transaction: line 22: {first}" in end.output
    assert "001_script.py:24" in end.output
    assert scene.attempts == 1


def test_sessions_that_are_not_in_each_others_way_go_on(scene: Scene) -> None:
    scene.script("""
other = db.engine.connect()
other.execute(text("SELECT * FROM cars"))
with db.engine.begin() as connection:
    connection.execute(text("CREATE INDEX ix ON cars (note)"))
    connection.execute(text("ALTER TABLE orders ADD COLUMN colour TEXT"))
""")
    end = scene.start().wait()
    assert end.returncode == 0, end.output


UNSEEN = {
    "psycopg.connect": """
import psycopg
with psycopg.connect(URL) as other:
    other.execute(INSERT)
""",
    "psycopg.Connection.connect": """
from psycopg import Connection
with Connection.connect(URL) as other:
    other.execute(INSERT)
""",
    "raw_connection": """
raw = db.engine.raw_connection()
raw.cursor().execute(INSERT)
raw.commit()
raw.close()
""",
    "a thread that works elsewhere": """
import psycopg, threading
def insert():
    with psycopg.connect(URL) as other:
        other.execute(INSERT)
thread = threading.Thread(target=insert)
thread.start()
thread.join()
""",
    "a thread": """
import threading
def insert():
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text(INSERT))
thread = threading.Thread(target=insert)
thread.start()
thread.join()
""",
    "a child": """
import subprocess
program = f"import psycopg; psycopg.connect({URL!r}, autocommit=True).execute({INSERT!r})"
subprocess.run([sys.executable, "-c", program], check=True)
""",
}


@pytest.mark.parametrize("lines", UNSEEN.values(), ids=UNSEEN)
def test_a_script_with_commits_that_nobody_saw_is_never_begun_anew(scene: Scene, lines: str) -> None:
    """Its lock is tried again instead, until the application lets go of the table."""
    scene.script(f"""
URL = {scene.url!r}
INSERT = "INSERT INTO orders SELECT max(id) + 1, 'unseen' FROM orders"
{lines}
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE cars ADD COLUMN colour TEXT"))
""")
    with psycopg.connect(scene.url) as application:
        application.execute("UPDATE cars SET note = 'by the application'")
        runner = scene.start()
        until_it_looks(scene.url, 20)
        application.commit()
        end = runner.wait()
    assert end.returncode == 0, end.output
    assert scene.attempts == 1
    assert scene.value("SELECT count(*) FROM orders WHERE note = 'unseen'") == 1
    assert scene.has_column("cars", "colour")


@pytest.mark.parametrize("url", ["'sqlite://'", "database_url()"], ids=["of another kind", "of the same"])
def test_a_session_that_the_application_has_taken_out_before_may_be_given_back(
    scene: Scene, url: str
) -> None:
    application = scene.project.folder / "app.py"
    early = f"\nearly = create_engine({url}).connect()\n"
    application.write_text(application.read_text(encoding="utf-8") + early, encoding="utf-8")
    scene.script("""
from app import early
early.close()
with db.engine.begin() as connection:
    connection.execute(text("UPDATE cars SET note = 'x'"))
""")
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'x'") == 3
