"""``plan --sql`` calls the scripts' functions where they can't reach the database: whatever they do, nothing happens to it."""

from __future__ import annotations

import pytest

from tests.support.project_commands import ProjectCommands
from tests.support.projects import make_project
from tests.support.scripts import write_script
from tests.support.snapshots import snapshot

DELETES = {
    "a driver": """
import os, psycopg, sqlite3
url = os.environ["DATABASE_URL"]
if url.startswith("sqlite"):
    with sqlite3.connect(TARGET.removeprefix("sqlite:///")) as connection:
        connection.execute("DELETE FROM t1")
else:
    with psycopg.connect(TARGET) as connection:
        connection.execute("DELETE FROM t1")
""",
    "a child": """
import subprocess, sys
program = f"import sqlite3, psycopg; u = {TARGET!r}; c = sqlite3.connect(u[10:]) if u.startswith('sqlite') else psycopg.connect(u); c.execute('DELETE FROM t1'); c.commit()"
subprocess.run([sys.executable, "-c", program])
""",
    "an engine": """
with db.engine.begin() as connection:
    connection.execute(text("DELETE FROM t1"))
""",
}


@pytest.mark.parametrize("lines", DELETES.values(), ids=DELETES)
def test_what_a_script_does_behind_our_back_does_not_reach_the_database(
    run: ProjectCommands, lines: str
) -> None:
    name = "t1"
    write_script(
        run.folder, "001_make.py",
        f'''
with db.engine.begin() as connection:
    connection.execute(text("CREATE TABLE {name} (id INTEGER)"))
    connection.execute(text("INSERT INTO {name} VALUES (1)"))
''',
    )  # fmt: skip
    run.succeeds("apply")
    write_script(run.folder, "002_delete.py", f"TARGET = {run.project.url!r}\n{lines}")
    before = snapshot(run.project.url)
    done = run("plan", "--sql")
    assert done.returncode == 0, done.stderr
    assert "-- 002_delete: apply" in done.stdout
    assert snapshot(run.project.url) == before


def test_an_application_that_connects_while_it_is_imported_can_be_planned(run: ProjectCommands) -> None:
    project = make_project(run.project.folder.parent / "creating", run.project.url)
    application = project.folder / "app.py"
    create = 'with app.app_context():\n    db.session.execute(db.text("CREATE TABLE IF NOT EXISTS early (id INTEGER)"))\n    db.session.commit()\n'
    application.write_text(application.read_text(encoding="utf-8") + create, encoding="utf-8")
    write_script(project.migrations, "001_x.py", "import nonstop\nnonstop.op.drop_table('notes')")
    before = snapshot(project.url)
    done = ProjectCommands.of(project, run.cli)("plan", "--sql")
    assert done.returncode == 0, done.stderr
    assert "DROP TABLE notes;" in done.stdout
    assert snapshot(project.url) == before


def test_what_a_script_prints_meanwhile_is_shown_beside_the_plan(run: ProjectCommands) -> None:
    write_script(run.folder, "001_x.py", "print('dropping')\nfrom nonstop import op\nop.drop_table('notes')")
    done = run("plan", "--sql")
    assert "dropping" in done.stderr
    assert "dropping" not in done.stdout


@pytest.mark.parametrize("lines", ["import os\nos._exit(3)", "import os\nos.kill(os.getpid(), 9)"])
def test_a_script_that_ends_its_process_is_named(run: ProjectCommands, lines: str) -> None:
    write_script(run.folder, "001_x.py", lines)
    run.fails(
        "plan", "--sql", exit_code=4, says="001_x.py: its SQL can't be shown", next_step="plan without --sql"
    )
