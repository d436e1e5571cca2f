"""The class of each statement in the catalogue, held against the locks, rewrites and scans that it causes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from nonstop.databases.postgresql_facts import confirms
from nonstop.databases.postgresql_statements import needs
from nonstop.descriptions.operations import LockClass
from nonstop.descriptions.statements import Kind, Need
from tests.support import busy_tables
from tests.support.busy_tables import Effect, effect_of, reached_by
from tests.support.databases import fresh_database
from tests.support.postgres_server import Server
from tests.support.statements import CATALOGUE, Case

MEASURED = [case for case in CATALOGUE if case.measured]
BLOCKS_WRITERS = "ShareUpdateExclusiveLock"  # everything stronger does


@dataclass(frozen=True)
class Observation:
    """One statement of a case: what was said about it, what it did, and the tables it was allowed to lock."""

    need: Need
    passes: bool
    effect: Effect
    reached: set[str]


@pytest.fixture(scope="module")
def tables(postgres_server: Server) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database with busy tables, to be rolled back after each look."""
    with fresh_database(postgres_server.url) as url, psycopg.connect(url) as connection:
        busy_tables.make(connection)
        connection.commit()
        connection.execute("SET synchronous_commit = off")
        yield connection


def observe(connection: psycopg.Connection[Any], case: Case) -> list[Observation]:
    """Run the statements of a case, one after the other in one transaction that is rolled back."""
    try:
        if case.before:
            connection.execute(case.before)
        found = []
        for statement, need in needs(case.sql):
            passes = bool(need.unless) and confirms(connection, need.unless)
            reached = reached_by(connection, need)
            found.append(Observation(need, passes, effect_of(connection, statement), reached))
        return found
    finally:
        connection.rollback()


def mode_of(lock: LockClass) -> str:
    """The lock as ``pg_locks`` calls it."""
    return "RowExclusiveLock" if lock is LockClass.NONE else lock.value.title().replace(" ", "") + "Lock"


@pytest.mark.parametrize("case", MEASURED, ids=lambda case: case.sql)
def test_the_class_is_what_the_server_does(tables: psycopg.Connection[Any], case: Case) -> None:
    if "MERGE" in case.sql and tables.info.server_version < 150000:
        pytest.skip("MERGE came with PostgreSQL 15")
    if "ACCESS METHOD" in case.sql and tables.info.server_version < 150000:
        pytest.skip("SET ACCESS METHOD came with PostgreSQL 15")
    for seen in observe(tables, case):
        if seen.need.kind is Kind.UNKNOWN:
            continue  # nothing was promised
        strong = seen.effect.stronger_than("RowExclusiveLock")
        harmless = seen.need.lock is LockClass.SHARE_UPDATE_EXCLUSIVE
        may_name_none = seen.need.kind is Kind.BLOCKING or harmless
        names_none = may_name_none and not (seen.need.relations or seen.need.indexes)
        assert names_none or set(strong) <= seen.reached, "locks a table that was not named"
        assert not seen.effect.stronger_than(mode_of(seen.need.lock)), "locks more strongly than was said"
        AS_PROMISED[seen.need.kind](seen, case)


def reads_only(seen: Observation, case: Case) -> None:
    assert not seen.effect.stronger_than("RowExclusiveLock")
    assert not seen.effect.rewritten


def is_brief(seen: Observation, case: Case) -> None:
    assert not seen.effect.rewritten
    if seen.need.lock is not LockClass.NONE:
        assert seen.effect.strongest == mode_of(seen.need.lock), "is said to lock more strongly than it does"
        assert not seen.effect.read, "reads whole tables while it holds its lock"


def blocks_writers(seen: Observation, case: Case) -> None:
    """The plain form of what can be had online: it holds up writers while it reads a table."""
    assert seen.effect.stronger_than(BLOCKS_WRITERS)
    assert seen.need.rewritten
    assert case.cautious or seen.effect.read


def blocks(seen: Observation, case: Case) -> None:
    assert seen.need.reason
    assert seen.need.correction
    assert seen.passes == case.passes
    if case.passes:
        is_brief(seen, case)
    elif not case.cautious:
        holds_it(seen, case)


def holds_it(seen: Observation, case: Case) -> None:
    assert seen.effect.stronger_than(BLOCKS_WRITERS)
    holds_only = case.sql.startswith("LOCK")
    assert holds_only or seen.effect.rewritten or seen.effect.read


def lets_others_go_on(seen: Observation, case: Case) -> None:
    is_view = "MATERIALIZED" in case.sql  # which nobody writes
    allowed = "ExclusiveLock" if is_view else "ShareUpdateExclusiveLock"
    assert not seen.effect.stronger_than(allowed)
    assert not seen.effect.rewritten


AS_PROMISED = {
    Kind.READS: reads_only,
    Kind.BRIEF: is_brief,
    Kind.ONLINE_INDEX: blocks_writers,
    Kind.NOT_VALID: blocks_writers,
    Kind.CONCURRENT: lets_others_go_on,
    Kind.BLOCKING: blocks,
}
