"""No promise is without a quick test, and the list would say so."""

from __future__ import annotations

import pytest

from nonstop import op
from nonstop.descriptions import promises as checked
from tests.promises import GROUPS, PROMISES
from tests.promises.__main__ import complaint, matched, without_tests
from tests.promises.promise import Promise, held


@pytest.mark.no_cover  # it collects tests, in a process of its own
def test_every_promise_has_a_quick_test() -> None:
    assert complaint(without_tests(matched())) == ""


def test_each_promise_has_a_name_of_its_own_and_tests() -> None:
    assert len({promise.name for promise in PROMISES}) == len(PROMISES)
    assert all(promise.sentence and promise.tests for promise in PROMISES)
    assert len(GROUPS["Failure modes on a busy PostgreSQL"]) == 41
    names = {promise.name for promise in PROMISES}
    assert {f"check: {promise.words}" for promise in checked.Promise} <= names
    assert {
        f"op.{verb} on {database}" for verb in op.__all__ for database in ("sqlite", "postgresql")
    } <= names
    assert {f"exit code {code}" for code in (*range(9), 130, 143)} <= names


def test_a_pattern_without_a_test_is_empty() -> None:
    promise = Promise("x", "y", ("a.py::test_x", "a.py::test_y[*sqlite*]", "b.py::* | a.py::test_z"))
    (found,) = held(
        [promise], ["a.py::test_x[1]", "a.py::test_x_y", "a.py::test_y[postgresql]", "a.py::test_z"]
    )
    assert found.all_tests == ["a.py::test_x[1]", "a.py::test_z"]
    assert found.empty == ["a.py::test_y[*sqlite*]"]
