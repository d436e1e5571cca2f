"""What a rollback runs, newest first, and what it refuses before anything runs."""

from __future__ import annotations

import pytest

from nonstop.descriptions.scripts import Direction, Edit, Problem
from nonstop.errors import Refused, UsageError, ValidationError
from nonstop.plan import Request, plan_rollback
from tests.support.facts import ROLLBACK, facts, interrupted, numbers, row, script


def rollback(**asked: object) -> Request:
    return Request(Direction.ROLLBACK, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("applied", "asked", "expected"),
    [
        ([], {}, []),
        ([1, 2, 3], {}, [3, 2, 1]),
        ([1, 3], {}, [3, 1]),
        ([1, 2, 3], {"to": 1}, [3, 2]),
        ([1, 2, 3], {"to": 0}, [3, 2, 1]),
        ([1, 2, 3], {"to": 3}, []),
        ([1, 3], {"to": 2}, [3]),  # 2 is pending: it stays so
        ([1, 2, 3], {"steps": 2}, [3, 2]),
        ([1, 2, 3], {"steps": 9}, [3, 2, 1]),
        ([1, 2, 3], {"only": 2}, [2]),
        ([1, 3], {"only": 2}, []),
    ],
)
def test_what_runs(applied: list[int], asked: dict[str, object], expected: list[int]) -> None:
    assert numbers(plan_rollback(rollback(**asked), facts([1, 2, 3], applied))) == expected


@pytest.mark.parametrize("asked", [{"to": 7}, {"only": 7}])
def test_a_number_that_no_script_has_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="no script with the number 7"):
        plan_rollback(rollback(**asked), facts([1], [1]))


def test_a_number_whose_file_is_gone_but_which_is_applied_can_be_kept() -> None:
    assert numbers(plan_rollback(rollback(to=2), facts([1, 3], [1, 2, 3]))) == [3]


def test_one_script_alone_says_that_later_ones_are_applied() -> None:
    assert plan_rollback(rollback(only=1), facts([1, 2], [1, 2])).notes == ("002 is applied already",)
    assert plan_rollback(rollback(only=2), facts([1, 2], [1, 2])).notes == ()


# --- the last run ---------------------------------------------------------------------------------


def test_last_run_is_what_the_last_apply_applied() -> None:
    applied = [row(1, run="a"), row(2, run="b"), row(3, run="b")]
    assert numbers(plan_rollback(rollback(last_run=True), facts([1, 2, 3], applied))) == [3, 2]


def test_last_run_goes_by_time_and_not_by_number() -> None:
    late = row(1, run="b")._replace(applied_at=row(9).applied_at)
    assert numbers(plan_rollback(rollback(last_run=True), facts([1, 2], [late, row(2, run="a")]))) == [1]


def test_a_baseline_is_no_run() -> None:
    applied = [row(1, run="a"), row(2, run="b", baseline=True)]
    assert numbers(plan_rollback(rollback(last_run=True), facts([1, 2], applied))) == [1]
    assert numbers(plan_rollback(rollback(last_run=True), facts([1], [row(1, baseline=True)]))) == []


def test_without_any_run_there_is_nothing_to_undo() -> None:
    assert numbers(plan_rollback(rollback(last_run=True), facts([1]))) == []


# --- interrupted scripts --------------------------------------------------------------------------


@pytest.mark.parametrize("direction", list(Direction))
def test_an_interrupted_script_is_undone_in_its_place(direction: Direction) -> None:
    applied = [1] if direction is Direction.APPLY else [1, 2]
    assert numbers(plan_rollback(ROLLBACK, facts([1, 2], applied, stopped=[interrupted(2, direction)]))) == [
        2,
        1,
    ]
    assert numbers(
        plan_rollback(rollback(only=2), facts([1, 2], applied, stopped=[interrupted(2, direction)]))
    ) == [2]


# --- refusals -------------------------------------------------------------------------------------


def test_a_script_without_a_way_back_refuses_all_before_the_first_runs() -> None:
    with pytest.raises(Refused, match=r"002_step has no rollback\(\)") as caught:
        plan_rollback(ROLLBACK, facts([1, 2, 3], [1, 2, 3], irreversible=[2]))
    assert "rollback --to 2" in caught.value.next_step
    assert numbers(plan_rollback(rollback(to=2), facts([1, 2, 3], [1, 2, 3], irreversible=[2]))) == [3]


def test_a_file_that_is_gone_is_refused_where_it_is_needed() -> None:
    gone = facts([1, 3], [1, 2, 3])
    with pytest.raises(ValidationError, match="002_step is applied, but its file is gone"):
        plan_rollback(ROLLBACK, gone)
    assert numbers(plan_rollback(rollback(steps=1), gone)) == [3]


def test_an_interrupted_script_whose_file_is_gone_is_refused() -> None:
    with pytest.raises(ValidationError, match="002_step is interrupted, but its file is gone"):
        plan_rollback(ROLLBACK, facts([1], [1], stopped=[interrupted(2)]))


def test_a_real_edit_is_refused_where_it_is_needed_unless_allowed() -> None:
    edited = facts([1, 2], [1, 2], edits={1: Edit.REAL})
    with pytest.raises(ValidationError, match=r"001_step\.py was changed after it was applied"):
        plan_rollback(ROLLBACK, edited)
    assert numbers(plan_rollback(rollback(steps=1), edited)) == [2]
    assert numbers(plan_rollback(rollback(allow_edited=True), edited)) == [2, 1]


def test_a_cosmetic_edit_stops_nothing() -> None:
    assert numbers(plan_rollback(ROLLBACK, facts([1], [1], edits={1: Edit.COSMETIC}))) == [1]


def test_a_renamed_file_is_refused() -> None:
    with pytest.raises(ValidationError, match="was applied as 001_old"):
        plan_rollback(ROLLBACK, facts([script(1, "new")], [row(1, "old")]))


def test_a_broken_file_is_refused() -> None:
    with pytest.raises(ValidationError, match="is broken"):
        plan_rollback(ROLLBACK, facts([1], [1], broken={1: "is broken"}))


def test_only_problems_of_the_chosen_numbers_count() -> None:
    twice = Problem(2, "two scripts have the number 2", "renumber one")
    assert numbers(plan_rollback(rollback(only=1), facts([1, 2], [1, 2], folder_problems=[twice]))) == [1]
    with pytest.raises(ValidationError, match="two scripts have the number 2"):
        plan_rollback(ROLLBACK, facts([1, 2], [1, 2], folder_problems=[twice]))


# --- dependencies ---------------------------------------------------------------------------------


def test_a_script_that_another_applied_one_needs_is_refused_alone() -> None:
    needed = facts([1, 2], [1, 2], dependencies={2: [1]})
    with pytest.raises(ValidationError, match="002_step is applied and depends on 001") as caught:
        plan_rollback(rollback(only=1), needed)
    assert caught.value.next_step == "roll back 002_step first"
    assert numbers(plan_rollback(ROLLBACK, needed)) == [2, 1]


def test_a_pending_script_needs_nobody() -> None:
    assert numbers(plan_rollback(rollback(only=1), facts([1, 2], [1], dependencies={2: [1]}))) == [1]
