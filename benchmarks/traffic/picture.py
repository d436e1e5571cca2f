"""The course of each run: every transaction a dot, the time of the migration shaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.traffic.run import Run

WIDTH, HEIGHT = 4.6, 2.3  # inches of one run


def draw(runs: Sequence[Run], budget: float, path: Path) -> None:
    """Write a PNG with a row for each tool and a column for each surrounding. Raises ImportError without matplotlib."""
    from matplotlib.figure import Figure

    tools = list(dict.fromkeys(run.tool for run in runs))
    surroundings = list(dict.fromkeys(run.surroundings for run in runs))
    figure = Figure(figsize=(WIDTH * len(surroundings), HEIGHT * len(tools) + 0.5), layout="constrained")
    grid = figure.subplots(len(tools), len(surroundings), sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat:
        axes.set_visible(False)
    for run in runs:
        axes = grid[tools.index(run.tool)][surroundings.index(run.surroundings)]
        axes.set_visible(True)
        paced = run.paced
        axes.scatter(
            [sample.due - run.begins for sample in paced],
            [max(sample.latency * 1000, 0.1) for sample in paced],
            s=3, linewidths=0, color="tab:blue", rasterized=True,
        )  # fmt: skip
        if run.migration is not None:
            span = (run.migration.started - run.begins, run.migration.ended - run.begins)
            axes.axvspan(*span, color="tab:orange" if run.succeeded else "tab:red", alpha=0.2, linewidth=0)
        axes.axhline(budget * 1000, color="tab:red", linewidth=0.8, linestyle="--")
        axes.set_yscale("log")
        axes.set_title(run.name, fontsize=9)
        axes.tick_params(labelsize=8)
    figure.supxlabel("seconds (shaded: the migration's process; red: it failed)", fontsize=9)
    figure.supylabel("latency in ms from when due (dashed: the blocking budget)", fontsize=9)
    figure.savefig(path, dpi=110)
