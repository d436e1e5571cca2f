"""What a run comes to in numbers, and whether they keep what nonstop promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from benchmarks.traffic.clients import Kind, Sample
from benchmarks.traffic.run import ALONE, READER, Run, Setting

ALONE_AT_LEAST, ALONE_FACTOR = 0.050, 2.0
"""Alone, the longest transaction may take 50 ms, or twice as long as the longest when nothing migrates."""
READER_AT_MOST = 0.100
SLICE = 0.1  # seconds: of each such slice the JSON has the longest transaction


@dataclass(frozen=True)
class Figures:
    """One run. Latencies in milliseconds, counted from when a transaction was due.

    ``longest_long_ms``: by how much one of the 80 ms transactions took longer than that. ``longest_late_ms``: how late
    a client got round to a transaction; the latencies contain it. ``stalled_ms``: the sum of times in which any waited for a
    lock of the migration.
    """

    transactions: int
    per_second: float
    longest_ms: float
    p999_ms: float
    over_a_second: int
    over_budget: int
    errors: int
    longest_late_ms: float
    longest_long_ms: float | None
    longest_wait_ms: float
    stalled_ms: float
    migration_seconds: float | None
    succeeded: bool

    @classmethod
    def of(cls, run: Run, setting: Setting) -> Figures:
        paced = run.paced
        latencies = sorted(sample.latency for sample in paced)
        long = [sample.latency for sample in run.samples if sample.kind is Kind.LONG]
        return cls(
            transactions=len(paced),
            per_second=sum(not sample.failed for sample in paced) / (run.ends - run.begins),
            longest_ms=latencies[-1] * 1000,
            p999_ms=latencies[int(len(latencies) * 0.999)] * 1000,
            over_a_second=sum(latency > 1 for latency in latencies),
            over_budget=sum(latency > setting.budget for latency in [*latencies, *long]),
            errors=len(run.errors),
            longest_late_ms=max(sample.started - sample.due for sample in paced) * 1000,
            longest_long_ms=max(long) * 1000 if long else None,
            longest_wait_ms=max((wait["longest_ms"] for wait in run.waits), default=0),
            stalled_ms=run.stalled * 1000,
            migration_seconds=run.migration.seconds if run.migration else None,
            succeeded=run.succeeded,
        )


class Promise(NamedTuple):
    """One promise of ours for one run; ``value`` and ``limit`` have the unit that ``about`` says."""

    run: str
    about: str
    value: float
    limit: float

    @property
    def is_kept(self) -> bool:
        return self.value <= self.limit

    def __str__(self) -> str:
        verdict = "kept" if self.is_kept else "MISSED"
        return f"{self.run}: {self.about}: {self.value:.0f} (at most {self.limit:.0f}): {verdict}"


def promises(run: Run, figures: Figures, idle: Figures | None, look_at_times: bool) -> list[Promise]:
    """What is promised for ``run``; nothing is for the tools of others. ``idle`` is the run alone with nothing."""
    if not run.is_ours:
        return []
    found = [
        Promise(run.name, "not migrated", not figures.succeeded, 0),
        Promise(run.name, "errors", figures.errors, 0),
    ]
    if look_at_times:
        found.append(Promise(run.name, "transactions over the budget", figures.over_budget, 0))
        if run.surroundings == READER:
            found.append(Promise(run.name, "longest in ms", figures.longest_ms, READER_AT_MOST * 1000))
        if run.surroundings == ALONE and idle is not None:
            limit = max(ALONE_FACTOR * idle.longest_ms, ALONE_AT_LEAST * 1000)
            found.append(Promise(run.name, "longest in ms", figures.longest_ms, limit))
    return found


def as_json(run: Run, figures: Figures) -> dict[str, Any]:
    """A run for programs: its figures, whom the application waited for, and its course."""
    migration = run.migration
    return {
        "tool": run.tool,
        "surroundings": run.surroundings,
        **asdict(figures),
        "migration": migration
        and {
            "from": migration.started - run.begins,
            "to": migration.ended - run.begins,
            "returncode": migration.returncode,
            "output": migration.output,
        },
        "waits": run.waits,
        "messages": sorted({message for _, message in run.errors})[:10],
        "slice_seconds": SLICE,
        "longest_ms_by_slice": by_slice(run.paced, run.begins),
    }


def by_slice(samples: Sequence[Sample], begins: float) -> list[float]:
    """The longest latency, in ms, among what was due in each slice of time."""
    found: dict[int, float] = {}
    for sample in samples:
        number = int((sample.due - begins) / SLICE)
        found[number] = max(found.get(number, 0), sample.latency * 1000)
    return [round(found.get(number, 0), 2) for number in range(max(found, default=-1) + 1)]
