"""op.validate_constraint: what was added NOT VALID holds for old rows too."""

from __future__ import annotations

from nonstop.descriptions.operations import ValidateConstraint
from tests.support.stage import Stage, fill


def test_round_trip(orders: Stage) -> None:
    # There is no way to make a constraint unvalidated, so what is undone is the constraint.
    orders.round_trip(
        "op.add_check('small', 'orders', 'amount < 100')\nop.validate_constraint('small', 'orders')",
        "op.drop_constraint('small', 'orders')",
    )


def test_an_unvalidated_one_is_validated(postgres_stage: Stage) -> None:
    fill(postgres_stage)
    postgres_stage.sql("ALTER TABLE orders ADD CONSTRAINT small CHECK (amount < 100) NOT VALID")
    postgres_stage.script(1, "op.validate_constraint('small', 'orders')")
    assert postgres_stage.value("SELECT convalidated FROM pg_constraint WHERE conname = 'small'") is False
    ended = postgres_stage.run("apply")
    assert ended.returncode == 0, ended.output
    assert postgres_stage.value("SELECT convalidated FROM pg_constraint WHERE conname = 'small'") is True


def test_a_missing_constraint_is_named(orders: Stage) -> None:
    orders.fails("op.validate_constraint('nothing', 'orders')", "there is no constraint nothing on orders")


def test_emitted_sql(emitted) -> None:
    statements = emitted(ValidateConstraint("small", "orders", None), "postgresql")
    assert statements == ["ALTER TABLE orders VALIDATE CONSTRAINT small"]
