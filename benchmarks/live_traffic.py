"""``python -m benchmarks.live_traffic``: what the application notices while migration 001 runs on millions of orders."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.server import server
from benchmarks.traffic import misbehaving, orders, page, picture
from benchmarks.traffic.figures import Figures, as_json, promises
from benchmarks.traffic.run import ALONE, IN_WORDS, Run, Setting, carry_out
from benchmarks.traffic.tools import TOOLS, Tool
from nonstop.settings import seconds
from tests.support import postgres_server
from tests.support.databases import fresh_database

HERE = Path(__file__).resolve().parent
FULL = Setting(
    rows=3_000_000,
    rate=400,
    clients=8,
    budget=0.5,
    reader=8,
    warm_up=3,
    before=2,
    after=3,
    idle=20,
    limit=180,
)
QUICK = Setting(
    rows=2_000,
    rate=40,
    clients=2,
    budget=0.5,
    reader=1,
    warm_up=0.2,
    before=0.2,
    after=0.2,
    idle=0.5,
    limit=60,
)
MISBEHAVING = FULL._replace(rows=430_000, rate=100, clients=4, warm_up=1, before=1, after=1, idle=5)
"""72 MB. The waits for locks are what is looked at, so the load itself is light."""


def main() -> int:
    """Run what the command line asks for; 1 where a promise was missed, 6 without a server, else 0."""
    options = read_options()
    setting: Setting = options.setting
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # or the server would outlive us
    with (
        tempfile.TemporaryDirectory(prefix="nonstop-traffic-") as name,
        server(is_needed=True) as (url, version),
    ):
        if url is None:
            return 6
        about = {
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "setting": setting._asdict(),
            "machine": {**report.machine(version), "load_before": os.getloadavg()},
            "versions": report.versions(["nonstop", "SQLAlchemy", "psycopg", *(tool.distribution for tool in options.tools)]),
            "postgresql_settings": postgres_server.SETTINGS.split("\n")[1:-1],
        }  # fmt: skip
        with fresh_database(url) as database:
            print(f"Filling orders with {setting.rows:,} rows", flush=True)
            orders.create(database, setting.rows, Path(name))
            runs = carry_out_all(options.tools, options.surroundings, database, setting, Path(name))
    return tell(runs, about, options)


def carry_out_all(
    tools: Sequence[Tool], surroundings: Sequence[str], url: str, setting: Setting, folder: Path
) -> list[Run]:
    """Every tool in all surroundings, and before them nothing at all, one after the other."""
    runs = []
    for around in surroundings:
        print(page.heading(around, setting), flush=True)
        for tool in (None, *tools):
            place = folder / f"{around}-{tool.name if tool else 'nothing'}".replace(" ", "-")
            run = carry_out(tool, around, url, setting, place)
            runs.append(run)
            print(page.line(run, Figures.of(run, setting)), flush=True)
            if run.migration is not None and run.migration.returncode != 0:
                print(run.migration.output, flush=True)
            shutil.rmtree(place)
    return runs


def tell(runs: list[Run], about: dict[str, Any], options: argparse.Namespace) -> int:
    """Write JSON and the picture, print promises; 1 where one was missed, else 0."""
    setting: Setting = options.setting
    figures = {run.name: Figures.of(run, setting) for run in runs}
    idle = next(
        (figures[run.name] for run in runs if run.migration is None and run.surroundings == ALONE), None
    )
    look_at_times = not options.quick
    kept = [
        promise
        for run in runs
        for promise in (
            misbehaving.promises(run, figures[run.name], setting.budget, look_at_times)
            if options.misbehaving
            else promises(run, figures[run.name], idle, look_at_times)
        )
    ]
    print("\n".join(str(promise) for promise in kept))

    about["machine"]["load_after"] = os.getloadavg()
    document = {
        "schema": report.SCHEMA,
        **about,
        "runs": [as_json(run, figures[run.name]) for run in runs],
        "promises": [{**promise._asdict(), "kept": promise.is_kept} for promise in kept],
    }
    options.results.mkdir(parents=True, exist_ok=True)
    name = "misbehaving" if options.misbehaving else "live-traffic"
    file = options.results / f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    print(f"Every run is in {file}")
    if options.misbehaving:
        if options.save:
            (HERE / "MISBEHAVING.md").write_text(page.of_misbehaving(runs, figures, kept, about, setting))
        return 0 if all(promise.is_kept for promise in kept) else 1
    draw(runs, setting, file.with_suffix(".png"))
    if options.save:
        draw(runs, setting, HERE / "LIVE_TRAFFIC.png")
        (HERE / "LIVE_TRAFFIC.md").write_text(page.page(runs, figures, kept, about, setting))
    return 0 if all(promise.is_kept for promise in kept) else 1


def draw(runs: list[Run], setting: Setting, path: Path) -> None:
    """Write the picture, where the library for it is installed."""
    if find_spec("matplotlib") is None:
        print("No picture: pip install matplotlib", file=sys.stderr)
        return
    picture.draw(runs, setting.budget, path)
    print(f"The picture is {path}")


def read_options() -> argparse.Namespace:
    """The command line; ``setting``, ``tools`` and ``surroundings`` are what it comes to."""
    parser = argparse.ArgumentParser(
        prog="live_traffic", description="Measure what clients notice while a migration runs."
    )
    parser.add_argument("--rows", type=int, metavar="N", help=f"so many orders ({FULL.rows:,})")
    parser.add_argument(
        "--rate", type=float, metavar="N", help=f"transactions per second in all ({FULL.rate})"
    )
    parser.add_argument("--blocking-budget", metavar="TIME", default="500ms", help="given to nonstop (500ms)")
    parser.add_argument(
        "--only", nargs="+", metavar="TOOL", type=str.lower, help=f"any of {', '.join(tool.name for tool in TOOLS)}, or a case of --misbehaving"
    )  # fmt: skip
    parser.add_argument(
        "--misbehaving",
        action="store_true",
        help="scripts that keep a lock for long, instead of migration 001",
    )
    parser.add_argument("--surroundings", nargs="+", choices=list(IN_WORDS), default=list(IN_WORDS))
    parser.add_argument("--quick", action="store_true", help="few rows, short runs: to see that it works")
    parser.add_argument("--save", action="store_true", help="write LIVE_TRAFFIC.md and LIVE_TRAFFIC.png")
    parser.add_argument(
        "--results", type=Path, default=HERE / "results", metavar="FOLDER", help="where JSON and the picture go"
    )  # fmt: skip
    options = parser.parse_args()
    known = misbehaving.tools() if options.misbehaving else list(TOOLS)
    names = {tool.name.lower(): tool for tool in known}
    if unknown := set(options.only or ()) - set(names):
        parser.error(f"there is no tool {', '.join(sorted(unknown))}")
    setting = MISBEHAVING if options.misbehaving else FULL
    if options.quick:
        setting = QUICK
    if options.misbehaving:
        options.surroundings = [ALONE]
    options.setting = setting._replace(
        rows=options.rows or setting.rows,
        rate=options.rate or setting.rate,
        budget=seconds(options.blocking_budget),
    )
    wanted = [names[name] for name in options.only] if options.only else known
    options.tools = [tool for tool in wanted if tool.is_installed]
    for tool in set(wanted) - set(options.tools):
        print(f"{tool.name} is left out: pip install {tool.distribution}", file=sys.stderr)
    return options


if __name__ == "__main__":
    sys.exit(main())
