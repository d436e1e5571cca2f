"""Samples of locks put together: who held what for how long."""

from __future__ import annotations

from nonstop.check.observations import HeldLock, held_locks
from nonstop.descriptions.activity import LockSample


def held(mode: str = "ACCESS EXCLUSIVE", pid: int = 7, is_held: bool = True) -> LockSample:
    return LockSample(pid, "orders", mode, is_held, "ALTER TABLE orders ADD COLUMN note text")


def test_nothing_was_seen() -> None:
    assert held_locks([]) == ()
    assert held_locks([(0.0, []), (0.1, [])]) == ()


def test_a_lock_is_held_from_its_first_sight_to_its_last() -> None:
    (lock,) = held_locks([(1.0, [held()]), (1.2, [held()]), (1.5, [held()]), (1.6, [])])
    assert (lock.waited_ms, lock.held_ms) == (0, 500)


def test_waiting_is_told_apart_from_holding() -> None:
    (lock,) = held_locks(
        [(1.0, [held(is_held=False)]), (1.1, [held(is_held=False)]), (1.3, [held()]), (1.4, [held()])]
    )
    assert (lock.waited_ms, lock.held_ms) == (100, 100)


def test_of_two_like_it_the_longer_one_is_told() -> None:
    first = [(1.0, [held()]), (1.1, [held()]), (1.2, [])]
    second = [(2.0, [held()]), (2.4, [held()]), (2.5, [])]
    assert [lock.held_ms for lock in held_locks(first + second)] == [400]


def test_modes_and_sessions_are_kept_apart() -> None:
    at_once = [held(), held("SHARE"), held(pid=8, mode="SHARE ROW EXCLUSIVE")]
    assert {lock.mode for lock in held_locks([(1.0, at_once)])} == {
        "ACCESS EXCLUSIVE",
        "SHARE",
        "SHARE ROW EXCLUSIVE",
    }


def test_what_is_still_held_at_the_end_counts() -> None:
    assert held_locks([(1.0, [held()]), (1.3, [held()])]) == (
        HeldLock("orders", "ACCESS EXCLUSIVE", "ALTER TABLE orders ADD COLUMN note text", 0, 300),
    )
