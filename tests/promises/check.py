"""The eight promises of ``check``: a good script keeps each, and a mutant breaks it."""

from __future__ import annotations

from nonstop.descriptions import promises as checked
from tests.promises.promise import Promise

GOOD = "tests/check/test_mutants.py::test_the_good_ones_keep_all_promises"
MUTANT = "tests/check/test_mutants.py::test_a_mutant_breaks_its_promise_and_no_other[{promise}-*]"
COMMAND = "tests/check/test_check_command.py::"

PROMISES = (
    *(
        Promise(
            f"check: {promise.words}",
            f"a script that is {promise.words!r} passes, and one that only differs in that is refused for it",
            (GOOD, MUTANT.format(promise=promise.value)),
        )
        for promise in checked.Promise
    ),
    Promise(
        "check: correction",
        "a refused script comes with the script to write instead, which passes",
        (COMMAND + "test_a_bad_one_is_refused_with_the_script_to_write_instead",),
    ),
    Promise(
        "check: target",
        "the target is not touched while a script is rehearsed",
        (
            "tests/check/test_grounds.py::test_the_target_is_not_touched[*sqlite*]",
            "tests/check/test_grounds.py::test_the_target_is_not_touched[*postgresql*]",
        ),
    ),
)
