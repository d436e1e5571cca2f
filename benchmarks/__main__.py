"""``python -m benchmarks``: measure, print a table, write JSON."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import report, scenarios
from benchmarks.measure import in_turns
from benchmarks.peers import PEERS
from benchmarks.server import server
from benchmarks.workshop import Workshop, fitting

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Measure what the command line asks for; 1 where a goal was missed, else 0."""
    options = read_options()
    chosen = scenarios.choose(options.database, options.quick)
    peers = {name: peer for name, peer in PEERS.items() if not options.only or name.lower() in options.only}
    everything = []
    with (
        tempfile.TemporaryDirectory(prefix="nonstop-bench-") as folder,
        server(any(scenario.database == "postgresql" for scenario in chosen)) as (url, version),
    ):
        workshop = Workshop(Path(folder), url)
        said: set[str] = set()
        for scenario in chosen:
            if scenario.database == "postgresql" and url is None:
                continue
            taking_part = fitting(peers, scenario, said.add)
            contestants = [workshop.contestant(peer, scenario) for peer in taking_part]
            measured = report.Measured(scenario, in_turns(contestants, options.runs))
            for peer in taking_part:
                workshop.check(peer, scenario)
            everything.append(measured)
            print("\n".join(report.table(measured)), flush=True)
    print("\n".join(sorted(said)), file=sys.stderr)
    about = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "runs": options.runs,
        "machine": report.machine(version),
        "versions": report.versions([peer.distribution for peer in peers.values()]),
    }
    options.results.mkdir(parents=True, exist_ok=True)
    file = options.results / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    file.write_text(json.dumps(report.as_json(everything, about), indent=2) + "\n")
    print(f"Every run is in {file}")
    if options.save:
        (HERE / "RESULTS.md").write_text(report.page(everything, about))
    return 0 if all(verdict.is_met for measured in everything for verdict in measured.verdicts) else 1


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="benchmarks", description="Measure nonstop beside its peers, in one run."
    )
    parser.add_argument("--runs", type=int, help="how often each is measured (7; with --quick 1)")
    parser.add_argument(
        "--only", type=str.lower, nargs="+", metavar="TOOL", help=f"any of {', '.join(PEERS)}"
    )
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="on this one alone")
    parser.add_argument("--quick", action="store_true", help="few scripts, one run: to see that it works")
    parser.add_argument("--save", action="store_true", help="write RESULTS.md")
    parser.add_argument(
        "--results", type=Path, default=HERE / "results", metavar="FOLDER", help="where JSON goes"
    )
    options = parser.parse_args()
    options.runs = options.runs or (1 if options.quick else 7)
    unknown = set(options.only or ()) - {name.lower() for name in PEERS}
    if unknown:
        parser.error(f"there is no tool {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    sys.exit(main())
