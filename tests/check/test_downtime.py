"""What is worth measuring again, because a busy machine may have made it last."""

from __future__ import annotations

from pathlib import Path

import pytest

from nonstop.check import downtime
from nonstop.check.acts import Failure, Ran
from nonstop.check.observations import HeldLock, Measured, Observations
from nonstop.databases.fingerprint import Snapshot
from nonstop.descriptions.scripts import Direction, Script

BUDGET_MS = 500
TABLES = Snapshot({"tables": {"orders": {}}, "views": {}}, {}, {})


def _seen(failure: Failure | None, held_ms: int, relation: str = "orders") -> Observations:
    ran = Ran(None, failure, 1)
    lock = HeldLock(relation, "ACCESS EXCLUSIVE", "ALTER TABLE orders ADD COLUMN note text", 0, held_ms)
    measured = Measured(Direction.APPLY, ran, {"orders": 20_000}, (lock,), ())
    script = Script(1, "001", "notes", Path("001_notes.py"), "", "")
    return Observations(
        script, False, None, True, BUDGET_MS, ran, (), TABLES, TABLES, measured=[measured]
    )  # fmt: skip


def _failure(*, made_way: bool) -> Failure:
    return Failure("Stopped", "001_notes was stopped", (), "", 1, 0, made_way=made_way)


@pytest.mark.parametrize(
    ("failure", "held_ms", "relation", "expected"),
    [
        (None, BUDGET_MS, "orders", False),
        (None, BUDGET_MS + 1, "orders", True),
        (None, BUDGET_MS + 1, "new_orders", False),
        (_failure(made_way=True), 0, "orders", True),
        (_failure(made_way=False), 0, "orders", False),
    ],
)
def test_only_what_time_alone_is_against(
    failure: Failure | None, held_ms: int, relation: str, expected: bool
) -> None:
    assert downtime.is_about_time(_seen(failure, held_ms, relation)) is expected
