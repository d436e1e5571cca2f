"""What a killed runner was doing ends with it, instead of going on and committing (C15)."""

from __future__ import annotations

import pytest

from tests.guard.conftest import Scene
from tests.support.scripts import sql
from tests.support.sessions import at_work
from tests.support.snapshots import applied
from tests.support.waiting import until

# The server would go on with it for a minute, and then commit: psql would see the change long after the kill.
CHANGE_LATE = "DO $$ BEGIN PERFORM pg_sleep(600); UPDATE cars SET note = 'by an orphan'; END $$"
FORMS = {"op": f'op.execute("{CHANGE_LATE}")', "raw": sql(CHANGE_LATE), "raw autocommit": f"""
with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    connection.execute(text({CHANGE_LATE!r}))
"""}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_c15_the_statement_of_a_killed_runner_ends_and_changes_nothing(scene: Scene, form: str) -> None:
    scene.script(FORMS[form], "bare" if form == "op" else "raw")
    runner = scene.start()
    until(lambda: at_work(scene.url, CHANGE_LATE))
    runner.kill()
    assert runner.wait().was_killed
    until(lambda: not at_work(scene.url, CHANGE_LATE))
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'by an orphan'") == 0
    assert applied(scene.url) == []
    replacement = scene.project.migrations / "001_script.py"
    replacement.write_text(replacement.read_text().replace("PERFORM pg_sleep(600);", ""))
    end = scene.start().wait()
    assert end.returncode == 0, end.output
    assert scene.value("SELECT count(*) FROM cars WHERE note = 'by an orphan'") == 3
