"""A runner, and an application that must not feel it, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.forked import Ended, Forked, ForkServer
from tests.support.projects import Project, make_project
from tests.support.rendezvous import Rendezvous
from tests.support.scripts import Template, write_script
from tests.support.sessions import sessions_of_runners
from tests.support.waiting import until

BUDGET = "1s"
PATIENCE = "900ms"
"""How long the application waits for a lock: less than the budget."""
LONGEST_RUN = "25s"
"""A runner that never gets through fails its test, and does not hang it."""

Session = psycopg.Connection[Any]


@dataclass(frozen=True)
class Scene:
    """A database with the tables ``cars`` and ``orders``, an application on it, and a folder of scripts."""

    project: Project
    forks: ForkServer
    attempts_file: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    """Variables for every command."""

    @property
    def url(self) -> str:
        return self.project.url

    def as_role(self, url: str) -> Scene:
        """The same for another role, which from now on owns the tables."""
        role = psycopg.conninfo.conninfo_to_dict(url)["user"]
        with psycopg.connect(self.url, autocommit=True) as owner:
            for table in ("cars", "orders"):
                owner.execute(f"ALTER TABLE {table} OWNER TO {role}")
            owner.execute(f"GRANT CREATE ON SCHEMA public TO {role}")
        return replace(self, project=replace(self.project, url=url))

    def script(self, apply: str, template: Template = "raw") -> None:
        """Write the next script; what it does is counted in ``attempts``."""
        number = len(list(self.project.migrations.glob("*.py"))) + 1
        count = f"open({str(self.attempts_file)!r}, 'a').write('.')"
        lines = f"{count}\nattempt = os.path.getsize({str(self.attempts_file)!r})\n{apply}"
        if template == "bare":
            lines = f"import os\n{lines}"
        write_script(self.project.migrations, f"{number:03}_script.py", lines, template=template)

    def start(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Forked:
        """Start ``apply``, with the variables of ``environment`` beside the project's."""
        options = arguments or ("--deadline", LONGEST_RUN)
        return self.forks.start(
            "apply", "--dir", self.project.migrations, "--blocking-budget", BUDGET, *options,
            env={**self.project.environment, **self.settings, **(environment or {})},
        )  # fmt: skip

    def run(self, *arguments: str) -> Ended:
        """Run another command to its end."""
        command, *options = arguments
        return self.forks.start(
            command,
            "--dir",
            self.project.migrations,
            *options,
            env={**self.project.environment, **self.settings},
        ).wait()

    def session(self) -> Session:
        """A session of the application that gives up when it has to wait for as long as ``PATIENCE``."""
        return psycopg.connect(self.url, options=f"-c lock_timeout={PATIENCE}")

    def value(self, query: str) -> object:
        """The first value of a query."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query.encode()).fetchone()
            return row and row[0]

    def has_column(self, table: str, column: str) -> bool:
        return bool(
            self.value(
                f"SELECT true FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attname = '{column}'"
            )
        )

    @property
    def attempts(self) -> int:
        """How often scripts were begun."""
        return self.attempts_file.stat().st_size


@pytest.fixture
def scene(tmp_path: Path, postgres_url: str, forks: ForkServer) -> Iterator[Scene]:
    """Whatever a test does: at its end no session of a runner may be left."""
    with psycopg.connect(postgres_url) as connection:
        for table in ("cars", "orders"):
            connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, note TEXT)".encode())
            connection.execute(f"INSERT INTO {table} VALUES (1, ''), (2, ''), (3, '')".encode())
    yield Scene(make_project(tmp_path / "project", postgres_url, "light"), forks, tmp_path / "attempts")
    until(lambda: not sessions_of_runners(postgres_url))


@pytest.fixture
def online(scene: Scene) -> Scene:
    """The same, where every table is large enough for its plain DDL to be carried out online."""
    return replace(scene, settings={"NONSTOP_ONLINE_ABOVE": "0"})


@pytest.fixture
def rendezvous(tmp_path: Path) -> Iterator[Rendezvous]:
    """Where a script waits for the test."""
    meeting = Rendezvous(tmp_path)
    yield meeting
    meeting.close()


@pytest.fixture
def meanwhile() -> Iterator[Callable[..., Any]]:
    """``meanwhile(function, *arguments)`` calls it on another thread; ask the answer for its ``result()``."""
    with ThreadPoolExecutor() as threads:
        yield threads.submit
