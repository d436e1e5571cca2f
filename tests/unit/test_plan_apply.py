"""What an apply runs, in which order, and what it refuses before anything runs."""

from __future__ import annotations

import pytest

from nonstop.descriptions.scripts import Direction, Edit, Problem
from nonstop.errors import UsageError, ValidationError
from nonstop.plan import Request, plan_apply
from tests.support.facts import APPLY, facts, interrupted, numbers, row, script


def apply(**asked: object) -> Request:
    return Request(Direction.APPLY, **asked)  # type: ignore[arg-type]


# --- which, and in which order --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "applied", "asked", "expected"),
    [
        ([], [], {}, []),
        ([1, 2, 3], [], {}, [1, 2, 3]),
        ([1, 2, 3], [1], {}, [2, 3]),
        ([1, 2, 3], [1, 2, 3], {}, []),
        ([1, 2, 3], [1], {"to": 2}, [2]),
        ([1, 2, 3], [1, 2], {"to": 1}, []),
        ([1, 2, 3], [], {"steps": 2}, [1, 2]),
        ([1, 2, 3], [2], {"steps": 9, "out_of_order": True}, [1, 3]),
        ([1, 2, 3], [], {"only": 2}, [2]),
        ([1, 2, 3], [2], {"only": 2}, []),
        ([1, 2, 3], [3], {"only": 1}, [1]),
    ],
)
def test_what_runs(
    files: list[int], applied: list[int], asked: dict[str, object], expected: list[int]
) -> None:
    assert numbers(plan_apply(apply(**asked), facts(files, applied))) == expected


@pytest.mark.parametrize("asked", [{"to": 7}, {"only": 7}])
def test_a_number_that_no_script_has_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="no script with the number 7") as caught:
        plan_apply(apply(**asked), facts([1, 2]))
    assert "001, 002" in caught.value.next_step


def test_the_last_five_scripts_are_offered_instead() -> None:
    with pytest.raises(UsageError) as caught:
        plan_apply(apply(to=99), facts(range(1, 9)))
    assert "the last ones: 004, 005, 006, 007, 008" in caught.value.next_step


def test_an_empty_folder_has_none_to_offer() -> None:
    with pytest.raises(UsageError) as caught:
        plan_apply(apply(only=1), facts([]))
    assert "the last ones: none" in caught.value.next_step


# --- order ----------------------------------------------------------------------------------------


def test_a_pending_script_older_than_an_applied_one_is_refused() -> None:
    with pytest.raises(
        ValidationError, match=r"002_step\.py is pending, but 003 is applied already"
    ) as caught:
        plan_apply(APPLY, facts([1, 2, 3, 4], [1, 3]))
    assert "renumber 002_step.py" in caught.value.next_step
    assert "--out-of-order" in caught.value.next_step


def test_out_of_order_runs_it_in_its_place() -> None:
    assert numbers(plan_apply(apply(out_of_order=True), facts([1, 2, 3, 4], [1, 3]))) == [2, 4]


def test_a_script_that_is_known_to_be_left_out_is_taken_up_without_a_flag() -> None:
    assert numbers(plan_apply(APPLY, facts([1, 2, 3], [1, 3], left_out=[2]))) == [2]


def test_a_script_whose_apply_was_interrupted_is_taken_up_without_a_flag() -> None:
    assert numbers(plan_apply(APPLY, facts([1, 2, 3], [1, 3], stopped=[interrupted(2)]))) == [2]


def test_a_script_whose_rollback_was_interrupted_is_applied_again() -> None:
    stopped = [interrupted(2, Direction.ROLLBACK)]
    assert numbers(plan_apply(APPLY, facts([1, 2, 3], [1, 2, 3], stopped=stopped))) == [2]
    assert numbers(plan_apply(apply(only=2), facts([1, 2, 3], [1, 2, 3], stopped=stopped))) == [2]


def test_one_script_alone_says_that_later_ones_are_applied() -> None:
    assert plan_apply(apply(only=1), facts([1, 2, 3], [2, 3])).notes == ("002, 003 are applied already",)
    assert plan_apply(apply(only=1), facts([1, 2], [2])).notes == ("002 is applied already",)
    assert plan_apply(apply(only=2), facts([1, 2, 3], [1])).notes == ()


def test_one_script_alone_that_is_applied_says_so() -> None:
    assert plan_apply(apply(only=1), facts([1], [1])).notes == ("001_step is applied already",)


# --- gaps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "applied", "message"),
    [
        ([1, 3], [], "there is no script 002 between 001 and 003"),
        ([1, 5], [1], "there is no script 002 to 004 between 001 and 005"),
        ([1, 3, 4], [1, 3], "there is no script 002 between 001 and 003"),
    ],
)
def test_a_gap_before_a_pending_script_is_refused(files: list[int], applied: list[int], message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        plan_apply(APPLY, facts(files, applied))
    assert "--out-of-order" in caught.value.next_step


@pytest.mark.parametrize(
    ("files", "applied"),
    [
        ([1, 3], [1, 3]),  # nothing comes after it any more
        ([5, 6], []),  # a folder may begin anywhere
        ([20260101120000, 20260301080000], []),  # dates, not a sequence
        ([1, 2, 20260101], [1]),
    ],
)
def test_what_is_no_gap(files: list[int], applied: list[int]) -> None:
    assert numbers(plan_apply(APPLY, facts(files, applied))) == [n for n in files if n not in applied]


def test_a_gap_can_be_passed_over() -> None:
    assert numbers(plan_apply(apply(out_of_order=True), facts([1, 3]))) == [1, 3]
    assert numbers(plan_apply(apply(only=3), facts([1, 3]))) == [3]


def test_an_applied_script_whose_file_is_gone_is_a_note_and_no_gap() -> None:
    plan = plan_apply(APPLY, facts([1, 3, 4], [1, 2, 3]))
    assert numbers(plan) == [4]
    assert plan.notes == ("002_step is applied, but its file is gone",)


# --- edited files ---------------------------------------------------------------------------------


def test_a_cosmetic_edit_is_a_note() -> None:
    plan = plan_apply(APPLY, facts([1, 2], [1], edits={1: Edit.COSMETIC}))
    assert numbers(plan) == [2]
    assert plan.notes == ("001_step.py was edited since it was applied (comments or formatting only)",)


def test_a_real_edit_is_refused_unless_it_is_allowed() -> None:
    edited = facts([1, 2], [1], edits={1: Edit.REAL})
    with pytest.raises(ValidationError, match=r"001_step\.py was changed after it was applied") as caught:
        plan_apply(APPLY, edited)
    assert "--allow-edited" in caught.value.next_step
    assert "repair" in caught.value.next_step
    assert numbers(plan_apply(apply(allow_edited=True), edited)) == [2]


def test_a_renamed_file_counts_as_edited() -> None:
    renamed = facts([script(1, "new_name"), 2], [row(1, "old_name")])
    with pytest.raises(ValidationError, match=r"001_new_name\.py was applied as 001_old_name\.py"):
        plan_apply(APPLY, renamed)
    assert numbers(plan_apply(apply(allow_edited=True), renamed)) == [2]


def test_one_script_alone_cares_for_its_own_edit_only() -> None:
    edited = facts([1, 2], [1], edits={1: Edit.REAL})
    assert numbers(plan_apply(apply(only=2), edited)) == [2]
    with pytest.raises(ValidationError, match="was changed after"):
        plan_apply(apply(only=1), edited)
    assert plan_apply(apply(only=1, allow_edited=True), edited).scripts == ()


# --- broken files ---------------------------------------------------------------------------------


def test_a_broken_pending_script_stops_all_before_the_first_runs() -> None:
    with pytest.raises(ValidationError, match=r"002_step\.py: has no apply"):
        plan_apply(APPLY, facts([1, 2], broken={2: "has no apply"}))


@pytest.mark.parametrize("asked", [{"to": 1}, {"steps": 1}, {"only": 1}])
def test_a_broken_script_that_is_not_asked_for_stops_nothing(asked: dict[str, object]) -> None:
    assert numbers(plan_apply(apply(**asked), facts([1, 2], broken={2: "has no apply"}))) == [1]


def test_an_applied_script_is_not_examined() -> None:
    assert numbers(plan_apply(APPLY, facts([1, 2], [1], broken={1: "has no apply"}))) == [2]


def test_every_reason_is_told_at_once_and_each_once() -> None:
    bad_name = Problem(None, "3-x.py: not a migration name", "name it like 003_add_a_column.py")
    with pytest.raises(ValidationError) as caught:
        plan_apply(
            APPLY,
            facts(
                [1, 2],
                [1],
                edits={1: Edit.REAL},
                broken={2: "is broken"},
                folder_problems=[bad_name, bad_name],
            ),
        )
    assert caught.value.message == bad_name.message
    assert [detail.split(". Next: ")[0] for detail in caught.value.details] == [
        "001_step.py was changed after it was applied",
        "002_step.py: is broken",
    ]


def test_one_script_alone_is_stopped_only_by_a_problem_of_its_own_number() -> None:
    twice = Problem(2, "two scripts have the number 2", "renumber one")
    doubled = facts([1, 2], folder_problems=[twice])
    assert numbers(plan_apply(apply(only=1), doubled)) == [1]
    with pytest.raises(ValidationError, match="two scripts have the number 2"):
        plan_apply(apply(only=2), doubled)


def test_one_script_alone_is_examined() -> None:
    with pytest.raises(ValidationError, match="has no apply"):
        plan_apply(apply(only=1), facts([1], broken={1: "has no apply"}))


# --- dependencies ---------------------------------------------------------------------------------


def test_a_dependency_that_runs_before_is_met() -> None:
    assert numbers(plan_apply(APPLY, facts([1, 2], dependencies={2: [1]}))) == [1, 2]


def test_a_dependency_that_is_applied_is_met() -> None:
    assert numbers(plan_apply(apply(only=2), facts([1, 2], [1], dependencies={2: [1]}))) == [2]


@pytest.mark.parametrize(
    ("applied", "stopped"), [([], []), ([1], [interrupted(1)]), ([1], [interrupted(1, Direction.ROLLBACK)])]
)
def test_a_dependency_that_is_lacking_or_half_done_is_refused(applied: list[int], stopped: list) -> None:
    with pytest.raises(ValidationError, match="002_step depends on 001, not applied") as caught:
        plan_apply(apply(only=2), facts([1, 2], applied, stopped=stopped, dependencies={2: [1]}))
    assert caught.value.next_step == "apply 001 first, or all: apply"


def test_a_dependency_on_a_later_script_is_refused() -> None:
    with pytest.raises(ValidationError, match="001_step depends on 002, 003, not applied"):
        plan_apply(APPLY, facts([1, 2, 3], dependencies={1: [2, 3]}))
