"""Each failure mode has its tests, or says why it has none; each test that is named after one belongs to one."""

from __future__ import annotations

from tests.docs.failure_modes import LATER, MODES, named_after_modes


def test_each_mode_that_the_tool_can_meet_is_tested() -> None:
    tested = set(named_after_modes())
    later = {number for number, (_, promise) in MODES.items() if promise.startswith(LATER)}
    assert set(range(1, 37)) <= set(MODES)
    assert tested == set(MODES) - later


def test_each_mode_has_a_promise() -> None:
    assert all(failure and promise for failure, promise in MODES.values())
