"""Benches to try corrections out on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.corrections import Bench, make_bench, scratch_file
from tests.support.databases import fresh_database
from tests.support.forked import ForkServer
from tests.support.postgres_server import Server
from tests.support.projects import make_project


@pytest.fixture
def postgres(
    tmp_path: Path, postgres_url: str, postgres_server: Server, forks: ForkServer
) -> Iterator[Bench]:
    """A bench on PostgreSQL."""
    with fresh_database(postgres_server.url) as scratch:
        yield make_bench(make_project(tmp_path / "project", postgres_url, "light"), scratch, forks)


@pytest.fixture
def sqlite(tmp_path: Path, sqlite_url: str, forks: ForkServer) -> Bench:
    """A bench on SQLite."""
    return make_bench(make_project(tmp_path / "project", sqlite_url, "light"), scratch_file(tmp_path), forks)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgresql)])
def bench(request: pytest.FixtureRequest) -> Bench:
    """The same test body on both databases."""
    return request.getfixturevalue(request.param)
