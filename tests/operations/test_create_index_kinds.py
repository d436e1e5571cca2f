"""op.create_index: unique, partial, over expressions, with included columns, by another method, on partitions."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from nonstop.descriptions.operations import CreateIndex
from tests.support.stage import Stage, fill

ARGUMENTS = [
    "['status', 'amount']",
    "['id'], unique=True",
    "['status'], where='amount > 10 AND status IS NOT NULL'",
    "[text('lower(status)'), 'amount'], unique=True, where=\"note LIKE '%x'\"",
    "[text('amount DESC'), 'id']",
    "['amount'], include=['status', 'note']",
    "['status'], method='hash'",
]


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_round_trip(orders: Stage, arguments: str) -> None:
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


def test_emitted_sql(emitted) -> None:
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
