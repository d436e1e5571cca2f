"""One run: the load gets going, then one tool migrates (or nothing does), in surroundings that make it hard."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

import psycopg

from benchmarks.measure import Ended, run
from benchmarks.traffic import orders
from benchmarks.traffic.clients import Kind, Sample
from benchmarks.traffic.load import Load
from benchmarks.traffic.tools import Tool
from benchmarks.traffic.waits import Waits

ALONE, READER, BUSY = "alone", "reader", "busy"
IN_WORDS = {
    ALONE: "alone",
    READER: "behind a reader of {reader:g} s",
    BUSY: "against {clients} more clients with transactions of 80 ms",
}

OVERTIME = 0.5
"""Seconds that the clients go on after what is counted: that they end, one by one, is a load of its own."""


class Setting(NamedTuple):
    """What is the same for every run; times in seconds, ``rate`` in transactions per second of all clients."""

    rows: int
    rate: float
    clients: int
    budget: float
    reader: float
    warm_up: float
    before: float
    after: float
    idle: float
    limit: float


@dataclass(frozen=True)
class Run:
    """What happened. ``stalled`` is how many seconds any client waited for a lock of the migration, as far as it was seen.

    The times of ``migration`` and of the samples are those of ``time.monotonic()``."""

    tool: str
    surroundings: str
    is_ours: bool
    begins: float
    ends: float
    samples: list[Sample] = field(repr=False)
    errors: list[tuple[float, str]]
    waits: list[dict[str, Any]]
    stalled: float
    migration: Ended | None
    is_migrated: bool

    @property
    def name(self) -> str:
        return f"{self.tool}, {self.surroundings}"

    @property
    def paced(self) -> list[Sample]:
        """The load that is the same in all surroundings."""
        return [sample for sample in self.samples if sample.kind is not Kind.LONG]

    @property
    def succeeded(self) -> bool:
        return self.migration is None or (self.migration.returncode == 0 and self.is_migrated)


def carry_out(tool: Tool | None, surroundings: str, url: str, setting: Setting, folder: Path) -> Run:
    """Run ``tool`` (None: nothing) once and put the table back as it was. Raises RuntimeError where a client dies."""
    long = setting.clients if surroundings == BUSY else 0
    # Made before the clock runs: the tools' own "init" is not what is measured.
    command = tool.create(folder / "project", url, f"{setting.budget * 1000:g}ms") if tool else None
    load = Load(url, setting.rows, setting.rate, setting.clients, long, folder / "clients")
    try:
        with Waits(url) as waits, load:
            time.sleep(setting.warm_up)
            begins = time.monotonic()
            time.sleep(setting.before)
            with reader(url, setting.reader if surroundings == READER else 0):
                migration = run(command, setting.limit) if command else None
                if migration is None:
                    time.sleep(setting.idle)
            ends = time.monotonic() + setting.after
            recording = load.stop(ends + OVERTIME)
        is_migrated = orders.is_migrated(url) or (tool is not None and not tool.is_001)
    finally:
        orders.put_back(url)
    return Run(
        tool.name if tool else "nothing",
        surroundings,
        tool is not None and tool.is_ours,
        begins,
        ends,
        [sample for sample in recording.samples if begins <= sample.due < ends],
        [error for error in recording.errors if begins <= error[0] < ends],
        waits.as_json(),
        waits.stalled,
        migration,
        is_migrated,
    )


@contextmanager
def reader(url: str, seconds: float) -> Iterator[None]:
    """A report that has read ``orders`` and keeps its transaction open for so long; 0 for none."""
    if not seconds:
        yield
        return
    has_read, end = Event(), Event()

    def read() -> None:
        with psycopg.connect(url, application_name="a report") as connection:
            connection.execute("SELECT count(*) FROM orders WHERE id < 1000")
            has_read.set()
            end.wait(seconds)

    thread = Thread(target=read, daemon=True)
    thread.start()
    has_read.wait()
    try:
        yield
    finally:
        end.set()
        thread.join()
