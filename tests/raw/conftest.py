"""What the tests of scripts that know nothing of nonstop share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.projects import Project, make_project
from tests.support.rendezvous import Rendezvous


@pytest.fixture
def light_project(tmp_path: Path, database_url: str) -> Project:
    """An application without Flask, which starts faster, on both databases."""
    return make_project(tmp_path / "project", database_url, "light")


@pytest.fixture
def postgres_project(tmp_path: Path, postgres_url: str) -> Project:
    """The same on PostgreSQL only."""
    return make_project(tmp_path / "project", postgres_url, "light")


@pytest.fixture
def rendezvous(tmp_path: Path) -> Iterator[Rendezvous]:
    """Where a script waits for the test."""
    meeting = Rendezvous(tmp_path)
    yield meeting
    meeting.close()
