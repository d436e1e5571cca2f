"""``python -m benchmarks.row_updates``: many small statements of a script, as plain Python and under nonstop."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import MetaData, create_engine, text

from benchmarks import report
from benchmarks.measure import Command, Contestant, in_turns
from benchmarks.peers.project import PYTHON, with_driver
from benchmarks.scenarios import Goal, Scenario
from benchmarks.server import server
from tests.support.databases import fresh_database
from tests.support.projects import make_project
from tests.support.scripts import write_script

HERE = Path(__file__).resolve().parent
COMMAND = "python -m benchmarks.row_updates --save"
PLAIN = "plain Python"
UPDATES, FEW_UPDATES = 20_000, 200
GOAL = Goal(1.3, PLAIN)
RAW_APPLY = """
with db.engine.begin() as connection:
    for number in range(1, {updates} + 1):
        connection.execute(
            text("UPDATE parts SET price = :price WHERE id = :id"), {{"id": number, "price": number * 2}}
        )
"""
FILL = """
    INSERT INTO parts (id, price) WITH RECURSIVE numbers(n) AS (
        SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {updates}) SELECT n, n FROM numbers"""


def main() -> int:
    """Measure what the command line asks for; 1 where a goal was missed, else 0."""
    options = read_options()
    everything = []
    with (
        tempfile.TemporaryDirectory(prefix="nonstop-updates-") as name,
        server(options.database != "sqlite") as (server_url, version),
    ):
        folder = Path(name)
        if options.database != "postgresql":
            everything.append(measure("sqlite", f"sqlite:///{folder / 'parts.db'}", folder, options))
        if server_url is not None:
            with fresh_database(server_url) as url:
                everything.append(measure("postgresql", url, folder, options))
    about = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "runs": options.runs,
        "machine": report.machine(version),
        "versions": report.versions(["nonstop", "SQLAlchemy", "psycopg"]),
    }
    options.results.mkdir(parents=True, exist_ok=True)
    file = options.results / f"row-updates-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    file.write_text(json.dumps(report.as_json(everything, about), indent=2) + "\n")
    print(f"Every run is in {file}")
    if options.save:
        (HERE / "ROW_UPDATES.md").write_text(report.page(everything, about, "Row updates", COMMAND))
    return 0 if all(verdict.is_met for measured in everything for verdict in measured.verdicts) else 1


def measure(database: str, url: str, folder: Path, options: argparse.Namespace) -> report.Measured:
    """Run the script in turns, as plain Python and under nonstop, each on a table that is filled again."""
    updates = FEW_UPDATES if options.quick else UPDATES
    goals = () if options.quick else (GOAL,)
    scenario = Scenario("update", database, 1, goals, updates=updates)
    measured = report.Measured(scenario, in_turns(contestants(url, folder / database, updates), options.runs))
    print("\n".join(report.table(measured)), flush=True)
    return measured


def contestants(url: str, folder: Path, updates: int) -> list[Contestant]:
    """The same script twice: run as a file, and applied."""
    project = make_project(folder, url, "light")
    script = write_script(project.migrations, "001_update_parts.py", RAW_APPLY.format(updates=updates))
    before: Callable[[], None] = partial(fill, url, updates)
    applied: list[str | Path] = [PYTHON, "-m", "nonstop", "--dir", project.migrations, "apply"]
    return [
        Contestant(PLAIN, Command([PYTHON, script], folder, project.environment), before),
        Contestant("nonstop", Command(applied, folder, project.environment), before),
    ]


def fill(url: str, updates: int) -> None:
    """Make the table anew, and take nonstop's own tables away."""
    engine = create_engine(with_driver(url, "postgresql+psycopg"))
    with engine.begin() as connection:
        known = MetaData()
        known.reflect(connection)
        known.drop_all(connection)
        connection.execute(text("CREATE TABLE parts (id INTEGER PRIMARY KEY, price INTEGER NOT NULL)"))
        connection.execute(text(FILL.format(updates=updates)))
    engine.dispose()


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="row_updates", description="Measure many small statements as plain Python and under nonstop."
    )
    parser.add_argument("--runs", type=int, help="how often each is measured (5; with --quick 1)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="on this one alone")
    parser.add_argument("--quick", action="store_true", help="few updates, one run: to see that it works")
    parser.add_argument("--save", action="store_true", help="write ROW_UPDATES.md")
    parser.add_argument(
        "--results", type=Path, default=HERE / "results", metavar="FOLDER", help="where JSON goes"
    )
    options = parser.parse_args()
    options.runs = options.runs or (1 if options.quick else 5)
    return options


if __name__ == "__main__":
    sys.exit(main())
