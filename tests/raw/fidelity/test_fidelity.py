"""A raw script ends under nonstop exactly as it ends in plain Python, or is refused with nothing changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.raw.fidelity import cases, generated, threads
from tests.raw.fidelity.case import Case
from tests.support.databases import fresh_database
from tests.support.fingerprint import look
from tests.support.forked import ForkServer
from tests.support.postgres_server import Server
from tests.support.snapshots import sqlite_file

ALL = [
    (case, database)
    for case in (*cases.CASES, *threads.CASES, *generated.CASES)
    for database in case.databases
]
SHARE = 5
"""The quick tier runs every fifth."""
REFUSED = (2, 4, 8)


@pytest.fixture
def new_database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """``new_database("postgresql")`` makes an empty one and gives its URL."""
    with ExitStack() as databases:

        def make(kind: str) -> str:
            if kind == "sqlite":
                return f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"
            server: Server = request.getfixturevalue("postgres_server")
            return databases.enter_context(fresh_database(server.url))

        numbers = count(1)
        yield make


def state(url: str) -> object:
    """Schema and rows, without nonstop's own tables."""
    return look(url)


def set_up(url: str, setup: str) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(sqlite_file(url))) as database:
            database.executescript(setup)
    elif setup:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(setup.encode())


def test_there_are_many() -> None:
    assert len(ALL) >= 150


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("case", "database"),
    [
        pytest.param(
            case, database, id=f"{case.name}-{database}",
            marks=[
                *([pytest.mark.postgresql] if database == "postgresql" else []),
                *([pytest.mark.thorough] if place % SHARE else []),
            ],
        )
        for place, (case, database) in enumerate(ALL)
    ],
)  # fmt: skip
def test_it_ends_as_in_plain_python(
    case: Case, database: str, tmp_path: Path, new_database: Callable[[str], str], forks: ForkServer
) -> None:
    script = case.write(tmp_path / "project")
    plain_url, url = new_database(database), new_database(database)
    set_up(plain_url, case.setup)
    set_up(url, case.setup)
    before = state(url)
    plain = forks.run(script, env={"DATABASE_URL": plain_url})
    ours = forks.run("apply", "--dir", script.parent, "--deadline", "60s", env={"DATABASE_URL": url})
    told = f"{plain.output}\n--- nonstop: {ours.output}"
    if ours.returncode in REFUSED:
        assert state(url) == before, told
        return
    assert (ours.returncode == 0) is (plain.returncode == 0), told
    if ours.returncode == 1:  # undone, where plain Python leaves half of it
        assert state(url) == before, told
    else:
        assert state(url) == state(plain_url), told
