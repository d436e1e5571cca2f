"""op.create_index: unique, partial, over expressions, with included columns, by another method, on partitions."""

from __future__ import annotations

from threading import Thread

import psycopg
import pytest
from sqlalchemy import text

from nonstop import op
from nonstop.descriptions.operations import CreateIndex
from nonstop.errors import DefinitionConflict, ValidationError
from tests.reliability.builds import PHASE
from tests.support.operations import Trial, send, sql_of
from tests.support.stage import Stage, fill

APPLY = 'op.create_index("by_plate", "orders", ["plate"])'
ROLLBACK = 'op.drop_index("by_plate", "orders")'
UNIQUE = 'op.create_index("by_plate", "orders", ["plate"], unique=True)'


def test_there_and_back(trial: Trial) -> None:
    trial.script(APPLY, ROLLBACK)
    assert "by_plate" in trial.there_and_back()["tables"]["orders"]["indexes"]


def test_there_and_back_unique_over_two_columns(trial: Trial) -> None:
    trial.script(
        'op.create_index("two", "orders", ["vin", "plate"], unique=True)', 'op.drop_index("two", "orders")'
    )
    trial.there_and_back()


def test_the_sql() -> None:
    def call() -> None:
        op.create_index("By Plate", "Orders %", ["plate", "order"], unique=True, schema="shop")

    assert sql_of("sqlite", call) == ['CREATE UNIQUE INDEX shop."By Plate" ON "Orders %" (plate, "order");']
    assert sql_of("postgresql", call) == [
        'DROP INDEX CONCURRENTLY IF EXISTS shop."By Plate";',
        'CREATE UNIQUE INDEX CONCURRENTLY "By Plate" ON shop."Orders %" (plate, "order");',
    ]


def test_a_table_called_index_keeps_its_name() -> None:
    assert sql_of("postgresql", lambda: op.create_index("a INDEX b", "my INDEX", ["x"]))[1] == (
        'CREATE INDEX CONCURRENTLY "a INDEX b" ON "my INDEX" (x);'
    )


def test_odd_names_on_a_real_database(trial: Trial) -> None:
    send(trial.url, 'CREATE TABLE "Orders %" (id INTEGER PRIMARY KEY, "50%" INTEGER)')
    trial.script('op.create_index("By %", "Orders %", ["50%"])', 'op.drop_index("By %", "Orders %")')
    trial.there_and_back()


@pytest.mark.parametrize(
    "existing",
    [
        "CREATE INDEX by_plate ON orders (vin)",
        "CREATE INDEX by_plate ON orders (plate, vin)",
        "CREATE UNIQUE INDEX by_plate ON orders (plate)",
    ],
)
def test_an_index_of_that_name_with_another_definition_is_a_conflict(trial: Trial, existing: str) -> None:
    send(trial.url, "DELETE FROM orders", existing)
    before = trial.look()
    trial.script(APPLY, ROLLBACK)
    error = trial.failure()
    assert isinstance(error, DefinitionConflict)
    assert "index by_plate exists already with another definition" in error.message
    assert trial.look() == before


def test_an_index_of_that_name_on_another_table_is_a_failure(trial: Trial) -> None:
    send(trial.url, "CREATE TABLE others (plate TEXT)", "CREATE INDEX by_plate ON others (plate)")
    before = trial.look()
    trial.script(APPLY, ROLLBACK)
    error = trial.failure()
    assert error.exit_code == 1
    assert "already exists" in error.message
    assert trial.look() == before


def test_an_index_that_is_there_is_adopted(trial: Trial) -> None:
    send(trial.url, "CREATE INDEX by_plate ON orders (plate)")
    trial.script(APPLY, ROLLBACK)
    (outcome,) = trial.apply().outcomes
    assert outcome.notes == ("create index by_plate on orders(plate): is so already",)


def test_columns_as_one_string_are_refused() -> None:
    with pytest.raises(ValidationError, match="are one string") as caught:
        op.create_index("by_plate", "orders", "plate")
    assert caught.value.next_step == "write them as a list: ['plate']"


def test_c02_duplicates_leave_no_broken_index_in_the_way(trial: Trial) -> None:
    """A concurrent build that fails leaves an invalid index; it is dropped, and the next apply builds a good one."""
    trial.script(UNIQUE, ROLLBACK)
    assert trial.failure().exit_code == 1
    assert "by_plate" not in trial.look()[0]["tables"]["orders"]["indexes"]
    send(trial.url, "UPDATE orders SET plate = vin")
    trial.apply()
    good = trial.look()[0]["tables"]["orders"]["indexes"]["by_plate"]
    assert good[1 if trial.is_postgresql else 0] is True


def test_c02_what_somebody_else_s_failed_build_left_is_rebuilt(postgres_trial: Trial) -> None:
    with psycopg.connect(postgres_trial.url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY by_plate ON orders (plate)")
        left = connection.execute("SELECT 'by_plate'::regclass::oid").fetchone()
        postgres_trial.script(APPLY, ROLLBACK)
        (outcome,) = postgres_trial.apply().outcomes
        built = connection.execute(
            "SELECT indexrelid, indisvalid, indisunique FROM pg_index WHERE indexrelid = 'by_plate'::regclass"
        ).fetchone()
    assert outcome.notes == ()
    assert left is not None
    assert built is not None
    assert built[0] != left[0]
    assert built[1:] == (True, False)


def test_writers_of_the_table_go_on_while_it_is_built(postgres_trial: Trial) -> None:
    """A transaction that has written to the table holds the build up; a plain one would hold up all others in turn."""
    postgres_trial.script(APPLY, ROLLBACK)
    with (
        psycopg.connect(postgres_trial.url) as old,
        psycopg.connect(postgres_trial.url, autocommit=True) as writer,
    ):
        old.execute("UPDATE orders SET vin = 'c' WHERE id = 1")
        builder = Thread(target=postgres_trial.apply)
        builder.start()
        wait_until(writer, PHASE)
        writer.execute("SET lock_timeout = '2s'")
        writer.execute("INSERT INTO orders VALUES (3, 'd', 'y')")
        writer.execute("UPDATE orders SET vin = 'e' WHERE id = 2")
        assert builder.is_alive()
        old.commit()
        builder.join(timeout=60)
    assert postgres_trial.look()[0]["tables"]["orders"]["indexes"]["by_plate"][1] is True


CONDITION = "\"of :this\" <> ':no, 100%'"


@pytest.mark.parametrize(
    "arguments",
    ["[text('\"x, (y\" DESC')]", f"['of :this'], where={CONDITION!r}"],
    ids=["an order of a quoted name", "a colon in the condition"],
)
def test_what_a_name_or_a_condition_may_contain(trial: Trial, arguments: str) -> None:
    send(trial.url, 'CREATE TABLE "50% (a, b)" ("x, (y" INTEGER, "of \\:this" VARCHAR(9))')
    trial.script(
        f'op.create_index("By %", "50% (a, b)", {arguments})',
        'op.drop_index("By %", "50% (a, b)")',
        before="from sqlalchemy import text",
    )
    trial.there_and_back()


ARGUMENTS = [
    "['status', 'amount']",
    "['id'], unique=True",
    "['status'], where='amount > 10 AND status IS NOT NULL'",
    "[text('lower(status)'), 'amount'], unique=True, where=\"note LIKE '%x'\"",
    "[text('amount DESC'), 'id']",
    "['amount'], include=['status', 'note']",
    "['status'], method='hash'",
]


@pytest.mark.repetitive(3)
@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_kinds_there_and_back(orders: Stage, arguments: str) -> None:
    before, after = orders.round_trip(
        f"op.create_index('found', 'orders', {arguments})", "op.drop_index('found', 'orders')"
    )
    assert before != after


@pytest.mark.parametrize(
    "other",
    ["['amount', 'status']", "['status'], unique=True, where='amount > 10'", "['status']", "['status'], where='amount > 11'",
     "[text('lower(status)')], where='amount > 10'"],
)  # fmt: skip
def test_another_index_of_that_name_is_a_conflict(orders: Stage, other: str) -> None:
    orders.sql("CREATE INDEX found ON orders (status) WHERE amount > 10")
    orders.fails(f"op.create_index('found', 'orders', {other})", "index found exists already")


@pytest.mark.parametrize(
    ("existing", "wanted"), [("amount", "[text('amount DESC')]"), ("amount DESC", "['amount']")]
)
def test_an_index_in_the_other_order_is_a_conflict(orders: Stage, existing: str, wanted: str) -> None:
    orders.sql(f"CREATE INDEX found ON orders ({existing})")
    orders.fails(f"op.create_index('found', 'orders', {wanted})", "index found exists already", "amount DESC")


def test_an_expression_written_otherwise_is_the_same(postgres_stage: Stage) -> None:
    fill(postgres_stage)
    postgres_stage.sql("CREATE INDEX found ON orders (lower(status)) WHERE status IN ('a', 'b')")
    postgres_stage.script(
        1, "op.create_index('found', 'orders', [text('LOWER( status )')], where=\"status in ('a','b')\")"
    )
    ended = postgres_stage.run("apply")
    assert ended.returncode == 0, ended.output
    assert "is so already" in ended.output


def test_c02_a_failed_build_leaves_nothing(postgres_stage: Stage) -> None:
    """An invalid index would slow every write down, and nobody would see it (C2)."""
    fill(postgres_stage)
    postgres_stage.sql("INSERT INTO orders (id, amount) VALUES (1, 10)")
    postgres_stage.script(1, "op.create_index('found', 'orders', ['id'], unique=True)")
    before = postgres_stage.look()
    assert postgres_stage.run("apply").returncode != 0
    assert postgres_stage.look() == before


@pytest.fixture
def partitioned(postgres_stage: Stage) -> Stage:
    postgres_stage.sql(
        "CREATE TABLE visits (id INTEGER, at INTEGER) PARTITION BY RANGE (at)",
        "CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM (10) TO (30) PARTITION BY RANGE (at)",
        "CREATE TABLE visits_2a PARTITION OF visits_2 FOR VALUES FROM (10) TO (20)",
        "INSERT INTO visits VALUES (1, 1), (2, 11)",
    )
    return postgres_stage


def test_c34_partitions(partitioned: Stage) -> None:
    before, after = partitioned.round_trip(
        "op.create_index('found', 'visits', ['id'])", "op.drop_index('found', 'visits')"
    )
    assert before != after
    partitioned.script(1, "op.create_index('found', 'visits', ['id'])")
    assert partitioned.run("apply").returncode == 0
    assert partitioned.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
    partitioned.sql("CREATE TABLE visits_3 PARTITION OF visits FOR VALUES FROM (30) TO (40)")
    assert partitioned.value("SELECT count(*) FROM pg_indexes WHERE tablename = 'visits_3'") == 1


def test_c34_partitions_taken_up_where_a_run_ended(partitioned: Stage) -> None:
    partitioned.sql("CREATE INDEX found ON ONLY visits (id)", "CREATE INDEX found_visits_1 ON visits_1 (id)")
    partitioned.script(1, "op.create_index('found', 'visits', ['id'])")
    ended = partitioned.run("apply")
    assert ended.returncode == 0, ended.output
    assert partitioned.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0


def test_the_sql_of_all_at_once(emitted) -> None:
    operation = CreateIndex(
        "found", "orders", (text("lower(status)"), "id"), True, None, "amount > 0", ("Note",), "btree"
    )
    assert emitted(operation, "postgresql") == [
        "DROP INDEX CONCURRENTLY IF EXISTS found",
        (
            'CREATE UNIQUE INDEX CONCURRENTLY found ON orders USING btree (lower(status), id) INCLUDE ("Note")'
            " WHERE amount > 0"
        ),
    ]
    assert emitted(operation, "sqlite") == [
        "CREATE UNIQUE INDEX found ON orders (lower(status), id) WHERE amount > 0"
    ]


def wait_until(connection: psycopg.Connection, query: str) -> None:
    """Ask until the query finds a row."""
    for _ in range(20_000):
        if connection.execute(query).fetchone() is not None:
            return
    raise AssertionError(f"never true: {query}")
