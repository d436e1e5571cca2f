"""Results of ``check`` as values, for the tests of its reports."""

from __future__ import annotations

from pathlib import Path

from nonstop.descriptions.promises import (
    Cell,
    CheckResult,
    CorrectedScript,
    Correction,
    Evidence,
    Place,
    Promise,
    ScriptCheck,
    Verdict,
)

PLACE = Place("an embedded server", "PostgreSQL 18.1", True, "in a network namespace of its own")
DROPPED = Evidence(
    "the column orders.vin is gone", True, 9, "ALTER TABLE orders\n  DROP COLUMN vin", {"rows": 4475}
)
BROKEN_READ = Evidence("Order can't be read: no such column: vin", breaks=True)
KEPT_FACTS = tuple(Evidence(f"fact {number}", line=number, sql="SELECT 1") for number in (1, 2, 3, 4))
CORRECTION = Correction(
    (
        CorrectedScript("003_stop_using_vin.py", '"""Migration 003."""\n\n\ndef apply():\n    return True\n'),
        CorrectedScript("004_drop_vin.py", 'phase = "contract"\n'),
    ),
    ("the release that no longer reads orders.vin", ""),
)
KEPT_CHECK = ScriptCheck(
    number=1,
    label="001_add_plate",
    path=Path("/repository/migrations/001_add_plate.py"),
    verdicts=tuple(Verdict(promise, True, KEPT_FACTS) for promise in Promise),
    matrix=(
        Cell("old", "before", True),
        Cell("new", "before", False, (BROKEN_READ,), "apply first, then deploy"),
    ),
    duration_ms=1234,
)
REFUSED_CHECK = ScriptCheck(
    number=3,
    label="003_drop_vin",
    path=Path("/repository/migrations/003_drop_vin.py"),
    verdicts=(
        Verdict(Promise.ADDITIVE, False, (KEPT_FACTS[0], DROPPED)),
        Verdict(Promise.NULLABLE, True, KEPT_FACTS),
        Verdict(Promise.REVERSIBLE, None, reason="not claimed: op.irreversible in a contract script"),
    ),
    matrix=(
        Cell("old", "before", True),
        Cell(
            "old",
            "after",
            False,
            (BROKEN_READ, KEPT_FACTS[0]),
            "the running release fails once it is applied",
        ),
        Cell("new", "before", None),
    ),
    correction=CORRECTION,
    duration_ms=900,
)
BROKEN_OFF = KEPT_CHECK._replace(
    verdicts=(), matrix=(), error="NameError: no 'vin'\nfurther words", error_line=12
)


def result(*scripts: ScriptCheck) -> CheckResult:
    """A rehearsal of these scripts that left the target alone."""
    return CheckResult("postgresql://user@db/felix_hub", PLACE, "v1.4.0", scripts, duration_ms=3400)
