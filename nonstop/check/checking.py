"""``check`` as a story: a place to rehearse, then one script after the other, then a look whether the target is as it was."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from nonstop.check.acts import Setting
from nonstop.check.rehearsal import AT_A_TIME, Asked, Theatre
from nonstop.check.stage import Stage
from nonstop.check.stagehand import importing
from nonstop.check.target_watch import TargetWatch
from nonstop.databases.rehearsal import Ground, Scratch
from nonstop.descriptions.promises import CheckResult, ScriptCheck
from nonstop.descriptions.scripts import Direction, Script
from nonstop.errors import UsageError
from nonstop.plan import Facts, script_with
from nonstop.runner import Runner

if TYPE_CHECKING:
    from nonstop.check.running_code.source import CodeSource

IMPORTS_MUCH = "nonstop.check.one_script"
"""SQLAlchemy among others: not at the top, for that would keep the stage waiting."""
LONGEST_RUN = 120.0
"""Seconds that one run of a script may take in rehearsal."""


class CheckRequest(NamedTuple):
    """What is to be checked: the pending scripts, ``every`` one, or ``only`` one number.

    ``against`` is the code that runs now (a folder or a git ref), ``module`` what is imported for its models; ``rows`` is
    the size of the tables that locks are measured on; ``with_data`` takes a sample of the target's rows along.
    """

    every: bool = False
    only: int | None = None
    against: str | None = None
    module: str | None = None
    with_data: bool = False
    rows: int = 20_000
    rehearsal_url: str | None = None


def check(runner: Runner, request: CheckRequest, say: Callable[[str], None]) -> CheckResult:
    """Rehearse the scripts that were asked for. ``say`` is told what is being done. The target is only read.

    Raises UsageError where there is no place for a rehearsal or no such script.
    """
    return Check(runner, request, say).run()


class Check:
    """One check of one target."""

    def __init__(self, runner: Runner, request: CheckRequest, say: Callable[[str], None]) -> None:
        self._runner = runner
        self._request = request
        self._say = say
        self._started = time.monotonic()
        self._notes: list[str] = []
        self._stage: Stage | None = None

    def run(self) -> CheckResult:
        runner, request = self._runner, self._request
        with closing(runner.database.connect_reading()) as connection:
            facts = runner.facts(connection)
        chosen = self._chosen(facts)
        own = runner.ledger().table_names
        with ExitStack() as stack:
            stack.callback(self._close_stage)
            ground = stack.enter_context(
                runner.database.rehearsals.ground(request.rehearsal_url, own, self._open_stage)
            )
            from nonstop.check.running_code.source import DERIVED

            watch = TargetWatch(runner.database, ground.mark)
            old = self._old_code(ground)
            stage = self._stage
            assert stage is not None, "every ground says when it can keep processes away"
            setting = Setting(
                runner.folder, runner.ledger_table, runner.ledger_schema, runner.blocking_budget_ms, LONGEST_RUN
            )  # fmt: skip
            beside, pool = (stack.enter_context(ThreadPoolExecutor(AT_A_TIME)) for _ in range(2))
            theatre = Theatre(ground, stage, setting, beside)
            try:
                checked = self._each(theatre, facts, chosen, old, own, pool)
            finally:
                self._close_stage()  # what is at work beside this has no stage any longer, and ends
            place = ground.place
            changed = watch.finish()
        return CheckResult(
            runner.database.display, place, old.label if old else DERIVED, tuple(checked), changed,
            tuple(self._notes), self._milliseconds(self._started),
        )  # fmt: skip

    # --- the stage --------------------------------------------------------------------------------------------

    def _open_stage(self, ground: Ground) -> None:
        """Let the stage import what it needs while the ground's first database is still being made, and this process too."""
        self._close_stage()
        self._stage = Stage(ground)
        if IMPORTS_MUCH not in sys.modules:
            with importing():
                import_module(IMPORTS_MUCH)

    def _close_stage(self) -> None:
        if self._stage is not None:
            self._stage.close()
            self._stage = None

    # --- which scripts ----------------------------------------------------------------------------------------

    def _chosen(self, facts: Facts) -> list[Script]:
        for problem in facts.folder.problems:
            self._notes.append(f"{problem.message}. Next: {problem.next_step}")
        if self._request.only is not None:
            return [script_with(self._request.only, facts)]
        return list(facts.folder.scripts) if self._request.every else facts.pending

    def _old_code(self, ground: Ground) -> CodeSource | None:
        if self._request.against is None:
            return None
        from nonstop.check.running_code.source import old_code

        work = ground.folder / "against"
        work.mkdir()
        return old_code(self._request.against, self._runner.folder, self._request.module, work)

    # --- one after the other ----------------------------------------------------------------------------------

    def _each(
        self,
        theatre: Theatre,
        facts: Facts,
        chosen: Sequence[Script],
        old: CodeSource | None,
        own: frozenset[str],
        pool: ThreadPoolExecutor,
    ) -> list[ScriptCheck]:
        """Bring a scratch database back to before the first script, then apply one after the other; what each is checked
        for beyond that is done beside the next one."""
        from nonstop.check.one_script import OneScript
        from nonstop.check.running_code.source import new_code

        if not chosen:
            return []
        base = theatre.ground.base()
        first = min(script.number for script in chosen)
        applied = self._roll_back(theatre, base, facts, first)
        new = new_code(self._runner.folder, self._request.module)
        asked = Asked(
            self._request.rows, old, new, self._runner.database if self._request.with_data else None, own
        )
        checked: list[Future[ScriptCheck]] = []
        for script in facts.folder.scripts:
            if script in chosen:
                self._say(f"{script.label} …")
                one = OneScript(theatre, script, base, asked)
                base = one.begin() or base
                checked.append(pool.submit(one.finish))
            elif script.number not in applied and script.number < chosen[-1].number:
                ran = theatre.run(base, script, Direction.APPLY)
                if ran is not None and ran.failure is not None:
                    self._notes.append(f"{script.label} was not checked, and failed: {ran.failure.in_a_line}")
        return [done.result() for done in checked]

    def _roll_back(self, theatre: Theatre, base: Scratch, facts: Facts, first: int) -> set[int]:
        """Undo in the scratch database what is applied from ``first`` on; the numbers that stay applied."""
        applied = {*facts.ledger.applied}
        for number in sorted(applied, reverse=True):
            if number < first:
                break
            script = facts.scripts.get(number)
            ran = theatre.run(base, script, Direction.ROLLBACK) if script else None
            if script is None or ran is None or ran.failure is not None:
                why = (
                    "its file is gone"
                    if script is None or ran is None
                    else ran.failure and ran.failure.in_a_line
                )
                raise UsageError(
                    f"the schema before {number:03d} can't be had: it is applied, and its rollback fails ({why})",
                    next_step="check against a database where it is not applied yet (--url)",
                )
            applied.discard(number)
        return applied

    def _milliseconds(self, since: float) -> int:
        return round((time.monotonic() - since) * 1000)
