"""What was measured, as a table for people, as JSON for programs, and as the page that is kept."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from benchmarks.measure import Timing
from benchmarks.scenarios import OURS, Goal, Scenario

SCHEMA = 1


class Verdict(NamedTuple):
    """One goal, as it was met: ``value`` is the ratio to the peer, or seconds."""

    tool: str
    goal: Goal
    value: float

    @property
    def is_met(self) -> bool:
        return self.value <= self.goal.limit

    def __str__(self) -> str:
        unit = f" × {self.goal.peer}" if self.goal.peer else " s"
        wish = f", reach for {self.goal.reach_for:g}" if self.goal.reach_for else ""
        return f"{self.tool}: {self.value:.2f}{unit} (at most {self.goal.limit:g}{wish}): {'met' if self.is_met else 'MISSED'}"


class Measured(NamedTuple):
    """One scenario with the timings of each tool."""

    scenario: Scenario
    timings: Mapping[str, Timing]

    @property
    def verdicts(self) -> list[Verdict]:
        """Each goal for each of our tools that took part, where the peer did too."""
        found = []
        for tool in (name for name in OURS if name in self.timings):
            for goal in self.scenario.goals:
                if goal.peer is None:
                    found.append(Verdict(tool, goal, self.timings[tool].median))
                elif goal.peer in self.timings:
                    ratio = self.timings[tool].median / self.timings[goal.peer].median
                    found.append(Verdict(tool, goal, ratio))
        return found


def machine(postgresql: str | None) -> dict[str, Any]:
    """The machine in neutral words, and the versions of what was measured."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "sqlite": sqlite3.sqlite_version,
        "postgresql": postgresql,
    }


def versions(distributions: Sequence[str]) -> dict[str, str]:
    """The version of each distribution that is installed."""
    found = {}
    for name in dict.fromkeys(distributions):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def table(measured: Measured) -> list[str]:
    """The scenario as lines: each tool's median and fastest run, then the goals."""
    ours = min((measured.timings[name].median for name in OURS if name in measured.timings), default=None)
    lines = [measured.scenario.title]
    for name, timing in sorted(measured.timings.items(), key=lambda item: item[1].median):
        ratio = f"{timing.median / ours:8.2f} ×" if ours else ""
        lines.append(f"  {name:14} {timing.median:8.3f} s   fastest {timing.fastest:7.3f} s {ratio}")
    return [*lines, *(f"  {verdict}" for verdict in measured.verdicts), ""]


def as_json(everything: Sequence[Measured], about: Mapping[str, Any]) -> dict[str, Any]:
    """One document with every single run."""
    return {
        "schema": SCHEMA,
        **about,
        "scenarios": [
            {
                **{name: value for name, value in measured.scenario._asdict().items() if name != "goals"},
                "title": measured.scenario.title,
                "tools": {
                    name: {"median": timing.median, "fastest": timing.fastest, "seconds": timing.seconds}
                    for name, timing in measured.timings.items()
                },
                "goals": [
                    {"tool": v.tool, "value": v.value, "met": v.is_met, **v.goal._asdict()}
                    for v in measured.verdicts
                ],
            }
            for measured in everything
        ],
    }


def page(
    everything: Sequence[Measured],
    about: Mapping[str, Any],
    title: str = "Results",
    command: str = "scripts/bench --save",
) -> str:
    """A page such as ``RESULTS.md``: the latest medians, on what machine, how often. ``command`` has written it."""
    where, used = about["machine"], about["versions"]
    lines = [
        f"# {title}",
        "",
        (
            f"Written by `{command}` on {about['date']}. Whole processes, in turns; one run each to warm up, then"
            f" {about['runs']}, of which the median counts. The times belong to the machine; look at the ratios."
        ),
        "",
        f"* Machine: {where['cores']} cores, {where['system']}, {where['python']}, SQLite {where['sqlite']}"
        + (f", PostgreSQL {where['postgresql']}" if where["postgresql"] else ""),
        "* Versions: " + ", ".join(f"{name} {number}" for name, number in used.items()),
    ]
    for measured in everything:
        lines += ["", f"## {measured.scenario.title}", "", "| | median | fastest |", "|---|---:|---:|"]
        for name, timing in sorted(measured.timings.items(), key=lambda item: item[1].median):
            shown = f"**{name}**" if name in OURS else name
            lines.append(f"| {shown} | {timing.median:.3f} s | {timing.fastest:.3f} s |")
        if measured.verdicts:
            lines += ["", *(f"* {verdict}" for verdict in measured.verdicts)]
    return "\n".join(lines) + "\n"
