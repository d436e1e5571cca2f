"""Runs a command that is killed at each point in turn, and compares what comes of it with an undisturbed run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.support.databases import with_database
from tests.support.fingerprint import fingerprint, rows
from tests.support.forked import ForkServer
from tests.support.snapshots import applied, ledger, sqlite_file


@contextmanager
def copy_of(url: str) -> Iterator[str]:
    """A copy of a database that nobody is connected to: yields its URL, and removes it at the end."""
    if url.startswith("sqlite"):
        folder = sqlite_file(url).with_name(f"copy-{uuid4().hex[:8]}")
        folder.mkdir()
        if sqlite_file(url).exists():
            shutil.copy(sqlite_file(url), folder / "copy.db")
        yield f"sqlite:///{folder / 'copy.db'}"
        shutil.rmtree(folder)
        return
    name = f"copy_{uuid4().hex[:16]}"
    copied, copy = sql.Identifier(url.rpartition("/")[2].partition("?")[0]), sql.Identifier(name)
    with psycopg.connect(with_database(url, "postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copy, copied))
        try:
            yield with_database(url, name)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(copy))


@dataclass(frozen=True)
class Disturbed:
    """How ``points`` runs ended that were killed; ``astray`` says for those which did not converge how they differ."""

    points: int
    astray: tuple[str, ...]


def kill_at_each_point(forks: ForkServer, verb: str, migrations: Path, url: str) -> Disturbed:
    """Run ``verb`` on copies of a database, killed at the first point, at the second and so on, and then once more.

    It comes to its end where there are no more points, which must be the end of an undisturbed run.
    """

    def run(copy: str, kill_at: int | None = None) -> Any:
        return forks.run(verb, "--dir", migrations, env={"DATABASE_URL": copy}, kill_at=kill_at)

    with copy_of(url) as copy:
        undisturbed = run(copy)
        assert undisturbed.returncode == 0, undisturbed.output
        wanted = _state(copy)
    astray = []
    for point in count():
        with copy_of(url) as copy:
            first = run(copy, kill_at=point)
            last = run(copy) if first.was_killed else first
            if last.returncode != 0:
                astray.append(f"{first.output}then exit code {last.returncode}: {last.output}")
            elif (found := _state(copy)) != wanted:
                astray.append(f"{first.output}then {found} instead of {wanted}")
            if not first.was_killed:
                return Disturbed(point, tuple(astray))
    raise AssertionError("counting never ends")


def _state(url: str) -> tuple[Any, ...]:
    return fingerprint(url), rows(url), applied(url), ledger(url)["nonstop_steps"]
