"""The check of one script: rehearse it, let each proof judge what was seen, and write what to do instead."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future

from nonstop import scripts
from nonstop.check import (
    additive,
    compatible,
    correcting,
    crash,
    documented,
    downtime,
    idempotent,
    nullable,
    reversible,
)
from nonstop.check.disturbed_runs import DisturbedRuns, finish
from nonstop.check.measuring import measure
from nonstop.check.observations import Observations
from nonstop.check.rehearsal import (
    Asked,
    CanNotBeRehearsed,
    Rehearsal,
    Theatre,
    columns_changed,
    touched_tables,
)
from nonstop.check.rows.populate import many_rows, rows_for_both, some_rows
from nonstop.check.running_code.matrix import Met, matrix
from nonstop.check.running_code.old_columns import old_columns_insert
from nonstop.check.running_code.source import CodeSource
from nonstop.check.running_code.star_selects import star_selects
from nonstop.databases import open_database
from nonstop.databases.rehearsal import Scratch
from nonstop.descriptions.promises import Cell, Correction, Evidence, ScriptCheck, Verdict
from nonstop.descriptions.scripts import Direction, Script

MEASURED_AT_MOST = 3
"""So often, where time alone is against a script: this machine may have been busy."""
PROOFS = (additive, nullable, compatible, reversible, idempotent, crash, downtime, documented)


class OneScript:
    """The rehearsal of one script on copies of ``base``."""

    def __init__(self, theatre: Theatre, script: Script, base: Scratch, asked: Asked) -> None:
        self._theatre = theatre
        self._script = script
        self._base = base
        self._asked = asked
        self._rehearsal = Rehearsal(theatre, script)
        self._failed: ScriptCheck | None = None
        self._matrix: tuple[Cell, ...] = ()
        self._started = time.monotonic()

    def begin(self) -> Scratch | None:
        """Run the script on the schema alone: a scratch database with the schema after it; None where it fails."""
        problem = scripts.examine(self._script)
        if problem is not None:
            self._failed = self._result(error=f"{problem.message}. Next: {problem.next_step}")
            return None
        after = self._applied_to(self._theatre.ground.copy(self._base)) or self._applied_to(self._with_rows())
        if after is None:
            self._correct_failed()
            return None
        # Others copy both meanwhile, which nobody may be connected to then.
        self._base, self._after = (self._theatre.ground.copy(one) for one in (self._base, after))
        return after

    def _correct_failed(self) -> None:
        if self._failed is not None:
            correction = correcting.of_failed(self._theatre, self._script, self._base, self._asked)
            self._failed = self._failed._replace(correction=correction)

    def _applied_to(self, scratch: Scratch) -> Scratch | None:
        """``scratch`` with the script applied to it; None where it fails."""
        try:
            self._seen = self._rehearsal.on_schema(scratch)
        except CanNotBeRehearsed as failed:
            self._failed = self._result(error=failed.failure.in_a_line, line=failed.failure.line)
            return None
        self._failed = None
        return scratch

    def _with_rows(self) -> Scratch:
        """A copy of the base with some rows in each table, for a script that asks for some."""
        scratch = self._theatre.ground.copy(self._base)
        some_rows(self._theatre, scratch, self._asked)
        return scratch

    def finish(self) -> ScriptCheck:
        """The rest of the rehearsal, and the result. What it needs is its own: other scripts may be at work beside it."""
        if self._failed is not None:
            return self._failed
        seen = self._seen
        self._rehearse(seen, self._after)
        verdicts = tuple(proof.prove(seen) for proof in PROOFS)
        error, line = self._error(seen)
        is_refused = bool(error) or any(verdict.holds is False for verdict in verdicts)
        correction = (
            correcting.of_refused(self._theatre, seen, verdicts, self._base, self._after, self._asked)
            if is_refused
            else None
        )
        for scratch in (self._base, self._after):
            self._theatre.ground.drop(scratch)
        return self._result(verdicts, correction, error, line)

    def _error(self, seen: Observations) -> tuple[str, int]:
        if seen.on_schema.attempts:
            return "; ".join(seen.on_schema.attempts), 0
        failure = seen.fails_on_rows
        if failure is not None and not (failure.is_of_rows and seen.unfit):  # else it may be our rows' fault
            return f"fails on tables with rows: {failure.in_a_line}", failure.line
        return "", 0

    def _result(
        self,
        verdicts: tuple[Verdict, ...] = (),
        correction: Correction | None = None,
        error: str = "",
        line: int = 0,
    ) -> ScriptCheck:
        return ScriptCheck(
            self._script.number, self._script.label, self._script.path, verdicts, self._matrix, correction, error,
            line, round((time.monotonic() - self._started) * 1000),
        )  # fmt: skip

    # --- rehearsing -------------------------------------------------------------------------------------------

    def _rehearse(self, seen: Observations, after: Scratch) -> None:
        theatre, rehearsal = self._theatre, self._rehearsal
        with theatre.copy(self._base) as rows:
            seen.unfit = rows_for_both(theatre, rows, after, self._asked)
            with theatre.copy(rows) as applied:
                rehearsal.apply(seen, applied)
                if seen.fails_on_rows is not None:  # what is left can be tried on the schema alone
                    self._ask_code(seen, self._base, after)
                    return
                with theatre.copy(applied) as there, theatre.copy(applied) as used:
                    back = theatre.beside.submit(rehearsal.and_back, seen, there)
                    some_rows(theatre, used, self._asked)  # the new tables are in use by then
                    self._ask_code(seen, rows, used)
                    back.result()
                rehearsal.note_what_varies(seen, rows)
                disturbed = DisturbedRuns(theatre, seen).begin(rows, applied)
                with theatre.copy(rows) as large:
                    sizes = many_rows(theatre, touched_tables(seen), large, after, self._asked)
                    self._measure(seen, rows, large, sizes, disturbed)
                if any(
                    measured.ran.failure and measured.ran.failure.is_of_rows for measured in seen.measured
                ):
                    # Made-up rows by the thousand are in each other's way.
                    self._measure(seen, rows, rows, {}, disturbed)
                finish(disturbed)

    def _ask_code(self, seen: Observations, before: Scratch, after: Scratch) -> None:
        """What the running code and the new code meet on both schemas."""
        with self._theatre.engine(before) as old_engine, self._theatre.engine(after) as new_engine:
            seen.old_columns = old_columns_insert(
                old_engine, new_engine, open_database(after.url), self._asked.own
            )
        met, self._matrix = matrix(self._theatre, self._old(before), self._asked.new, before, after)
        seen.code_is_named = self._asked.old is not None
        if isinstance(met, Met):
            seen.running_code, seen.tried = [*met.away, *self._star_selects(seen)], met.tried
        else:
            seen.no_code = met

    def _star_selects(self, seen: Observations) -> list[Evidence]:
        """Where the running code reads all columns of a table that has others now (failure mode C21)."""
        folder = self._asked.old.folder if self._asked.old else None
        changed = columns_changed(seen)
        if folder is None or not changed:
            return []
        return [
            Evidence(
                f"{found.file}:{found.line} reads all columns: where that is a prepared statement of an open connection, it"
                f" fails once after this script (cached plan must not change result type): {found.text[:80]}",
                facts={"file": found.file, "line": found.line},
            )
            for found in star_selects(folder, changed)
        ]

    def _measure(
        self,
        seen: Observations,
        rows: Scratch,
        large: Scratch,
        sizes: dict[str, int],
        beside: Sequence[Future[None]],
    ) -> None:
        """Locks and traffic, on tables of some size: those of ``large``, or a few rows. Where what is done ``beside`` it may
        have taken the time, that is awaited."""
        codes = [("old", self._old(rows))]
        fits_before = any(
            cell.code == "new" and cell.schema == "before" and cell.holds for cell in self._matrix
        )
        if self._asked.new is not None and fits_before:
            codes.append(("new", self._asked.new))
        can_roll_back = seen.rollback is not None and seen.rollback.ran.succeeded
        directions = [Direction.APPLY, Direction.ROLLBACK] if can_roll_back else [Direction.APPLY]
        for _ in range(MEASURED_AT_MOST):
            with self._theatre.copy(large) as scratch:
                seen.measured = measure(self._theatre, scratch, self._script, directions, codes, sizes)
            if not downtime.is_about_time(seen):
                return
            finish(beside)

    def _old(self, before: Scratch) -> CodeSource:
        """The running code: the one that was named, or what names every column of the schema before."""
        if self._asked.old is not None:
            return self._asked.old
        return CodeSource("the schema before", schema_url=before.url, ignored=self._asked.own)
