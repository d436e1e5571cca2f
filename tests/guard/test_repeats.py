"""A text that a script sends again and again in one transaction is checked in short, and logged in full."""

from __future__ import annotations

import json

from tests.guard.conftest import Scene
from tests.support.forked import Ended, ForkServer
from tests.support.projects import Project
from tests.support.rendezvous import Rendezvous
from tests.support.scripts import write_script
from tests.support.sessions import end_session

MAKE = "CREATE TABLE visits (id INTEGER PRIMARY KEY, note TEXT)"
FILL = "INSERT INTO visits (id, note) VALUES (1, ''), (2, ''), (3, ''), (4, ''), (5, '')"


def run(project: Project, forks: ForkServer, apply: str) -> Ended:
    """Run a script that makes and fills a table, then one with these lines."""
    lines = f"""
with db.engine.begin() as connection:
    connection.execute(text("{MAKE}"))
    connection.execute(text("{FILL}"))
"""
    write_script(project.migrations, "001_visits.py", lines)
    write_script(project.migrations, "002_change.py", apply)
    return forks.start("apply", "--json", "--dir", project.migrations, env=project.environment).wait()


def test_each_statement_is_logged_with_its_line_and_rows(project: Project, forks: ForkServer) -> None:
    end = run(project, forks, """
def change(connection, number):
    connection.execute(text("UPDATE visits SET note = 'seen' WHERE id <= :id"), {"id": number})

update = text("UPDATE visits SET note = 'seen' WHERE id <= :id")
with db.engine.begin() as connection:
    for number in range(1, 4):
        connection.execute(update, {"id": number})
    connection.execute(update, {"id": 4})
    change(connection, 5)
with db.engine.begin() as connection:
    connection.execute(update, {"id": 1})
""")  # fmt: skip
    assert end.returncode == 0, end.output
    document = json.loads(end.output[end.output.index("{") :])
    statements = document["migrations"][1]["statements"]
    first, *_ = [s["line"] for s in statements]
    assert [s["rows"] for s in statements] == [1, 2, 3, 4, 5, 1]
    assert [s["line"] - first for s in statements] == [0, 0, 0, 1, -5, 4]
    assert len({s["sql"] for s in statements}) == 1


def test_rows_that_are_deleted_one_by_one_are_still_counted(project: Project, forks: ForkServer) -> None:
    end = run(project, forks, """
with db.engine.begin() as connection:
    for number in range(1, 4):
        connection.execute(text("UPDATE visits SET note = 'seen' WHERE id = :id"), {"id": number})
        connection.execute(text("DELETE FROM visits WHERE id = :id"), {"id": number})
""")  # fmt: skip
    assert end.returncode == 8, end.output
    assert "3 rows" in end.output


def test_a_refusal_that_was_swallowed_stops_the_same_text(project: Project, forks: ForkServer) -> None:
    end = run(project, forks, """
update = text("UPDATE visits SET note = 'seen' WHERE id = :id")
with db.engine.connect() as connection:
    for number in range(1, 4):
        connection.execute(update, {"id": number})
    connection.execute(text("DELETE FROM visits WHERE id = 5"))
    try:
        connection.commit()
    except Exception:
        connection.rollback()
    connection.execute(update, {"id": 1})
    connection.commit()
""")  # fmt: skip
    assert end.returncode == 8, end.output


def test_a_change_of_the_schema_in_between_is_checked_with_what_comes_after(
    project: Project, forks: ForkServer
) -> None:
    """A new trigger may delete what an update did not."""
    trigger = {
        "sqlite": "CREATE TRIGGER gone AFTER UPDATE ON visits BEGIN DELETE FROM visits WHERE id = 5; END",
        "postgresql": "CREATE RULE gone AS ON UPDATE TO visits DO ALSO DELETE FROM visits WHERE id = 5",
    }["sqlite" if project.url.startswith("sqlite") else "postgresql"]
    end = run(project, forks, f"""
update = text("UPDATE visits SET note = 'seen' WHERE id = :id")
with db.engine.begin() as connection:
    for number in range(1, 4):
        connection.execute(update, {{"id": number}})
    connection.execute(text("{trigger}"))
    for number in range(1, 4):
        connection.execute(update, {{"id": number}})
""")  # fmt: skip
    assert end.returncode == 8, end.output
    assert "1 row" in end.output


def test_a_runner_lock_that_is_lost_is_noticed_among_them(scene: Scene, rendezvous: Rendezvous) -> None:
    scene.script(f"""
update = text("UPDATE cars SET note = 'seen' WHERE id = :id")
with db.engine.begin() as connection:
    connection.execute(update, {{"id": 1}})
    connection.execute(update, {{"id": 1}})
    {rendezvous.line}
    while True:
        connection.execute(update, {{"id": 2}})
""")
    runner = scene.start()
    rendezvous.wait()
    holder = scene.value("SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory'"
                         " AND mode = 'ExclusiveLock' AND datname = current_database()")  # fmt: skip
    assert isinstance(holder, int)
    end_session(scene.url, holder)
    rendezvous.let_go()
    end = runner.wait()
    assert end.returncode == 5, end.output
    assert "was undone completely" in end.output
