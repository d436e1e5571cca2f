"""What all tools have in common: a database, a project folder, and N scripts that create one table each."""

from __future__ import annotations

import sqlite3
import sys
import sysconfig
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Command

PYTHON = sys.executable


class Target(NamedTuple):
    """The database of one project; ``path`` is its file on SQLite, else None. ``url`` is as SQLAlchemy reads it."""

    url: str
    path: Path | None

    def forget(self) -> None:
        """Take the SQLite database away, with everything that tools have put beside its file."""
        if self.path is not None:
            for file in self.path.parent.glob(f"{self.path.name}*"):
                file.unlink()

    def count_tables(self) -> int:
        """How many tables the scripts have made."""
        query = "SELECT count(*) FROM {} WHERE {} LIKE '%table\\_%' ESCAPE '\\'"
        if self.path is not None:
            connection = sqlite3.connect(self.path)
            try:
                return int(connection.execute(query.format("sqlite_master", "name")).fetchone()[0])
            finally:
                connection.close()
        import psycopg

        with psycopg.connect(self.url) as server:
            row = server.execute(
                "SELECT count(*) FROM pg_tables WHERE strpos(tablename, 'table_') > 0"
            ).fetchone()
            return int(row[0]) if row else 0


class Project(NamedTuple):
    """A tool's folder with its scripts, and the commands on it. ``prepare`` brings the database up to date."""

    apply: Command
    status: Command
    prepare: Command


class Peer(NamedTuple):
    """A tool. ``create(folder, scripts, target)`` writes a project; ``distribution`` is its name on PyPI.

    ``module`` (or ``program``) must be there for it to run; ``fixed_scripts`` is set where it brings its own.
    """

    name: str
    distribution: str
    create: Callable[[Path, int, Target], Project]
    module: str = ""
    program: str = ""
    fixed_scripts: int | None = None

    @property
    def is_installed(self) -> bool:
        return (not self.module or find_spec(self.module) is not None) and (
            not self.program or program(self.program).exists()
        )


def program(name: str) -> Path:
    """A program that was installed beside this Python."""
    return Path(sysconfig.get_path("scripts"), name)


def tables(scripts: int) -> Iterator[tuple[int, str]]:
    """The number of each script and the table that it creates."""
    for number in range(1, scripts + 1):
        yield number, f"table_{number:05d}"


def write(path: Path, text: str) -> None:
    """Write a file, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def with_driver(url: str, driver: str) -> str:
    """The address with another name of scheme and driver, such as ``postgresql+psycopg``."""
    return url if url.startswith("sqlite") else f"{driver}://{url.partition('://')[2]}"
