"""What becomes of each statement of the catalogue: sent as it is, made online, or refused with a correction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from nonstop.databases import open_database
from nonstop.databases.base import Database
from nonstop.descriptions.operations import LockClass
from nonstop.descriptions.scripts import Direction
from nonstop.descriptions.statements import Kind
from nonstop.errors import Refused
from nonstop.guard.connections import Connections
from nonstop.guard.judged import Services
from nonstop.guard.losses import Losses
from nonstop.guard.manners import Manners
from nonstop.guard.plain_sql import PlainSql
from nonstop.guard.transactions import Transactions
from tests.support import busy_tables
from tests.support.databases import fresh_database
from tests.support.postgres_server import Server
from tests.support.statements import CATALOGUE, Case

ON_PARTITIONED = "CREATE INDEX ON measurements (value)"
ON_NEW = "CREATE TABLE fresh (id int); CREATE INDEX ON fresh (id); ALTER TABLE fresh ADD PRIMARY KEY (id)"
UNNAMED = (
    "ALTER TABLE orders ADD CHECK (length(note) < 500 OR price > 0)",
    "/* it helps */ create /* really */ index on Orders (lower(note), (price + 1), price desc) where price > 5",
)
DOES_MORE = (
    "ALTER TABLE app.events ADD FOREIGN KEY (order_id) REFERENCES public.orders, ADD CHECK (id > 0)",
    "ALTER TABLE orders ADD COLUMN x int, ADD CONSTRAINT c CHECK (price >= 0)",
)
ONLINE = (Kind.ONLINE_INDEX, Kind.NOT_VALID)


class Stage:
    """A script's session on busy tables, all of them large, and what the guard does on its behalf."""

    def __init__(
        self, url: str, connection: psycopg.Connection[Any], observing: psycopg.Connection[Any]
    ) -> None:
        self.connection = connection
        self.database = open_database(url)
        self.transactions = Transactions(
            self.database, Connections(self.database), lambda *about: None, no_losses(self.database)
        )
        self.waited_for: list[str] = []
        self.online: list[str] = []
        own_names = self.database.names_resolve_as(connection)
        manners = Manners(
            self.database,
            self.wait_outside,
            self.lock_patiently,
            lambda: 50,
            self.transactions.has_written,
            lambda: False,
            1,
        )
        self.plain_sql = PlainSql(
            self.database,
            self.transactions,
            manners,
            Services(
                self.online.append,
                lambda: None,
                lambda: own_names,
                known(observing),
                lambda *about: (),
                0,
                None,
                print,
                print,
            ),
        )

    def wait_outside(self, relations: Any, lock: LockClass) -> bool:
        self.waited_for += relations
        return False

    def lock_patiently(self, relations: Any, lock: LockClass, attempt: Callable[[int, bool], None]) -> None:
        self.wait_outside(relations, lock)
        attempt(50, False)

    def deferred(self) -> list[str]:
        """What the open transaction leaves to be done after its commit."""
        return [pending.text for pending in self.transactions.deferred.of(self.connection)]

    def locked(self) -> set[str]:
        """The tables that the session has for itself."""
        query = "SELECT relation::regclass::text FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock'"
        return {name for (name,) in self.connection.execute(query)}

    def lock_timeout(self) -> str:
        row = self.connection.execute("SHOW lock_timeout").fetchone()
        assert row
        return str(row[0])


def no_losses(database: Database) -> Losses:
    """Nobody looks: a rollback ends each test."""
    return Losses(database, database.loss_watch(None, frozenset()), Direction.ROLLBACK, None, print, print)


def known(observing: psycopg.Connection[Any]) -> Any:
    query = "SELECT oid::bigint FROM pg_class WHERE oid = ANY (%s::oid[])"
    return lambda oids: {oid for (oid,) in observing.execute(query, (list(oids),))}


@pytest.fixture(scope="module")
def url(postgres_server: Server) -> Iterator[str]:
    with fresh_database(postgres_server.url) as url:
        with psycopg.connect(url) as connection:
            busy_tables.make(connection)
        yield url


@pytest.fixture
def stage(url: str) -> Iterator[Stage]:
    with psycopg.connect(url) as connection, psycopg.connect(url, autocommit=True) as observing:
        yield Stage(url, connection, observing)
        connection.rollback()


@pytest.mark.parametrize("case", CATALOGUE, ids=lambda case: case.sql)
def test_each_statement_goes_its_way(stage: Stage, case: Case) -> None:
    if case.before:
        stage.connection.execute(case.before.encode())
    if case.sql == ON_PARTITIONED or (Kind.BLOCKING in case.kinds and not case.passes and case.sql != ON_NEW):
        with pytest.raises(Refused) as refusal:
            stage.plain_sql.before(stage.connection, case.sql, False)
        assert "Instead:" in refusal.value.details
        return
    if case.sql in UNNAMED:
        with pytest.raises(Refused, match="the name that PostgreSQL would choose is not known"):
            stage.plain_sql.before(stage.connection, case.sql, False)
        return
    if case.sql in DOES_MORE:
        with pytest.raises(Refused, match="it may fail when other changes are permanent already"):
            stage.plain_sql.before(stage.connection, case.sql, False)
        return
    sent = stage.plain_sql.before(stage.connection, case.sql, False)
    if set(case.kinds) & set(ONLINE) and "ONLY vehicles" not in case.sql and case.sql != ON_NEW:
        assert sent != case.sql
        assert stage.transactions.deferred.of(stage.connection)
    else:
        assert sent == case.sql
    if Kind.UNKNOWN in case.kinds or stage.waited_for:
        assert stage.lock_timeout() == "50ms"


@pytest.mark.parametrize(
    ("commits", "statement", "expected"),
    [
        (1, "ALTER TABLE orders DROP COLUMN price", {"orders"}),
        (0, "ALTER TABLE orders DROP COLUMN price", set()),  # the script can begin anew
        (1, "SELECT lock_something('orders')", set()),  # nobody knows what it locks, and for how long
    ],
)
def test_a_script_that_has_committed_has_its_lock_first(
    stage: Stage, commits: int, statement: str, expected: set[str]
) -> None:
    stage.transactions.committed += ["CREATE TABLE first (id INTEGER)"] * commits
    assert stage.plain_sql.before(stage.connection, statement, False) == statement
    assert stage.locked() & {"orders", "orders_id_seq"} == expected
    assert stage.lock_timeout() == "50ms"


def test_a_table_that_gets_its_name_in_the_same_text_is_not_unseen(stage: Stage) -> None:
    hidden = "ALTER TABLE orders RENAME TO purchases; ALTER TABLE purchases ALTER COLUMN price TYPE bigint"
    with pytest.raises(Refused, match="nobody can see beforehand"):
        stage.plain_sql.before(stage.connection, hidden, False)


def test_what_comes_with_a_build_is_sent_without_it(stage: Stage) -> None:
    text = "UPDATE orders SET note = 'x' WHERE id = 1; CREATE INDEX ix ON orders (price); ANALYZE cars"
    sent = stage.plain_sql.before(stage.connection, text, False)
    assert sent == "UPDATE orders SET note = 'x' WHERE id = 1; ANALYZE cars"
    assert stage.deferred() == ["CREATE INDEX CONCURRENTLY ix ON orders (price)"]


def test_in_autocommit_mode_the_build_comes_at_once(stage: Stage) -> None:
    stage.connection.rollback()
    stage.connection.autocommit = True
    sent = stage.plain_sql.before(stage.connection, "CREATE INDEX ix ON orders (price)", True)
    stage.connection.execute(sent.encode())
    assert stage.online == ["CREATE INDEX CONCURRENTLY ix ON orders (price)"]


def test_a_constraint_in_autocommit_mode_is_validated_next(stage: Stage) -> None:
    stage.connection.rollback()
    stage.connection.autocommit = True
    sent = stage.plain_sql.before(
        stage.connection, "ALTER TABLE orders ADD CONSTRAINT c CHECK (price > 0)", True
    )
    assert sent.endswith("NOT VALID")
    assert stage.transactions.deferred.next_due == "ALTER TABLE orders ADD CONSTRAINT c CHECK (price > 0)"


def test_names_that_mean_other_tables_to_us_are_not_made_online(stage: Stage) -> None:
    """Our own session would build the index in another schema."""
    stage.connection.execute("SET search_path = app")
    with pytest.raises(Refused):
        stage.plain_sql.before(stage.connection, "CREATE INDEX ix ON events (order_id)", False)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX ON orders ((price + 1))",
        "ALTER TABLE orders ADD CHECK (price > int '1')",
        "ALTER TABLE orders ADD CHECK (abs(price) > 1)",
        "ALTER TABLE orders ADD CHECK (price::bigint > 1)",
        """ALTER TABLE orders ADD CHECK (note COLLATE "C" > 'a')""",
    ],
)
def test_a_name_that_only_the_server_knows_has_to_be_given(stage: Stage, statement: str) -> None:
    with pytest.raises(Refused, match="the name that PostgreSQL would choose is not known"):
        stage.plain_sql.before(stage.connection, statement, False)


@pytest.mark.parametrize(
    "later",
    [
        "DROP INDEX ix",
        "DROP INDEX ix_orders_price, ix",
        "ALTER INDEX ix RENAME TO iy",
        "COMMENT ON INDEX ix IS 'x'",
        "ALTER TABLE orders RENAME TO purchases",
        "ALTER TABLE orders RENAME COLUMN price TO cost",
        "ALTER TABLE orders RENAME CONSTRAINT orders_pkey TO pk",
        "ALTER TABLE app.events RENAME TO orders; DROP TABLE orders",
        "CREATE INDEX ix ON cars (id)",
        "ALTER TABLE orders DROP COLUMN price, ADD CONSTRAINT c CHECK (id > 0)",
        "ALTER TABLE cars ADD CONSTRAINT c FOREIGN KEY (id) REFERENCES orders (price)",
        "INSERT INTO orders (price) VALUES (1) ON CONFLICT (price) DO NOTHING",
        "SELECT to_regclass('ix')",
        "SELECT something_unknown()",
        "DO $$ BEGIN NULL; END $$",
        "DROP SCHEMA app CASCADE",
    ],
)
def test_what_could_notice_that_an_index_is_not_built_yet_is_refused(stage: Stage, later: str) -> None:
    stage.plain_sql.before(stage.connection, "CREATE UNIQUE INDEX ix ON orders (price)", False)
    with pytest.raises(Refused, match="is carried out after the commit"):
        stage.plain_sql.before(stage.connection, later, False)
    assert stage.deferred() == ["CREATE UNIQUE INDEX CONCURRENTLY ix ON orders (price)"]


def test_what_runs_long_under_a_lock_that_is_kept_is_refused(stage: Stage) -> None:
    """By itself VALIDATE lets readers and writers go on; the lock of ADD … NOT VALID does not."""
    validate = "ALTER TABLE orders VALIDATE CONSTRAINT c"
    stage.connection.execute("ALTER TABLE orders ADD CONSTRAINT c CHECK (price > 0) NOT VALID")
    with pytest.raises(Refused, match="it would keep the application waiting") as refusal:
        stage.plain_sql.before(stage.connection, validate, False)
    assert "-- commit before this statement" in refusal.value.details
    stage.connection.rollback()
    assert stage.plain_sql.before(stage.connection, validate, False) == validate


def test_an_index_is_not_taken_away_before_its_successor_is_built(stage: Stage) -> None:
    assert stage.plain_sql.before(stage.connection, "DROP INDEX ix_orders_price", False)
    stage.connection.execute("DROP INDEX ix_orders_price")
    with pytest.raises(Refused, match="there would be no such index until it is built"):
        stage.plain_sql.before(stage.connection, "CREATE INDEX ix_orders_price ON orders (note)", False)


@pytest.mark.parametrize(
    "later",
    [
        "UPDATE orders SET note = 'x'",
        "ALTER TABLE cars RENAME TO vehicles_2",
        "CREATE INDEX iy ON orders (id)",
        "ALTER TABLE cars ADD COLUMN size INTEGER",
    ],
)
def test_what_can_not_notice_it_passes(stage: Stage, later: str) -> None:
    stage.plain_sql.before(stage.connection, "CREATE INDEX ix ON orders (price)", False)
    stage.plain_sql.before(stage.connection, later, False)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX ix_orders_price ON orders (price)",
        "CREATE INDEX IF NOT EXISTS ix_orders_price ON orders (note)",
        "DROP INDEX nowhere",
        "DROP INDEX orders_pkey",
    ],
)
def test_what_fails_or_does_nothing_at_once_is_sent_as_it_is(stage: Stage, statement: str) -> None:
    assert stage.plain_sql.before(stage.connection, statement, False) == statement
