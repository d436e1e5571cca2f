"""One operation of ``op`` at a time: its SQL without a database, and its way there and back on a real one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from nonstop import maintenance
from nonstop.databases import open_database
from nonstop.databases.fingerprint import Fingerprint
from nonstop.descriptions.operations import current_executor
from nonstop.descriptions.results import RunResult
from nonstop.descriptions.scripts import Direction
from nonstop.errors import NonstopError
from nonstop.operations.executor import SqlCollector
from nonstop.plan import Request
from nonstop.runner import Runner
from tests.support.databases import engine_for
from tests.support.fingerprint import look
from tests.support.scripts import write_script

NOWHERE = {"sqlite": "sqlite:///nowhere.db", "postgresql": "postgresql://nowhere/none"}


def sql_of(dialect: str, call: Callable[[], None]) -> list[str]:
    """The SQL that a call of ``op`` would send to a database that has none of it yet; nothing is connected."""
    collector = SqlCollector(open_database(NOWHERE[dialect]))
    token = current_executor.set(collector)
    try:
        call()
    finally:
        current_executor.reset(token)
    return collector.statements


def send(url: str, *statements: str) -> None:
    """Run statements from outside, each in its own transaction."""
    engine = engine_for(url)
    try:
        for statement in statements:
            with engine.begin() as connection:
                connection.execute(text(statement))
    finally:
        engine.dispose()


@dataclass(frozen=True)
class Trial:
    """A database and a folder of scripts, run by the runner in this very process."""

    url: str
    folder: Path

    @property
    def is_postgresql(self) -> bool:
        return not self.url.startswith("sqlite")

    def script(self, apply: str, rollback: str = "pass", name: str = "001_x.py", before: str = "") -> None:
        """Write a script of these lines; ``before`` stands above its functions."""
        path = write_script(self.folder, name, apply, rollback, template="bare")
        source = path.read_text(encoding="utf-8")
        path.write_text(source.replace("\n\ndef apply", f"\n{before}\n\ndef apply", 1), encoding="utf-8")

    def raw(self, apply: str, rollback: str = "pass", name: str = "001_x.py") -> None:
        """The same with an ``engine`` of the script's own (without a pool: nobody here would empty it)."""
        address = self.url.replace("postgresql://", "postgresql+psycopg://", 1)
        engine = f"from sqlalchemy import NullPool, create_engine, text\nengine = create_engine({address!r}, poolclass=NullPool)"
        self.script(apply, rollback, name, engine)

    @property
    def runner(self) -> Runner:
        return Runner(open_database(self.url), self.folder, lock_timeout=20)

    def run(self, direction: Direction = Direction.APPLY) -> RunResult:
        """Apply or roll back everything; the error, if any, is in the result."""
        return self.runner.apply(Request(direction))

    def apply(self) -> RunResult:
        return _succeeded(self.run())

    def rollback(self) -> RunResult:
        return _succeeded(self.run(Direction.ROLLBACK))

    def failure(self, direction: Direction = Direction.APPLY) -> NonstopError:
        """The error that a run ends with."""
        error = self.run(direction).error
        assert error is not None
        return error

    def forget(self, number: int = 1) -> None:
        """Let the ledger say that a script was never applied, while its effect stays."""
        maintenance.repair(self.runner, mark_pending=number)

    def look(self) -> tuple[Fingerprint, dict[str, tuple[int, str]]]:
        return look(self.url)

    def there_and_back(self) -> Fingerprint:
        """Apply, roll back, apply, and apply once more what is there already: what is seen must fit each time.

        Gives what the database looks like when it is applied.
        """
        before = self.look()
        self.apply()
        there = self.look()
        assert there != before
        self.rollback()
        assert self.look() == before
        self.apply()
        assert self.look() == there
        self.forget()
        (again,) = self.apply().outcomes
        assert any("is so already" in note for note in again.notes)
        assert self.look() == there
        return there[0]


def _succeeded(result: RunResult) -> RunResult:
    assert result.error is None, (result.error.message, result.error.details)
    return result
