"""Each verb of ``op`` on each database: applied, rolled back and applied again, or refused where there is no such verb yet."""

from __future__ import annotations

from nonstop import op
from tests.promises.promise import BOTH, Promise, on

ROUND_TRIP = (
    "tests/operations/test_{verb}.py::test_round_trip | tests/operations/test_{verb}.py::test_there_and_back*"
)
OTHERWISE = {
    "add_enum_value": (
        "can be applied again and after a rollback, which leaves the value; nothing to do on SQLite",
        "tests/operations/test_add_enum_value.py::test_apply_again_and_after_a_rollback",
    ),
    "irreversible": (
        "refuses the rollback, and nothing changes",
        "tests/operations/test_irreversible.py::test_rollback_is_refused_and_nothing_changes",
    ),
    "validate_constraint": (
        "leads there and back; nothing to do on SQLite",
        "tests/operations/test_validate_constraint.py::test_round_trip",
    ),
    "rename_column": (
        "is refused until it exists, and nothing changes",
        "tests/operations/test_verbs_to_come.py::test_c18_c19_a_verb_that_would_need_a_trigger_is_refused_and_nothing_changes[{database}-rename_column*]",
    ),
    "alter_type": (
        "is refused until it exists, and nothing changes",
        "tests/operations/test_verbs_to_come.py::test_c18_c19_a_verb_that_would_need_a_trigger_is_refused_and_nothing_changes[{database}-alter_type*]",
    ),
    "backfill": (
        "is refused until it exists, and nothing changes",
        "tests/operations/test_verbs_to_come.py::test_c11_c16_c37_c38_a_backfill_is_refused_and_nothing_changes",
    ),
}
"""Verbs that are not like the others."""


def _promise(verb: str, database: str) -> Promise:
    sentence, test = OTHERWISE.get(verb, ("leads there, back and there again", ROUND_TRIP.format(verb=verb)))
    tests = test.format(database=database) if "[" in test else " | ".join(on([database], *test.split(" | ")))
    return Promise(f"op.{verb} on {database}", f"{sentence}", (tests,))


PROMISES = (
    *(_promise(verb, database) for verb in sorted(op.__all__) for database in BOTH),
    Promise(
        "op beside an application",
        "while one reads and writes, a verb leads there, back and there again without an error and without a stall",
        on(BOTH, "tests/operations/test_under_traffic.py::test_there_and_back_and_there_again"),
    ),
    Promise(
        "op in any order",
        "any operations leave what plain statements would have left, and a rollback what was there before",
        (
            "tests/operations/test_any_operations.py::test_on_sqlite",
            "tests/operations/test_any_operations.py::test_on_postgresql",
        ),
    ),
    Promise(
        "op and a rebuilt table",
        "where SQLite's tables have to be rebuilt, nothing is lost",
        ("tests/operations/test_rebuild.py::test_nothing_is_lost",),
    ),
)
