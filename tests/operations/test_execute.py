"""op.execute: SQL of the script's own."""

from __future__ import annotations

from nonstop.descriptions.operations import Execute
from tests.support.stage import Stage, fill


def test_round_trip(orders: Stage) -> None:
    exists = "SELECT EXISTS (SELECT 1 FROM {} WHERE {} = 'expensive')"
    names = ("sqlite_master", "name") if orders.is_sqlite else ("pg_views", "viewname")
    before, after = orders.round_trip(
        "op.execute('CREATE VIEW expensive AS SELECT * FROM orders WHERE amount % 100 > 20',"
        f' done_when="{exists.format(*names)}")',
        f"op.execute('DROP VIEW expensive', done_when=\"{exists.replace('EXISTS', 'NOT EXISTS').format(*names)}\")",
    )
    assert before != after


def test_it_must_be_done_afterwards(orders: Stage) -> None:
    orders.script(
        1, "op.execute('UPDATE orders SET amount = 5', done_when='SELECT max(amount) < 5 FROM orders')"
    )
    ended = orders.run("apply")
    assert ended.returncode == 1, ended.output
    assert orders.value("SELECT max(amount) FROM orders") == 30, "it was not undone"


def test_without_done_when_it_is_sent_on_each_run(orders: Stage) -> None:
    orders.script(
        1,
        "op.execute('UPDATE orders SET amount = amount + 1')\nop.execute('UPDATE orders SET amount = amount + 1')",
    )
    ended = orders.run("apply")
    assert ended.returncode == 0, ended.output
    assert orders.value("SELECT max(amount) FROM orders") == 32


def test_undo_cleans_up_outside_transactions(postgres_stage: Stage) -> None:
    fill(postgres_stage)
    postgres_stage.sql("INSERT INTO orders (id, amount) VALUES (1, 10)")
    before = postgres_stage.look()
    postgres_stage.script(
        1,
        "op.execute('CREATE UNIQUE INDEX CONCURRENTLY broken ON orders (id)', in_transaction=False,"
        " undo='DROP INDEX CONCURRENTLY IF EXISTS broken')",
    )
    assert postgres_stage.run("apply").returncode != 0
    assert postgres_stage.look() == before


def test_several_statements_are_one_transaction(postgres_stage: Stage) -> None:
    fill(postgres_stage)
    before = postgres_stage.look()
    postgres_stage.script(
        1, "op.execute('UPDATE orders SET amount = amount + 1; UPDATE orders SET amount = 1 / 0')"
    )
    assert postgres_stage.run("apply").returncode == 1
    assert postgres_stage.look() == before
    postgres_stage.script(
        1, "op.execute('UPDATE orders SET amount = 5; UPDATE orders SET amount = amount * 2')"
    )
    ended = postgres_stage.run("apply")
    assert ended.returncode == 0, ended.output
    assert postgres_stage.value("SELECT max(amount) FROM orders") == 10


def test_emitted_sql(emitted) -> None:
    operation = Execute("SELECT '100%'", None, None, (), True)
    assert emitted(operation, "postgresql") == emitted(operation, "sqlite") == ["SELECT '100%'"]
