"""Any sequence of what people and machines do to migrations keeps ledger and schema in agreement.

Each script makes one table, so a table stands for its script. Whatever happened, a table is there exactly if the ledger
calls its script applied; only a script that was killed after a part of it had been committed may be half-way, and
the ledger says so. ``status`` works all along.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from nonstop.databases import open_database
from nonstop.runner import Runner
from tests.support.databases import fresh_database
from tests.support.forked import Ended, ForkServer
from tests.support.postgres_server import Server
from tests.support.projects import make_project
from tests.support.scripts import sql, write_script
from tests.support.snapshots import applied, ledger, sqlite_file
from tests.support.tiers import times

NUMBERS = st.integers(1, 6)
KINDS = st.sampled_from(["one transaction", "a transaction each", "op"])
POINTS = st.integers(1, 36)
"""When a run kills itself; some have ended by then."""


class Migrating(RuleBasedStateMachine):
    """A folder of scripts and a database, in the hands of people who don't care."""

    forks: ForkServer
    server: Server | None = None

    def __init__(self) -> None:
        super().__init__()
        self.things = ExitStack()
        folder = Path(self.things.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'database.db'}"
        if self.server is not None:
            url = self.things.enter_context(fresh_database(self.server.url))
        self.project = make_project(folder / "project", url, "light")
        self.removed: dict[int, str] = {}
        self.edits = 0

    def teardown(self) -> None:
        self.things.close()

    # --- what is there ----------------------------------------------------------------------------

    @property
    def files(self) -> dict[int, Path]:
        return {int(path.name[:3]): path for path in self.project.migrations.glob("0*.py")}

    def tables(self) -> set[int]:
        """The numbers of the tables that are there."""
        if self.server is not None:
            with psycopg.connect(self.project.url) as connection:
                names = connection.execute("SELECT relname FROM pg_class WHERE relkind = 'r'").fetchall()
        else:
            with closing(sqlite3.connect(sqlite_file(self.project.url))) as database:
                names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {int(name.removeprefix("table_")) for (name,) in names if name.startswith("table_")}

    def half_way(self) -> set[int]:
        """The numbers of scripts of which something, but not all, was committed."""
        return {
            number
            for number, position, *_ in ledger(self.project.url).get("nonstop_steps", [])
            if position > 0
        }

    # --- people edit ------------------------------------------------------------------------------

    @initialize(kinds=st.permutations(["one transaction", "a transaction each", "op"]))
    def begin_with_three_scripts(self, kinds: list[str]) -> None:
        for number, kind in enumerate(kinds, start=1):
            self.add_a_file(number, kind)

    @rule(number=NUMBERS, kind=KINDS)
    def add_a_file(self, number: int, kind: str) -> None:
        if number in self.files or number in self.removed:
            return
        table = f"table_{number}"
        create, drop = f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER)", f"DROP TABLE IF EXISTS {table}"
        name = f"{number:03}_make.py"
        if kind == "op":
            create_table = f'op.create_table("{table}", Column("id", Integer), Column("note", String(9)))'
            index = f'op.create_index("by_note_{number}", "{table}", ["note"])'
            write_script(
                self.project.migrations, name, f"{create_table}\n{index}", f'op.drop_table("{table}")', "op"
            )
        elif kind == "one transaction":
            write_script(self.project.migrations, name, sql(create, f"DELETE FROM {table}"), sql(drop))
        else:
            fill = f"INSERT INTO {table} VALUES (1)"
            write_script(
                self.project.migrations,
                name,
                sql(create, fill, fill, transactions="each"),
                sql(drop, create, drop, transactions="each"),
            )

    @precondition(lambda self: self.files)
    @rule(data=st.data(), change=st.sampled_from(["comment", "program", "back", "remove"]))
    def change_a_file(self, data: st.DataObject, change: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.files)))
        path, source = self.files[number], self.files[number].read_text()
        self.edits += 1
        match change:
            case "comment":
                path.write_text(f"{source}# edit {self.edits}\n")
            case "program":
                path.write_text(f"{source}EDIT = {self.edits}\n")
            case "back":
                path.write_text(
                    "".join(line for line in source.splitlines(True) if "edit" not in line.lower())
                )
            case "remove":
                self.removed[number] = source
                path.unlink()

    @precondition(lambda self: self.removed)
    @rule()
    def bring_the_removed_files_back(self) -> None:
        for number, source in self.removed.items():
            (self.project.migrations / f"{number:03}_make.py").write_text(source)
        self.removed.clear()

    # --- people run -------------------------------------------------------------------------------

    @rule(flags=st.sets(st.sampled_from(["--out-of-order", "--allow-edited"])))
    def apply(self, flags: set[str]) -> None:
        if self.run("apply", *sorted(flags)).returncode == 0:
            assert set(self.files) <= set(applied(self.project.url))
            assert not self.half_way() & set(self.files)

    @precondition(lambda self: self.files)
    @rule(data=st.data(), which=st.sampled_from(["--to", "--only"]))
    def apply_some(self, data: st.DataObject, which: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.files)))
        if self.run("apply", which, str(number)).returncode == 0:
            assert number in applied(self.project.url)

    @rule()
    def rollback(self) -> None:
        if self.run("rollback").returncode == 0:
            assert applied(self.project.url) == []
            assert self.tables() == set()

    @rule(number=NUMBERS, which=st.sampled_from(["--to", "--only", "--steps", "--last-run"]))
    def rollback_some(self, number: int, which: str) -> None:
        before = applied(self.project.url)
        arguments = [which] if which == "--last-run" else [which, str(number)]
        if self.run("rollback", *arguments).returncode == 0:
            after = applied(self.project.url)
            assert set(after) <= set(before)
            if which == "--only":
                assert number not in after
            if which == "--to":
                assert all(kept <= number for kept in after)

    @precondition(lambda self: self.files)
    @rule(verb=st.sampled_from(["apply", "rollback"]), point=POINTS)
    def be_killed(self, verb: str, point: int) -> None:
        """Where there is nothing to do in one direction there is in the other."""
        done = set(applied(self.project.url))
        if not done:
            verb = "apply"
        elif set(self.files) <= done:
            verb = "rollback"
        self.run(verb, "--allow-edited", kill_at=point)

    def run(self, *arguments: str, kill_at: int | None = None) -> Ended:
        """Run a command: it does what it should, or refuses (4), or is killed; it never fails."""
        ended = self.forks.run(
            *arguments, "--dir", self.project.migrations, env=self.project.environment, kill_at=kill_at
        )
        assert "Traceback" not in ended.output
        assert ended.was_killed or ended.returncode in (0, 4) or self.names_no_script(ended), ended
        return ended

    @staticmethod
    def names_no_script(ended: Ended) -> bool:
        return ended.returncode == 2 and "there is no script with the number" in ended.output

    # --- what holds all along ---------------------------------------------------------------------

    @invariant()
    def ledger_and_schema_agree(self) -> None:
        half_way = self.half_way()
        assert self.tables() - half_way == set(applied(self.project.url)) - half_way

    @invariant()
    def status_works_and_knows_every_number(self) -> None:
        status = Runner(open_database(self.project.url), self.project.migrations).status()
        known = {row.number for row in status.migrations}
        assert known == set(self.files) | set(applied(self.project.url)) | (
            known & self.half_way() | self.started()
        )
        done = {row.number for row in status.migrations if not row.state.is_pending}
        assert done <= set(applied(self.project.url))

    def started(self) -> set[int]:
        return {number for number, *_ in ledger(self.project.url).get("nonstop_steps", [])}


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    with closing(ForkServer(tmp_path_factory.mktemp("forks"))) as server:
        yield server


def explore(machine: type[Migrating], examples: int, steps: int) -> None:
    """The same sequences each time: what fails once fails again."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_on_sqlite(forks: ForkServer) -> None:
    explore(type("OnSQLite", (Migrating,), {"forks": forks}), examples=times(quick=5, thorough=25), steps=16)


def test_on_postgresql(forks: ForkServer, postgres_server: Server) -> None:
    machine = type("OnPostgreSQL", (Migrating,), {"forks": forks, "server": postgres_server})
    explore(machine, examples=times(quick=2, thorough=6), steps=12)
