"""What the tests of the operations share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.operations import Trial, send


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
