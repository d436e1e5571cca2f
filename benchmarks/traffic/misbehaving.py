"""Scripts that keep a lock for longer than they should, each in its own way: how long does the application wait for them?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psycopg

from benchmarks.measure import Command
from benchmarks.peers.project import PYTHON
from benchmarks.traffic.figures import Figures, Promise
from benchmarks.traffic.run import Run
from benchmarks.traffic.tools import Tool
from tests.support.projects import make_project
from tests.support.scripts import Template, write_script

OVER_BUDGET = 0.100
"""Seconds by which the longest transaction may exceed the budget: it is due before it waits, and ends after it."""
STALLS_IN_BUDGETS = 10
LONGEST_ALTERS = 10.0
"""Seconds that several brief changes of a large table may take in all."""
STALL = 3
"""Seconds for which a script does nothing while it holds its lock."""
COLUMNS = ("extra_1", "extra_2", "extra_3", "extra_4")
MAKE_NOTES = "CREATE TABLE notes (id INTEGER)"
MAKE_COLUMNS = "ALTER TABLE orders " + ", ".join(f"ADD COLUMN {name} TEXT DEFAULT 'x'" for name in COLUMNS)
LOCK = """
import time
with db.engine.begin() as connection:
    connection.execute(text("ALTER TABLE orders ADD COLUMN extra_5 TEXT"))
"""
COPY_IN = f"""{LOCK}
    with connection.connection.cursor() as cursor, cursor.copy("COPY notes (id) FROM STDIN") as copy:
        copy.write_row((1,))
        time.sleep({STALL})
        copy.write_row((2,))
"""
COPY_OUT = f"""{LOCK}
    with connection.connection.cursor() as cursor, cursor.copy("COPY orders TO STDOUT") as copy:
        copy.read()
        time.sleep({STALL})
        copy.read()
"""
IDLE = f"""{LOCK}
    time.sleep({STALL})
    connection.execute(text("SELECT 1"))
"""
SWALLOWED = f"""{LOCK}
    connection.execute(text("DO $$ BEGIN PERFORM pg_sleep({STALL});"
        " EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep({STALL}); END $$"))
"""
RAW_CONNECTION = f"""
import time
session = db.engine.raw_connection()
with session.cursor() as cursor:
    cursor.execute("ALTER TABLE orders ADD COLUMN extra_5 TEXT")
    time.sleep({STALL})
    cursor.execute("SELECT 1")
session.commit()
"""
OWN_SESSION = f"""
import psycopg, time
with psycopg.connect(os.environ["DATABASE_URL"]) as session:
    session.execute("ALTER TABLE orders ADD COLUMN extra_5 TEXT")
    time.sleep({STALL})
    session.execute("SELECT 1")
"""
IN_A_THREAD = f"""
import threading, time
def work():
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE orders ADD COLUMN extra_5 TEXT"))
        time.sleep({STALL})
        connection.execute(text("SELECT 1"))
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
LONG_UPDATE = "op.execute('UPDATE orders SET printed = printed')"


def alter(*clauses: str) -> str:
    """A statement for each of the ``clauses``, all in one transaction."""
    lines = [f"    connection.execute(text({f'ALTER TABLE orders {clause}'!r}))" for clause in clauses]
    return "\n".join(["with db.engine.begin() as connection:", *lines])


class Case(NamedTuple):
    """A script that is applied under load. ``before`` is what the database needs for it. ``must_succeed``: in ten seconds."""

    name: str
    apply: str
    before: str = ""
    template: Template = "raw"
    must_succeed: bool = False


CASES = (
    Case("COPY in", COPY_IN, MAKE_NOTES),
    Case("COPY out", COPY_OUT),
    Case("idle", IDLE),
    Case("swallowed", SWALLOWED),
    Case("op.execute", LONG_UPDATE, template="bare"),
    Case(
        "4 DROP COLUMN", alter(*(f"DROP COLUMN {name}" for name in COLUMNS)), MAKE_COLUMNS, must_succeed=True
    ),
    Case(
        "4 ADD COLUMN", alter(*(f"ADD COLUMN {name} TEXT DEFAULT 'x'" for name in COLUMNS)), must_succeed=True
    ),
    Case("raw connection", RAW_CONNECTION),
    Case("own session", OWN_SESSION),
    Case("thread", IN_A_THREAD),
)
MUST_SUCCEED = frozenset(case.name for case in CASES if case.must_succeed)


def create(case: Case, folder: Path, url: str, budget: str) -> Command:
    """Write the project of a case and prepare the database; the command applies the script."""
    project = make_project(folder, url, "light")
    script = write_script(project.migrations, "001_misbehave.py", case.apply, template=case.template)
    script.write_text(script.read_text() + '\ndiscards_data = "the benchmark does without"\n')
    if case.before:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(case.before.encode())
    options: list[str | Path] = ["--dir", project.migrations, "--blocking-budget", budget]
    return Command([PYTHON, "-m", "nonstop", "apply", *options], folder, project.environment)


def tools(cases: Sequence[Case] = CASES) -> list[Tool]:
    """The cases in the shape of tools that migrate."""
    makers: list[tuple[str, Callable[[Path, str, str], Command]]] = [
        (case.name, partial(create, case)) for case in cases
    ]
    return [Tool(name, make, "nonstop", "sqlalchemy", is_ours=True, is_001=False) for name, make in makers]


def promises(run: Run, figures: Figures, budget: float, look_at_times: bool) -> list[Promise]:
    """What is promised whatever a script does. ``budget`` is in seconds."""
    if run.migration is None:
        return []
    found = [Promise(run.name, "errors", figures.errors, 0)]
    if run.tool in MUST_SUCCEED:
        found.append(Promise(run.name, "exit code", run.migration.returncode, 0))
    if look_at_times:
        found += [
            Promise(run.name, "longest in ms", figures.longest_ms, (budget + OVER_BUDGET) * 1000),
            Promise(run.name, "stalls in ms", figures.stalled_ms, STALLS_IN_BUDGETS * budget * 1000),
        ]
        if run.tool in MUST_SUCCEED:
            found.append(Promise(run.name, "seconds", run.migration.seconds, LONGEST_ALTERS))
    return found
