"""Judges ``check`` by the corpus and prints a line for each script and database, then precision and recall.

Usage: python -m tests.check.corpus [--database sqlite|postgresql] [part of an id …]
Ends with 1 where anything is not as it should be.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from tests.check.corpus import EXAMPLES
from tests.check.corpus.examples import BOTH, Example
from tests.check.corpus.judge import Judgement, judge, score
from tests.check.corpus.shop import open_shop
from tests.support import postgres_server
from tests.support.postgres_server import Server

COLUMNS = "{:<48} {:<10} {:<30} {:<62} {:<8} {:<12} {:>6}"
HEAD = COLUMNS.format("script", "database", "wanted", "got", "verdict", "correction", "s")


def main() -> int:
    """Judge what was asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.check.corpus")
    parser.add_argument("--database", choices=BOTH, action="append")
    parser.add_argument("words", nargs="*", metavar="part of an id")
    asked = parser.parse_args()
    databases = tuple(asked.database or BOTH)
    examples = [one for one in EXAMPLES if not asked.words or any(word in one.id for word in asked.words)]
    with _server(databases) as server:
        judgements = [_judged(one, database, server) for one, database in _each(examples, databases)]
    return _sum_up(judgements, databases)


def _each(examples: list[Example], databases: tuple[str, ...]) -> Iterator[tuple[Example, str]]:
    print(HEAD)
    for database in databases:
        yield from ((one, database) for one in examples if database in one.databases)


def _judged(example: Example, database: str, server: Server | None) -> Judgement:
    begin = monotonic()
    with open_shop(database, server) as project:
        judgement = judge(example, database, project)
    print(_line(judgement, monotonic() - begin), flush=True)
    return judgement


def _line(judgement: Judgement, seconds: float) -> str:
    found = judgement.found
    got = ", ".join(judgement.broken) + (f" error: {found.error.splitlines()[0]}" if found.error else "")
    correction = ""
    if judgement.example.breaks is not None:
        correction = (
            "none" if judgement.corrected is None else "passes" if judgement.correction_passes else "REFUSED"
        )
    return COLUMNS.format(
        judgement.example.id,
        judgement.database,
        judgement.example.breaks or "-",
        got or "-",
        "right" if judgement.is_right else "WRONG",
        correction,
        f"{seconds:.1f}",
    )


def _sum_up(judgements: list[Judgement], databases: tuple[str, ...]) -> int:
    print()
    for database in databases:
        those = [one for one in judgements if one.database == database]
        shares = score(those)
        print(
            f"{database}: {len(those)} scripts, precision {shares.precision:.3f}, recall {shares.recall:.3f},"
            f" corrections that pass {shares.corrected:.3f}"
        )
    shares = score(judgements)
    return int((shares.precision, shares.recall, shares.corrected) != (1.0, 1.0, 1.0))


@contextmanager
def _server(databases: tuple[str, ...]) -> Iterator[Server | None]:
    if "postgresql" not in databases:
        yield None
        return
    server = postgres_server.start()
    try:
        yield server
    finally:
        postgres_server.stop(server)


if __name__ == "__main__":
    sys.exit(main())
