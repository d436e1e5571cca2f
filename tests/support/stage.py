"""A database with tables, and scripts of ``op`` that do something to it and undo it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from nonstop.databases.fingerprint import Fingerprint
from tests.support.databases import engine_for
from tests.support.fingerprint import fingerprint, rows
from tests.support.forked import Ended, ForkServer

SCRIPT = '''\
"""Migration {number}."""

from nonstop import op
from sqlalchemy import Column, Integer, String, func, text


def apply():
    {apply}


def rollback():
    {rollback}
'''


@contextmanager
def closing_engine(url: str) -> Iterator[Engine]:
    """An engine whose connections are closed at the end of the block."""
    engine = engine_for(url)
    try:
        yield engine
    finally:
        engine.dispose()


@dataclass(frozen=True)
class Stage:
    """A database with its tables, and a folder of scripts."""

    url: str
    folder: Path
    forks: ForkServer

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    def sql(self, *statements: str) -> None:
        """Send statements from outside, as an application would."""
        with closing_engine(self.url) as engine, engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def value(self, query: str) -> object:
        """The first value of a query, asked from outside."""
        with closing_engine(self.url) as engine, engine.connect() as connection:
            return connection.execute(text(query)).scalar()

    def script(self, number: int, apply: str, rollback: str = "pass") -> None:
        """Write a script with these lines."""
        source = SCRIPT.format(
            number=number, apply=apply.replace("\n", "\n    "), rollback=rollback.replace("\n", "\n    ")
        )
        (self.folder / f"{number:03}_script.py").write_text(source, encoding="utf-8")

    def run(self, *arguments: str) -> Ended:
        return self.forks.run(*arguments, "--dir", str(self.folder), env={"DATABASE_URL": self.url})

    def look(self) -> Fingerprint:
        return fingerprint(self.url)

    def round_trip(self, apply: str, rollback: str) -> tuple[Fingerprint, Fingerprint]:
        """Apply, again, roll back, again, apply: the schema before and after, which must come back each time."""
        self.script(1, apply, rollback)
        before, data = self.look(), rows(self.url)
        self._expect("apply")
        after = self.look()
        self._expect("rollback", "--yes")
        assert self.look() == before
        assert rows(self.url) == data
        self._expect("apply")
        assert self.look() == after
        self.script(2, apply, rollback)
        assert "is so already" in self._expect("apply").output
        assert self.look() == after
        self._expect("rollback", "--yes")
        assert self.look() == before
        assert rows(self.url) == data
        return before, after

    def fails(self, apply: str, *words: str) -> str:
        """Apply a script that can't be: it says ``words``, and nothing has changed."""
        self.script(1, apply)
        before = self.look()
        ended = self.run("apply")
        assert ended.returncode == 4, ended.output
        for word in words:
            assert word in ended.output, ended.output
        assert self.look() == before
        return ended.output

    def _expect(self, *arguments: str) -> Ended:
        ended = self.run(*arguments)
        assert ended.returncode == 0, ended.output
        return ended


def fill(stage: Stage) -> None:
    """Make ``customers`` and ``orders`` with three rows each."""
    stage.sql(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL)",
        "CREATE TABLE orders (id INTEGER NOT NULL, customer_id INTEGER, status VARCHAR(20) DEFAULT 'new',"
        " amount INTEGER NOT NULL, note TEXT, CONSTRAINT positive CHECK (amount > 0))",
        "CREATE INDEX idx_orders_amount ON orders (amount)",
        "INSERT INTO customers VALUES (1, 'a'), (2, 'b'), (3, 'c')",
        "INSERT INTO orders (id, customer_id, amount) VALUES (1, 1, 10), (2, 2, 20), (3, NULL, 30)",
    )
