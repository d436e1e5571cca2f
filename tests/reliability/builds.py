"""Keeps a concurrent build of an index in a phase of our choice, for as long as a test wants.

The phases are those of ``pg_stat_progress_create_index`` (PostgreSQL manual, "CREATE INDEX Progress Reporting"). Those
that are missing here (sorting, loading, scanning the index) have no place where they could be held: they belong to the
same transaction as their neighbours, so what is killed in them leaves the same behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from typing import Any

import psycopg

from tests.guard.conftest import Scene
from tests.support.forked import Forked
from tests.support.sessions import until_blocked
from tests.support.waiting import until

# The index is over this: whoever holds the advisory lock of a row's note keeps the build at that row.
GATE = """
    CREATE FUNCTION gate(note text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(length(note));
        RETURN note;
    END $$"""
EARLY, LATE = 0, 4  # the lengths of '', which is in each row of the scene, and of 'late'
BUILDERS = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'active' AND query ILIKE 'CREATE%INDEX CONCURRENTLY%'"""
# The view shows the indexes of the ledger's tables too, in the moment in which they are made.
PHASE = """
    SELECT phase FROM pg_stat_progress_create_index
    WHERE datname = current_database() AND command = 'CREATE INDEX CONCURRENTLY'"""


class Phase(StrEnum):
    """In order; the first is before the server reports any."""

    LOCK = "waiting for the lock of the table"
    WRITERS = "waiting for writers before build"
    BUILD = "building index: scanning table"
    NEW_WRITERS = "waiting for writers before validation"
    VALIDATION = "index validation: scanning table"
    SNAPSHOTS = "waiting for old snapshots"


@contextmanager
def build_in(scene: Scene, phase: Phase, *options: str) -> Iterator[Forked]:
    """Start a runner and wait until its build is in ``phase``, where it stays until the block ends."""
    with ExitStack() as obstacles:
        keeper: psycopg.Connection[Any] = obstacles.enter_context(psycopg.connect(scene.url, autocommit=True))
        other: psycopg.Connection[Any] = obstacles.enter_context(psycopg.connect(scene.url))
        match phase:
            case Phase.LOCK:
                other.execute("LOCK TABLE cars IN SHARE UPDATE EXCLUSIVE MODE")
            case Phase.WRITERS:
                other.execute("LOCK TABLE cars IN ROW EXCLUSIVE MODE")
            case Phase.SNAPSHOTS:
                other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                other.execute("SELECT * FROM orders")
            case _:
                keeper.execute("SELECT pg_advisory_lock(%s), pg_advisory_lock(%s)", [EARLY, LATE])
        runner = scene.start(*options)
        if phase in (Phase.NEW_WRITERS, Phase.VALIDATION):
            _until_in(Phase.BUILD, scene, runner)
            if phase is Phase.NEW_WRITERS:
                other.execute("LOCK TABLE cars IN ROW EXCLUSIVE MODE")
            else:  # the build does not see this row any more: it is found by the validation
                other.execute("INSERT INTO cars VALUES (4, 'late')")
                other.commit()
            keeper.execute("SELECT pg_advisory_unlock(%s)", [EARLY])
        if phase is Phase.LOCK:
            until_blocked(scene.url, builder(scene))
        else:
            _until_in(phase, scene, runner)
        yield runner


def _until_in(phase: Phase, scene: Scene, runner: Forked) -> None:
    """Wait until the build is in ``phase``; the error names the phases that it was seen in instead."""
    seen: list[object] = [None]

    def is_there() -> bool:
        if (now := scene.value(PHASE)) != seen[-1]:
            seen.append(now)
        return now == phase

    try:
        until(is_there)
    except AssertionError:
        runner.kill()
        raise AssertionError(
            f"it never came to {phase}, but through {seen[1:]}: {runner.wait().output}"
        ) from None


def builder(scene: Scene) -> int:
    """The process id of the session that builds."""
    seen: set[int] = set()

    def is_seen() -> bool:  # the view shows it, but not in every moment
        pid = scene.value(BUILDERS)
        if isinstance(pid, int):
            seen.add(pid)
        return bool(seen)

    until(is_seen)
    return seen.pop()


def indexes(scene: Scene) -> list[tuple[str, bool]]:
    """The names of the indexes of ``cars``, its key's excepted, and whether each is valid."""
    with psycopg.connect(scene.url) as connection:
        return connection.execute(
            "SELECT indexrelid::regclass::text, indisvalid FROM pg_index"
            " WHERE indrelid = 'cars'::regclass AND NOT indisprimary ORDER BY 1"
        ).fetchall()
