"""On SQLite one writes at a time: for how long a script made the others wait is measured, and said if it was long."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from nonstop.databases import open_database
from nonstop.descriptions.results import ScriptOutcome
from nonstop.descriptions.scripts import Direction
from nonstop.plan import Request
from nonstop.runner import Runner
from tests.support.operations import Trial, send
from tests.support.rendezvous import Rendezvous
from tests.support.snapshots import sqlite_file
from tests.support.waiting import until

UPDATE = "UPDATE orders SET vin = 'c'"
TRANSACTION = f'with engine.begin() as connection:\n    connection.execute(text("{UPDATE}"))\n'
HOLDING = {
    "a transaction": TRANSACTION + "    MEET",
    "op.execute": f'op.execute("{UPDATE}")\nMEET',
    "a rebuild": "op.set_not_null('orders', 'vin')\nMEET",
}


@pytest.fixture
def meeting(tmp_path: Path) -> Iterator[Rendezvous]:
    with closing(Rendezvous(tmp_path)) as rendezvous:
        yield rendezvous


def apply(url: str, folder: Path, budget_ms: int) -> ScriptOutcome:
    result = Runner(open_database(url), folder, lock_timeout=20, blocking_budget_ms=budget_ms).apply(
        Request(Direction.APPLY)
    )
    assert result.error is None, result.error
    return result.outcomes[0]


@pytest.mark.parametrize("lines", HOLDING.values(), ids=HOLDING)
def test_as_long_as_the_write_lock_is_held(
    sqlite_url: str, migrations: Path, meeting: Rendezvous, lines: str
) -> None:
    trial = Trial(sqlite_url, migrations)
    send(
        sqlite_url,
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, vin TEXT)",
        "INSERT INTO orders VALUES (1, 'a')",
    )
    trial.raw(f"import os\n{lines.replace('MEET', meeting.line)}")
    outcomes: list[ScriptOutcome] = []
    runner = threading.Thread(target=lambda: outcomes.append(apply(trial.url, trial.folder, 1)))
    runner.start()
    meeting.wait()
    started = time.monotonic()
    with closing(sqlite3.connect(sqlite_file(trial.url), timeout=0)) as other:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO orders (id) VALUES (9)")
        until(lambda: time.monotonic() > started + 0.05)
        held_ms = (time.monotonic() - started) * 1000
        meeting.let_go()
        runner.join()
    (outcome,) = outcomes
    assert outcome.writers_waited_ms is not None
    assert held_ms <= outcome.writers_waited_ms <= outcome.duration_ms + 1
    assert f"other writers may have waited for up to {outcome.writers_waited_ms} ms" in outcome.notes[-1]
    assert "journal_mode = WAL" in outcome.notes[-1]


def test_the_longest_of_several_and_not_their_sum(sqlite_url: str, migrations: Path) -> None:
    with closing(sqlite3.connect(sqlite_file(sqlite_url))) as database:
        database.executescript("PRAGMA journal_mode = WAL; CREATE TABLE orders (id INTEGER)")
    trial = Trial(sqlite_url, migrations)
    write = (
        "with engine.begin() as connection:\n    connection.execute(text('INSERT INTO orders VALUES (1)'))\n"
    )
    pause = "import time\nwith engine.connect() as connection:\n    connection.execute(text('SELECT 1'))\n    time.sleep(0.3)\n"
    trial.raw(write + pause + write)
    outcome = apply(sqlite_url, migrations, 500)
    assert outcome.writers_waited_ms is not None
    assert outcome.writers_waited_ms <= outcome.duration_ms - 300


def test_in_wal_mode_nothing_is_advised(sqlite_url: str, migrations: Path) -> None:
    with closing(sqlite3.connect(sqlite_file(sqlite_url))) as database:
        database.executescript("PRAGMA journal_mode = WAL; CREATE TABLE orders (id INTEGER)")
    trial = Trial(sqlite_url, migrations)
    trial.raw("import time\nop.execute('INSERT INTO orders VALUES (1)')\ntime.sleep(0.01)")
    (note,) = apply(sqlite_url, migrations, 1).notes
    assert note.startswith("other writers may have waited for up to ")
    assert "WAL" not in note


def test_on_postgresql_it_is_no_matter_of_the_whole_database(postgres_trial: Trial) -> None:
    postgres_trial.script("op.add_column('orders', Column('a', Integer))")
    (outcome,) = postgres_trial.apply().outcomes
    assert outcome.writers_waited_ms is None
