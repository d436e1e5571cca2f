"""What the tests of the operations share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nonstop.databases import open_database
from nonstop.descriptions.operations import Operation
from nonstop.operations import steps_for
from tests.support.forked import ForkServer
from tests.support.operations import Trial, send
from tests.support.stage import Stage, fill


@pytest.fixture
def trial(database_url: str, migrations: Path) -> Trial:
    """The same body on both databases, with a table ``orders`` of two rows."""
    return _with_orders(database_url, migrations)


@pytest.fixture
def postgres_trial(postgres_url: str, migrations: Path) -> Trial:
    """The same for what only PostgreSQL has."""
    return _with_orders(postgres_url, migrations)


def _with_orders(url: str, migrations: Path) -> Trial:
    send(
        url,
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, vin VARCHAR(50), plate VARCHAR(20))",
        "INSERT INTO orders VALUES (1, 'a', 'x'), (2, 'b', 'x')",
    )
    return Trial(url, migrations)


@pytest.fixture
def stage(database_url: str, migrations: Path, forks: ForkServer) -> Stage:
    """An empty stage on each database in turn."""
    return Stage(database_url, migrations, forks)


@pytest.fixture
def postgres_stage(postgres_url: str, migrations: Path, forks: ForkServer) -> Stage:
    return Stage(postgres_url, migrations, forks)


@pytest.fixture
def sqlite_stage(sqlite_url: str, migrations: Path, forks: ForkServer) -> Stage:
    return Stage(sqlite_url, migrations, forks)


@pytest.fixture
def orders(stage: Stage) -> Stage:
    """A table of orders with a few rows, and what a table can have beside columns."""
    fill(stage)
    return stage


@pytest.fixture
def emitted() -> Callable[[Operation, str], list[str]]:
    """``emitted(operation, "postgresql")``: the SQL that would be sent; there is no server at the address."""

    def statements(operation: Operation, dialect: str) -> list[str]:
        address = {
            "postgresql": "postgresql://nobody@localhost:1/none",
            "sqlite": "sqlite:////nowhere/none.db",
        }
        steps = steps_for(operation, open_database(address[dialect]))
        return [statement for step in steps for statement in step.statements]

    return statements
