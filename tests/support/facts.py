"""Makes the facts that planning looks at out of a few numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nonstop.descriptions.history import AppliedScript, InterruptedScript, LedgerState
from nonstop.descriptions.scripts import Direction, Edit, Problem, Script, ScriptFolder
from nonstop.plan import Facts, Plan, Request

FOLDER = Path("/somewhere/migrations")
FIRST_APPLY = datetime(2026, 1, 1, 12, tzinfo=UTC)


def script(number: int, name: str = "step", digits: str = "") -> Script:
    """The file of one number: ``003_step.py``."""
    digits = digits or f"{number:03d}"
    path = FOLDER / f"{digits}_{name}.py"
    return Script(number=number, digits=digits, name=name, path=path, text="", checksum=f"sha256:{number}")


def row(number: int, name: str = "step", run: str = "run-1", baseline: bool = False) -> AppliedScript:
    """The ledger's row of one number; the later the number, the later it was applied."""
    return AppliedScript(
        number=number,
        name=name,
        checksum=f"sha256:{number}",
        applied_at=FIRST_APPLY + timedelta(minutes=number),
        duration_ms=7,
        applied_by="olga",
        host="workshop",
        tool_version="0.1.0",
        run_id=run,
        baseline=baseline,
    )


def interrupted(
    number: int, direction: Direction = Direction.APPLY, last_statement: str = ""
) -> InterruptedScript:
    """The ledger's word of a script that was started and not ended."""
    return InterruptedScript(
        number=number,
        name="step",
        direction=direction.value,
        run_id="run-1",
        started_at=FIRST_APPLY,
        commits=1 if last_statement else 0,
        last_statement=last_statement,
    )


def facts(
    files: Iterable[int | Script],
    applied: Iterable[int | AppliedScript] = (),
    *,
    edits: Mapping[int, Edit] | None = None,
    stopped: Iterable[InterruptedScript] = (),
    failures: Mapping[int, str] | None = None,
    left_out: Iterable[int] = (),
    folder_problems: Sequence[Problem] = (),
    broken: Mapping[int, str] | None = None,
    irreversible: Iterable[int] = (),
    dependencies: Mapping[int, Sequence[int]] | None = None,
) -> Facts:
    """What is in the folder and in the ledger; numbers stand for the usual file and the usual row."""
    found = tuple(file if isinstance(file, Script) else script(file) for file in files)
    rows = [given if isinstance(given, AppliedScript) else row(given) for given in applied]
    ledger = LedgerState(
        exists=True,
        applied={given.number: given for given in rows},
        interrupted={given.number: given for given in stopped},
        failures=dict(failures or {}),
        left_out=frozenset(left_out),
    )

    def examine(asked: Script) -> Problem | None:
        if asked.number not in (broken or {}):
            return None
        return Problem(asked.number, f"{asked.path.name}: {(broken or {})[asked.number]}", "correct it")

    return Facts(
        ScriptFolder(FOLDER, found, tuple(folder_problems)),
        ledger,
        dict(edits or {}),
        examine=examine,
        can_roll_back=lambda asked: asked.number not in set(irreversible),
        depends_on=lambda asked: (dependencies or {}).get(asked.number, ()),
    )


def numbers(plan: Plan) -> list[int]:
    """The numbers of a plan, in the order in which they run."""
    return [planned.number for planned in plan.scripts]


APPLY = Request(Direction.APPLY)
ROLLBACK = Request(Direction.ROLLBACK)
