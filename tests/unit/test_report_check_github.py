"""The annotations of ``check --format github``, exactly."""

from __future__ import annotations

from pathlib import Path

import pytest

from nonstop.descriptions.promises import Evidence, Promise, Verdict
from nonstop.report import check_github
from tests.support.check_results import BROKEN_OFF, DROPPED, KEPT_CHECK, REFUSED_CHECK, result

ROOT = Path("/repository")
FILE = "file=migrations/003_drop_vin.py"


def test_a_script_that_keeps_everything_has_no_annotation() -> None:
    assert check_github.lines(result(KEPT_CHECK), ROOT) == ["1 script, none refused."]


def test_each_thing_that_breaks_a_promise_is_an_error_beside_its_line() -> None:
    lines = check_github.lines(result(KEPT_CHECK, REFUSED_CHECK), ROOT)
    assert lines[:2] == [
        f"::error {FILE},line=9,title=003_drop_vin breaks%3A additive::the column orders.vin is gone%0AALTER TABLE orders DROP COLUMN vin",
        f"::notice {FILE},title=003_drop_vin%3A can be rolled back::not claimed: op.irreversible in a contract script",
    ]
    assert lines[-1] == "2 scripts, 1 refused."


def test_two_reasons_are_two_annotations() -> None:
    verdict = Verdict(Promise.ADDITIVE, False, (DROPPED, Evidence("so is orders.plate", breaks=True)))
    lines = check_github.script(REFUSED_CHECK._replace(verdicts=(verdict,), correction=None), ROOT)
    assert [line.split("::")[2] for line in lines] == [
        "the column orders.vin is gone%0AALTER TABLE orders DROP COLUMN vin",
        "so is orders.plate",
    ]


def test_what_to_write_instead_is_a_group_of_the_log() -> None:
    lines = check_github.script(REFUSED_CHECK, ROOT)
    begin = lines.index("::group::003_drop_vin: what to write instead")
    assert "    003_stop_using_vin.py" in lines[begin:]
    assert lines[-1] == "::endgroup::"


def test_what_could_not_be_tried_is_a_warning() -> None:
    verdict = Verdict(Promise.NO_DOWNTIME, None, reason="the server has no rows")
    lines = check_github.script(KEPT_CHECK._replace(verdicts=(verdict,)), ROOT)
    assert lines == [
        "::warning file=migrations/001_add_plate.py,title=001_add_plate%3A no downtime::the server has no rows"
    ]


def test_a_promise_that_is_broken_for_no_single_fact_says_its_reason() -> None:
    verdict = Verdict(Promise.DOCUMENTED, False, reason="no docstring")
    assert check_github.script(KEPT_CHECK._replace(verdicts=(verdict,)), ROOT) == [
        "::error file=migrations/001_add_plate.py,title=001_add_plate breaks%3A documented::no docstring"
    ]


def test_a_rehearsal_that_ended_early_is_an_error() -> None:
    assert check_github.lines(result(BROKEN_OFF), ROOT) == [
        "::error file=migrations/001_add_plate.py,line=12,title=001_add_plate could not be rehearsed to its end::NameError: no 'vin'%0Afurther words",
        "1 script, 1 refused.",
    ]


def test_what_belongs_to_no_script() -> None:
    told = result(KEPT_CHECK)._replace(target_changes=("orders: 3 rows more",), notes=("mind this",))
    assert check_github.lines(told, ROOT)[:2] == [
        "::error title=check has changed the target::orders: 3 rows more",
        "::notice title=check::mind this",
    ]


def test_a_file_outside_the_repository_is_named_as_it_is() -> None:
    [line, _] = check_github.lines(result(BROKEN_OFF), Path("/elsewhere"))
    assert line.startswith("::error file=/repository/migrations/001_add_plate.py,")


@pytest.mark.parametrize(
    ("text", "as_message", "as_property"),
    [
        ("100 %", "100 %25", "100 %25"),
        ("a\r\nb", "a%0D%0Ab", "a%0D%0Ab"),
        ("a: b, c", "a: b, c", "a%3A b%2C c"),
        ("%0A", "%250A", "%250A"),
        ("::error::x", "::error::x", "%3A%3Aerror%3A%3Ax"),
    ],
)
def test_what_would_end_an_annotation_is_escaped(text: str, as_message: str, as_property: str) -> None:
    assert check_github.annotation("error", text, title=text) == f"::error title={as_property}::{as_message}"


def test_an_annotation_without_properties() -> None:
    assert check_github.annotation("notice", "mind this") == "::notice::mind this"
