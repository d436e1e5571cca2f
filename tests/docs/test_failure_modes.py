"""Each failure mode has a promise and its tests; each test that is named after one belongs to one."""

from __future__ import annotations

from tests.docs.failure_modes import MODES, named_after_modes


def test_each_mode_is_tested() -> None:
    assert list(MODES) == list(range(1, 42))
    assert set(named_after_modes()) == set(MODES)


def test_each_mode_has_a_promise() -> None:
    assert all(failure and promise for failure, promise in MODES.values())
