"""What was measured, for people: lines while it runs, and the pages that are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.traffic.figures import Figures, Promise
from benchmarks.traffic.run import IN_WORDS, Run, Setting

HEADER = (
    "", "longest", "99.9 %", "over 1 s", "over budget", "errors", "per second", "lock waits up to", "migration took",
)  # fmt: skip
WIDTHS = (-16, 10, 10, 9, 12, 7, 11, 17, 15)

OTHER_WORK = (
    "* The machine had other work to do: latencies contain waiting for a core, which *nothing* shows only in part;"
    " *lock waits up to* contains little of it."
)


def heading(surroundings: str, setting: Setting) -> str:
    """The surroundings in words, and the names of the columns."""
    words = IN_WORDS[surroundings].format(reader=setting.reader, clients=setting.clients)
    return f"\n{words[0].upper()}{words[1:]}\n{_in_columns(HEADER)}"


def line(run: Run, figures: Figures) -> str:
    """One run, below the heading of its surroundings."""
    return _in_columns([run.tool, *cells(figures)])


def cells(figures: Figures) -> list[str]:
    """The figures as they are shown."""
    took = "" if figures.migration_seconds is None else f"{figures.migration_seconds:.1f} s"
    return [
        f"{figures.longest_ms:,.0f} ms",
        f"{figures.p999_ms:,.0f} ms",
        f"{figures.over_a_second:,}",
        f"{figures.over_budget:,}",
        f"{figures.errors:,}",
        f"{figures.per_second:.0f}",
        f"{figures.longest_wait_ms:,.0f} ms" if figures.longest_wait_ms else "",
        took if figures.succeeded else f"failed, {took}",
    ]


def page(
    runs: Sequence[Run],
    figures: Mapping[str, Figures],
    kept: Sequence[Promise],
    about: Mapping[str, Any],
    setting: Setting,
) -> str:
    """``LIVE_TRAFFIC.md``: the latest run of all."""
    lines = [
        "# Live traffic",
        "",
        (
            f"Written by `python -m benchmarks.live_traffic --save` on {about['date']}: what an application notices while a nullable"
            f" column and its index are added to {setting.rows:,} orders. One run each; what it means is in"
            " [docs/benchmarks.md](../docs/benchmarks.md#live-traffic)."
        ),
        "",
        *about_the_run(about, setting),
        "",
        "![Every transaction of every run](LIVE_TRAFFIC.png)",
    ]
    for surroundings in dict.fromkeys(run.surroundings for run in runs):
        words = IN_WORDS[surroundings].format(reader=setting.reader, clients=setting.clients)
        lines += ["", f"## {words[0].upper()}{words[1:]}", "", f"| {' | '.join(HEADER)} |"]
        lines.append("|---" + "|---:" * (len(HEADER) - 1) + "|")
        for run in runs:
            if run.surroundings == surroundings:
                shown = f"**{run.tool}**" if run.is_ours else run.tool
                lines.append(f"| {' | '.join([shown, *cells(figures[run.name])])} |")
    return "\n".join([*lines, "", "## Promises", "", *(f"* {promise}" for promise in kept)]) + "\n"


def of_misbehaving(
    runs: Sequence[Run],
    figures: Mapping[str, Figures],
    kept: Sequence[Promise],
    about: Mapping[str, Any],
    setting: Setting,
) -> str:
    """``MISBEHAVING.md``: the latest run of the scripts that keep a lock for long."""
    lines = [
        "# Misbehaving scripts",
        "",
        (
            f"Written by `python -m benchmarks.live_traffic --misbehaving --save` on {about['date']}: what an application on"
            f" {setting.rows:,} orders notices of scripts that keep a lock for too long. One run each; what it means is in"
            " [docs/benchmarks.md](../docs/benchmarks.md#misbehaving-scripts)."
        ),
        "",
        *about_the_run(about, setting),
        "",
        "| | longest | lock waits up to | stalls in sum | errors | exit code | took |",
        "|---" + "|---:" * 6 + "|",
    ]
    for run in runs:
        f = figures[run.name]
        code = "" if run.migration is None else str(run.migration.returncode)
        took = "" if run.migration is None else f"{run.migration.seconds:.1f} s"
        lines.append(
            f"| {run.tool} | {f.longest_ms:,.0f} ms | {f.longest_wait_ms:,.0f} ms | {f.stalled_ms:,.0f} ms"
            f" | {f.errors:,} | {code} | {took} |"
        )
    return "\n".join([*lines, "", "## Promises", "", *(f"* {promise}" for promise in kept)]) + "\n"


def about_the_run(about: Mapping[str, Any], setting: Setting) -> list[str]:
    """Load, machine, server and versions, as lines of a page."""
    where, used = about["machine"], about["versions"]
    return [
        f"* Load: {setting.rate:g} transactions per second in all, {setting.clients} clients; blocking budget {setting.budget * 1000:g} ms",
        (
            f"* Machine: {where['cores']} cores, {where['system']}, {where['python']}, PostgreSQL {where['postgresql']};"
            f" load average {where['load_before'][0]:.1f} before"
        ),
        *([OTHER_WORK] if where["load_before"][0] > where["cores"] else []),
        "* Settings of the server: " + ", ".join(f"`{each}`" for each in about["postgresql_settings"]),
        "* Versions: " + ", ".join(f"{name} {number}" for name, number in used.items()),
    ]


def _in_columns(cells: Sequence[str]) -> str:
    return "".join(
        f"{cell:<{-width}}" if width < 0 else f"{cell:>{width}}"
        for cell, width in zip(cells, WIDTHS, strict=True)
    ).rstrip()
