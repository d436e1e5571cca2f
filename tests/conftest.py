"""Fixtures that every test can ask for: fresh databases, projects, and the real command line.

One PostgreSQL server serves the whole run: the process that controls it starts and stops it, pytest-xdist's workers
are told where it is. Each test gets a database of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support import postgres_server, tiers
from tests.support.commands import CommandLine
from tests.support.databases import fresh_database, fresh_role
from tests.support.forked import ForkServer
from tests.support.postgres_server import Server, Unavailable
from tests.support.projects import ApplicationKind, Project, make_project

MEASURED = "COVERAGE_PROCESS_CONFIG"
"""In the environment of a process that is to be measured."""
SERVER = pytest.StashKey[Server | Unavailable]()


# --- the server -----------------------------------------------------------------------------------


def server_of(config: pytest.Config) -> Server | Unavailable:
    """The server of this run, started when it is first asked for, or the reason why there is none."""
    if SERVER not in config.stash:
        config.stash[SERVER] = _received(config) or _started()
    return config.stash[SERVER]


def _received(config: pytest.Config) -> Server | Unavailable | None:
    given: dict[str, Any] | None = getattr(config, "workerinput", {}).get("postgres")
    if given is None:
        return None
    return Unavailable(given["reason"]) if "reason" in given else Server(**given)


def _started() -> Server | Unavailable:
    try:
        return postgres_server.start()
    except Unavailable as error:
        if postgres_server.is_demanded():
            raise pytest.UsageError(str(error)) from None
        return error


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist about the server."""
    server = server_of(node.config)
    node.workerinput["postgres"] = (
        dict(postgres_server.as_worker_input(server))
        if isinstance(server, Server)
        else {"reason": str(server)}
    )


def pytest_report_header() -> list[str]:
    """Say which tests will run, and on which PostgreSQL; it is started when the first of them asks for it."""
    try:
        return [tiers.describe(), f"PostgreSQL: {postgres_server.describe()}"]
    except Unavailable as error:
        raise pytest.UsageError(str(error)) from None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server, unless it belongs to somebody else."""
    server = config.stash.get(SERVER, None)
    if isinstance(server, Server) and not hasattr(config, "workerinput"):
        postgres_server.stop(server)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select this run's tier and part, and mark every test that uses the server before ``-m`` chooses among them."""
    for item in items:
        if "postgres_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgresql)
    if removed := tiers.select(items):
        config.hook.pytest_deselected(items=removed)


@pytest.fixture(autouse=True)
def _children_uncovered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a test is marked ``no_cover``, the processes that it starts aren't measured either.

    Measuring makes a check half as slow again, for it forks dozens of processes: some tests of each kind are enough.
    """
    if request.node.get_closest_marker("no_cover"):
        monkeypatch.delenv(MEASURED, raising=False)


# --- databases ------------------------------------------------------------------------------------


@pytest.fixture(scope="session", name="postgres_server")
def _postgres_server(pytestconfig: pytest.Config) -> Server:
    """The running server; skips the test where there is none."""
    server = server_of(pytestconfig)
    if isinstance(server, Unavailable):
        pytest.skip(str(server))
    return server


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """An empty PostgreSQL database of this test's own."""
    with fresh_database(postgres_server.url) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An SQLite database of this test's own; the file does not exist yet."""
    return f"sqlite:///{tmp_path / 'database.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The same test body on both databases: an empty one of this test's own."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def postgres_role(postgres_url: str) -> Iterator[Callable[..., str]]:
    """``postgres_role(options="", password=None)`` makes a role and gives the database's URL for it."""
    with ExitStack() as roles:
        yield lambda options="", password=None: roles.enter_context(
            fresh_role(postgres_url, options, password)
        )


# --- folders, projects, commands ------------------------------------------------------------------


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """An empty folder for migration files that need no application."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    """A quick application with an empty migrations folder, on both databases."""
    return make_project(tmp_path / "project", database_url, "light")


@pytest.fixture
def project_of_kind(tmp_path: Path, database_url: str) -> Callable[[ApplicationKind], Project]:
    """``project_of_kind("flask")`` makes the project with that application, on both databases."""
    return lambda kind: make_project(tmp_path / "project", database_url, kind)


@pytest.fixture
def cli(tmp_path: Path, forks: ForkServer) -> CommandLine:
    """The real command line: ``cli("apply", "--dir", folder, env={"DATABASE_URL": url})``.

    The thorough tier starts a new interpreter for each command, the quick one a fork.
    """
    home = tmp_path / "home"
    home.mkdir()
    return CommandLine(home, tmp_path, None if tiers.is_thorough() else forks)


@pytest.fixture(scope="session", name="fork_servers")
def _fork_servers() -> Iterator[dict[bool, ForkServer]]:
    """Those of this run, by whether what they start is measured."""
    servers: dict[bool, ForkServer] = {}
    yield servers
    for server in servers.values():
        server.close()


@pytest.fixture
def forks(
    fork_servers: dict[bool, ForkServer], tmp_path_factory: pytest.TempPathFactory, _children_uncovered: None
) -> ForkServer:
    """The command line in processes that start in milliseconds: ``forks.run("apply", "--dir", folder, env={…})``."""
    is_measured = MEASURED in os.environ
    if is_measured not in fork_servers:
        fork_servers[is_measured] = ForkServer(tmp_path_factory.mktemp("forks"))
    return fork_servers[is_measured]
