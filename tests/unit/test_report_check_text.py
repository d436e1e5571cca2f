"""The words of ``check`` for people, exactly."""

from __future__ import annotations

import pytest

from nonstop.descriptions.promises import Cell, Place, Promise, Verdict
from nonstop.report import check_text
from tests.support.check_results import (
    BROKEN_OFF,
    DROPPED,
    KEPT_CHECK,
    KEPT_FACTS,
    PLACE,
    REFUSED_CHECK,
    result,
)

HEAD = [
    "Database   postgresql://user@db/felix_hub",
    "Rehearsal  an embedded server (PostgreSQL 18.1), isolated: in a network namespace of its own",
    "Against    v1.4.0",
]


def test_a_script_that_keeps_everything_takes_one_line_for_each_promise() -> None:
    assert check_text.lines(result(KEPT_CHECK)) == [
        *HEAD,
        "",
        "001_add_plate  keeps all promises  (1.2 s)",
        "  additive                      yes  fact 1",
        "  nullable at first             yes  fact 1",
        "  compatible with running code  yes  fact 1",
        "  can be rolled back            yes  fact 1",
        "  idempotent                    yes  fact 1",
        "  survives a crash              yes  fact 1",
        "  no downtime                   yes  fact 1",
        "  documented                    yes  fact 1",
        "  new code on the schema before it: fails; apply first, then deploy",
        "",
        "1 script, none refused, in 3.4 s.  More facts: -v",
        "Next: apply what is pending, then deploy the new code",
    ]


def test_a_refused_script_is_told_with_its_facts_the_matrix_and_what_to_write_instead() -> None:
    assert check_text.lines(result(REFUSED_CHECK)) == [
        *HEAD,
        "",
        "003_drop_vin  refused: breaks additive  (900 ms)",
        "  additive                      NO   the column orders.vin is gone",
        "                                       line 9: ALTER TABLE orders DROP COLUMN vin",
        "                                     also: fact 1",
        "  nullable at first             yes  fact 1",
        "                                     fact 2",
        "                                     fact 3",
        "  can be rolled back            -    not claimed: op.irreversible in a contract script",
        "",
        "    code  schema",
        "    old   before  works",
        "    old   after   FAILS  the running release fails once it is applied",
        "                         Order can't be read: no such column: vin",
        "    new   before  -",
        "",
        "  Write instead:",
        "",
        "    003_stop_using_vin.py",
        "",
        '      """Migration 003."""',
        "",
        "",
        "      def apply():",
        "          return True",
        "",
        "    then deploy: the release that no longer reads orders.vin",
        "",
        "    004_drop_vin.py",
        "",
        '      phase = "contract"',
        "",
        "1 script, 1 refused, in 3.4 s.  More facts: -v",
        "Next: write the corrected scripts, and run check again",
    ]


def test_verbose_shows_every_fact_with_its_statement_and_its_numbers() -> None:
    lines = check_text.lines(result(REFUSED_CHECK), verbose=True)
    assert lines[5:10] == [
        "  additive                      NO   the column orders.vin is gone",
        "                                       line 9: ALTER TABLE orders DROP COLUMN vin",
        "                                       rows 4475",
        "                                     also: fact 1",
        "                                       line 1: SELECT 1",
    ]
    assert "                                     fact 4" in lines
    assert lines.count("                         fact 1") == 1  # in the matrix
    assert "1 script, 1 refused, in 3.4 s." in lines


def test_verbose_shows_the_matrix_of_a_script_that_is_not_refused() -> None:
    brief, full = (check_text.lines(result(KEPT_CHECK), verbose) for verbose in (False, True))
    assert "    old   before  works" not in brief
    assert "    old   before  works" in full


def test_a_rehearsal_that_ended_early_says_where_and_why() -> None:
    assert check_text.script(BROKEN_OFF) == [
        "001_add_plate  refused: could not be rehearsed to its end  (1.2 s)",
        "  line 12: NameError: no 'vin'",
        "    further words",
    ]
    assert check_text.next_step(result(BROKEN_OFF)) == "correct 001_add_plate.py, and run check again"


def test_only_what_fails_says_something_of_the_order_of_deployment() -> None:
    untried = KEPT_CHECK._replace(matrix=(Cell("old", "before", None), Cell("new", "before", False)))
    assert check_text.script(untried)[9:] == ["  new code on the schema before it: fails"]


def test_labels_stand_in_one_column() -> None:
    lines = check_text.lines(result(KEPT_CHECK, REFUSED_CHECK._replace(label="003_drop_the_vin")))
    assert "001_add_plate     keeps all promises  (1.2 s)" in lines
    assert "003_drop_the_vin  refused: breaks additive  (900 ms)" in lines
    assert "2 scripts, 1 refused, in 3.4 s.  More facts: -v" in lines


def test_a_promise_that_is_open_is_not_counted_as_kept() -> None:
    open_one = Verdict(Promise.NO_DOWNTIME, None, KEPT_FACTS, reason="could not be tried")
    verdicts = (*KEPT_CHECK.verdicts[:6], open_one, *KEPT_CHECK.verdicts[7:])
    found = check_text.script(KEPT_CHECK._replace(verdicts=verdicts))
    assert found[0] == "001_add_plate  keeps 7 of 8 promises  (1.2 s)"
    assert found[7:9] == [
        "  no downtime                   -    could not be tried",
        "  documented                    yes  fact 1",
    ]


def test_a_target_that_was_changed_is_told_last() -> None:
    changed = result(KEPT_CHECK)._replace(target_changes=("orders: 3 rows more",))
    assert check_text.lines(changed)[-5:] == [
        "The target is NOT as it was before the rehearsal:",
        "  orders: 3 rows more",
        "",
        "1 script, none refused, in 3.4 s.  More facts: -v",
        "Next: find out which script reaches the target by an address of its own, and put right what it has changed there",
    ]


def test_notes_stand_below_the_head() -> None:
    noted = result(KEPT_CHECK)._replace(notes=("no sample of rows was taken",))
    assert check_text.lines(noted)[3:5] == ["Note: no sample of rows was taken", ""]


def test_nothing_to_check() -> None:
    assert check_text.lines(result()) == [
        "Nothing to check on postgresql://user@db/felix_hub.  Next: check --all"
    ]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (PLACE._replace(is_isolated=False), "an embedded server (PostgreSQL 18.1), NOT isolated: in a network namespace of its own"),
        (Place("a copy of the file", "", True, ""), "a copy of the file, isolated"),
    ],
)  # fmt: skip
def test_the_place(where: Place, expected: str) -> None:
    assert check_text.place(where) == expected


def test_a_fact_without_a_statement_or_a_line() -> None:
    verdict = Verdict(Promise.ADDITIVE, False, (DROPPED._replace(sql=""), DROPPED._replace(line=0)))
    found = check_text.script(REFUSED_CHECK._replace(verdicts=(verdict,), matrix=(), correction=None))
    assert [line.strip() for line in found[2::2]] == ["line 9", "ALTER TABLE orders DROP COLUMN vin"]


def test_a_long_statement_is_shortened() -> None:
    assert check_text.statement("SELECT " + "x" * 200) == "SELECT " + "x" * 92 + "…"
    assert check_text.statement("SELECT\n  1") == "SELECT 1"
