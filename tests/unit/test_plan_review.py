"""What status says of each script, and what it warns of."""

from __future__ import annotations

import pytest

from nonstop.descriptions.results import State
from nonstop.descriptions.scripts import Direction, Edit, Problem
from nonstop.plan import Facts, problems, review
from tests.support.facts import facts, interrupted, row, script


@pytest.mark.parametrize(
    ("given", "state", "note"),
    [
        (facts([1]), State.PENDING, ""),
        (facts([1], [1]), State.APPLIED, ""),
        (facts([1], [row(1, baseline=True)]), State.BASELINE, ""),
        (facts([1], [1], edits={1: Edit.REAL}), State.EDITED, "the file was changed after it was applied"),
        (
            facts([1], [1], edits={1: Edit.COSMETIC}),
            State.APPLIED,
            "edited since (comments or formatting only)",
        ),
        (facts([script(1, "new")], [row(1, "old")]), State.EDITED, "was applied as 001_old"),
        (facts([1, 2], [2]), State.OUT_OF_ORDER, "002 is applied already"),
        (facts([1, 2], [2], left_out=[1]), State.PENDING, ""),
        (facts([], [1]), State.MISSING, "applied, but its file is gone"),
        (facts([1], stopped=[interrupted(1)]), State.INTERRUPTED, "apply stopped"),
        (
            facts([1], [1], stopped=[interrupted(1, Direction.ROLLBACK, "DROP TABLE x")]),
            State.INTERRUPTED,
            "rollback stopped after DROP TABLE x",
        ),
        (facts([], stopped=[interrupted(1)]), State.INTERRUPTED, "apply stopped, and its file is gone"),
        (
            facts([], [1], stopped=[interrupted(1, Direction.ROLLBACK)]),
            State.INTERRUPTED,
            "rollback stopped, and its file is gone",
        ),
        (facts([1], failures={1: "no such table"}), State.FAILED, "no such table"),
        (facts([1], broken={1: "syntax error"}), State.BROKEN, "001_step.py: syntax error"),
        (
            facts([1], broken={1: "syntax error"}, failures={1: "x"}),
            State.BROKEN,
            "001_step.py: syntax error",
        ),
    ],
)
def test_the_state_of_a_script(given: Facts, state: State, note: str) -> None:
    first = review(given)[0]
    assert (first.number, first.state, first.note) == (1, state, note)


def test_every_number_has_one_row_in_order() -> None:
    rows = review(facts([3, 1], [1, 2]))
    assert [(found.number, found.state) for found in rows] == [
        (1, State.APPLIED),
        (2, State.MISSING),
        (3, State.PENDING),
    ]


def test_a_row_carries_what_the_ledger_knows() -> None:
    found = review(facts([1], [1]))[0]
    assert (found.applied_by, found.host, found.duration_ms, found.run_id) == ("olga", "workshop", 7, "run-1")
    assert found.applied_at == row(1).applied_at


def test_digits_are_shown_as_the_file_has_them() -> None:
    assert [found.label for found in review(facts([script(7, digits="0007")]))] == ["0007_step"]


@pytest.mark.parametrize("state", list(State))
def test_pending_states_are_those_that_an_apply_still_runs(state: State) -> None:
    assert state.is_pending == (state.value in ("pending", "out of order", "interrupted", "failed", "broken"))


def test_without_trouble_there_are_no_problems() -> None:
    assert problems(facts([1, 2, 3], [1, 2])) == ()


def test_everything_that_is_wrong_is_a_problem_with_a_next_step() -> None:
    bad_name = Problem(None, "7-x.py: not a migration name", "name it like 003_add_a_column.py")
    found = problems(
        facts(
            [1, 3, 5], [1, 2], edits={1: Edit.REAL}, broken={5: "has no apply()"}, folder_problems=[bad_name]
        )
    )
    assert [problem.message for problem in found] == [
        "7-x.py: not a migration name",
        "there is no script 004 between 003 and 005",
        "001_step.py was changed after it was applied",
        "002_step is applied, but its file is gone",
        "005_step.py: has no apply()",
    ]
    assert all(problem.next_step for problem in found)
