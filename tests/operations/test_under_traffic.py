"""Each verb there and back and there again while an application reads, inserts and updates: no client meets an error,
none waits for as long as the budget, the catalog is what it was each time, and every committed row is there.
"""

from __future__ import annotations

import pytest

from nonstop import op
from tests.support.stage import Stage
from tests.support.traffic import TABLES, traffic

BUDGET_MS = 1000
PATIENCE_MS = 900
"""A client that has to wait for a lock for this long fails: less than the budget."""
VIEW = "CREATE VIEW small AS SELECT id FROM orders WHERE amount < 10"
THERE_IS_A_VIEW = {
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE name = 'small'",
    "postgresql": "SELECT count(*) FROM pg_views WHERE viewname = 'small'",
}
FOREIGN_KEY = "op.add_foreign_key('k', 'orders', ['customer_id'], 'customers', ['id'], on_delete='cascade')"
VERBS: dict[str, tuple[str, str]] = {
    "create_table": ("op.create_table('parts', Column('id', Integer, primary_key=True), Column('name', String(9)))",
                     "op.drop_table('parts')"),
    "drop_table": ("op.drop_table('spare')",
                   "op.create_table('spare', Column('id', Integer, primary_key=True, autoincrement=False))"),
    "rename_table": ("op.rename_table('spare', 'spares')", "op.rename_table('spares', 'spare')"),
    "add_column": ("op.add_column('orders', Column('colour', String(9), nullable=False, server_default='red'))",
                   "op.drop_column('orders', 'colour')"),
    "drop_column": ("op.drop_column('orders', 'unused')", "op.add_column('orders', Column('unused', Integer))"),
    "set_default": ("op.set_default('orders', 'note', 'none')", "op.drop_default('orders', 'note')"),
    "drop_default": ("op.drop_default('orders', 'status')", "op.set_default('orders', 'status', 'new')"),
    "set_not_null": ("op.set_not_null('orders', 'status')", "op.drop_not_null('orders', 'status')"),
    "drop_not_null": ("op.drop_not_null('orders', 'amount')", "op.set_not_null('orders', 'amount')"),
    "add_check": ("op.add_check('c', 'orders', \"status <> '%none'\")", "op.drop_constraint('c', 'orders')"),
    "drop_constraint": ("op.drop_constraint('positive', 'orders')", "op.add_check('positive', 'orders', 'amount > 0')"),
    "add_foreign_key": (FOREIGN_KEY, "op.drop_constraint('k', 'orders')"),
    "add_unique": ("op.add_unique('u', 'orders', ['id'])", "op.drop_constraint('u', 'orders')"),
    "add_primary_key": ("op.add_primary_key('p', 'orders', ['id'])", "op.drop_constraint('p', 'orders')"),
    "create_index": ("op.create_index('i', 'orders', ['status', 'amount'])", "op.drop_index('i', 'orders')"),
    "drop_index": ("op.drop_index('by_amount', 'orders')", "op.create_index('by_amount', 'orders', ['amount'])"),
    "execute": (f"op.execute({VIEW!r}, done_when=IS_THERE)", "op.execute('DROP VIEW small')"),
}  # fmt: skip
ONLY_POSTGRESQL = {
    "validate_constraint": "op.validate_constraint('unproven', 'orders')",
    "add_enum_value": "op.add_enum_value('mood', 'content', before='sad')",
}
"""Verbs without a way back."""
WITHOUT_EFFECT = {"alter_type", "backfill", "irreversible", "rename_column"}


def test_every_verb_is_tried_out() -> None:
    assert VERBS.keys() | ONLY_POSTGRESQL.keys() | WITHOUT_EFFECT == set(op.__all__)


@pytest.mark.repetitive(4)
@pytest.mark.parametrize("verb", VERBS)
def test_there_and_back_and_there_again(stage: Stage, verb: str) -> None:
    apply, rollback = VERBS[verb]
    apply = apply.replace("IS_THERE", repr(THERE_IS_A_VIEW["sqlite" if stage.is_sqlite else "postgresql"]))
    stage.sql(*TABLES)
    if verb == "set_not_null":
        stage.sql("UPDATE orders SET status = 'old' WHERE status IS NULL")
    stage.script(1, apply, rollback)
    before = stage.look()
    with traffic(stage.url, PATIENCE_MS) as load:
        run(stage, load.done, "apply")
        after = stage.look()
        assert after != before
        run(stage, load.done, "rollback", "--yes")
        assert stage.look() == before
        run(stage, load.done, "apply")
        assert stage.look() == after
    assert load.errors == []
    assert load.found() == load.expected()


@pytest.mark.parametrize("verb", ONLY_POSTGRESQL)
def test_there_and_there_again(postgres_stage: Stage, verb: str) -> None:
    postgres_stage.sql(
        *TABLES,
        "CREATE TYPE mood AS ENUM ('happy', 'sad')",
        "ALTER TABLE orders ADD CONSTRAINT unproven CHECK (amount > -1) NOT VALID",
    )
    postgres_stage.script(1, ONLY_POSTGRESQL[verb])
    before = postgres_stage.look()
    with traffic(postgres_stage.url, PATIENCE_MS) as load:
        run(postgres_stage, load.done, "apply")
        after = postgres_stage.look()
        assert after != before
        run(postgres_stage, load.done, "rollback", "--yes")
        run(postgres_stage, load.done, "apply")
        assert postgres_stage.look() == after
    assert load.errors == []
    assert load.found() == load.expected()


def run(stage: Stage, done: dict[str, int], *arguments: str) -> None:
    """Run a command, and see that the application was not idle meanwhile."""
    earlier = sum(done.values())
    ended = stage.run(*arguments, "--blocking-budget", f"{BUDGET_MS}ms")
    assert ended.returncode == 0, ended.output
    assert sum(done.values()) > earlier
