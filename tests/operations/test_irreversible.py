"""op.irreversible: there is no way back, and rollback says why."""

from __future__ import annotations

import pytest

from nonstop import op
from nonstop.errors import Refused
from tests.support.stage import Stage


def test_rollback_is_refused_and_nothing_changes(orders: Stage) -> None:
    orders.script(
        1, "op.drop_default('orders', 'status')", "op.irreversible('nobody knows the default any more')"
    )
    assert orders.run("apply").returncode == 0
    before = orders.look()
    ended = orders.run("rollback", "--yes")
    assert ended.returncode == 8, ended.output
    assert "can't be rolled back: nobody knows the default any more" in ended.output
    assert orders.look() == before
    assert "applied" in orders.run("status").output


def test_it_needs_no_run() -> None:
    with pytest.raises(Refused, match="why not"):
        op.irreversible("why not")
