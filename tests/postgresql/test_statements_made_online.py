"""The online form of a plain statement reaches the same catalog, and what runs for long lets the application go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from nonstop.databases.postgresql_statements import classify, needs
from nonstop.descriptions.statements import Kind
from tests.support import busy_tables
from tests.support.database_pool import with_database
from tests.support.databases import fresh_database
from tests.support.fingerprint import fingerprint
from tests.support.postgres_server import Server
from tests.support.statements import CATALOGUE, Case

ONLINE = (Kind.ONLINE_INDEX, Kind.NOT_VALID)
ON_PARTITIONED = "CREATE INDEX ON measurements (value)"
REWRITTEN = [
    case
    for case in CATALOGUE
    if len(case.kinds) == 1 and case.kinds[0] in ONLINE and case.sql != ON_PARTITIONED
]
NOT_IN_A_TRANSACTION = [
    case for case in CATALOGUE if case.kinds == (Kind.CONCURRENT,) and not case.measured
    and not case.sql.startswith("REPACK")  # PostgreSQL 19, which the tests have no server of
]  # fmt: skip
FULL_VACUUMS = [
    case for case in CATALOGUE if case.sql.startswith("VACUUM") and case.kinds == (Kind.BLOCKING,)
]

Copy = Callable[[], str]


@pytest.fixture(scope="module")
def prepared(postgres_server: Server) -> Iterator[str]:
    """The name of a database with the busy tables, to copy."""
    with fresh_database(postgres_server.url) as url:
        with psycopg.connect(url) as connection:
            busy_tables.make(connection)
        yield url.rpartition("/")[2]


@pytest.fixture
def copy(postgres_server: Server, prepared: str) -> Iterator[Copy]:
    """``copy()`` makes a database with busy tables of its own."""
    with ExitStack() as copies:

        def make() -> str:
            name = sql.Identifier(f"copy_{uuid4().hex[:16]}")
            with psycopg.connect(postgres_server.url, autocommit=True) as server:
                template = sql.Identifier(prepared)
                server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, template))
            copies.callback(drop, postgres_server.url, name)
            return with_database(postgres_server.url, name.as_string(None).strip('"'))

        yield make


def drop(server_url: str, name: sql.Identifier) -> None:
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.mark.repetitive(8)
@pytest.mark.parametrize("case", REWRITTEN, ids=lambda case: case.sql)
def test_the_online_form_reaches_the_same_catalog(copy: Copy, case: Case) -> None:
    plainly, online = copy(), copy()
    untouched = fingerprint(plainly)
    ((plain, need),) = needs(case.sql)
    with psycopg.connect(plainly, autocommit=True) as connection:
        connection.execute(plain)
    with psycopg.connect(online, autocommit=True) as connection:
        for statement in need.rewritten:
            assert classify(statement).kind in (Kind.BRIEF, Kind.CONCURRENT)
            connection.execute(statement)
    assert fingerprint(online) == fingerprint(plainly) != untouched


def test_an_index_of_a_partitioned_table_is_refused_concurrently(copy: Copy) -> None:
    """So whoever runs the rewritten form looks at the table's sort first."""
    with (
        psycopg.connect(copy(), autocommit=True) as connection,
        pytest.raises(psycopg.errors.FeatureNotSupported),
    ):
        connection.execute(classify(ON_PARTITIONED).rewritten[0])


@pytest.mark.parametrize("case", NOT_IN_A_TRANSACTION, ids=lambda case: case.sql)
def test_what_runs_concurrently_lets_readers_and_writers_go_on(copy: Copy, case: Case) -> None:
    url = copy()
    # A vacuum waits only for its own like; the others wait for every older transaction that uses the table.
    mode = "SHARE UPDATE EXCLUSIVE" if case.sql.startswith("VACUUM") else "ROW EXCLUSIVE"
    with held_up(url, case.sql, mode), psycopg.connect(url) as application:
        application.execute("SET lock_timeout = '5s'")
        application.execute("SELECT count(*) FROM orders, LATERAL (SELECT 1) one")
        application.execute("UPDATE orders SET note = 'x' WHERE id = 7")
        application.execute("UPDATE measurements_keyed_1 SET id = 4000 WHERE id = 5")


@pytest.mark.parametrize("case", FULL_VACUUMS, ids=lambda case: case.sql)
def test_a_full_vacuum_keeps_readers_out(copy: Copy, case: Case) -> None:
    url = copy()
    with held_up(url, case.sql, "ACCESS SHARE"), psycopg.connect(url) as application:
        application.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            application.execute("SELECT count(*) FROM orders")


class held_up:
    """For the length of the block ``statement`` runs, waiting for a transaction that holds ``mode`` on the tables."""

    def __init__(self, url: str, statement: str, mode: str) -> None:
        self._stack = ExitStack()
        self._url, self._statement, self._mode = url, statement, mode

    def __enter__(self) -> None:
        holder = self._connect()
        holder.autocommit = False
        holder.execute(f"LOCK TABLE orders, measurements_keyed IN {self._mode} MODE")
        runner, observer = self._connect(), self._connect()
        pool = self._stack.enter_context(ThreadPoolExecutor(1))
        running = pool.submit(runner.execute, self._statement)
        self._stack.callback(running.result)
        self._stack.callback(holder.rollback)
        waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = %s AND NOT granted)"
        while observer.execute(waits, [runner.info.backend_pid]).fetchone() == (False,):
            assert not running.done(), "it did not wait for anybody"

    def __exit__(self, *error: Any) -> None:
        self._stack.close()

    def _connect(self) -> psycopg.Connection[Any]:
        return self._stack.enter_context(psycopg.connect(self._url, autocommit=True))
