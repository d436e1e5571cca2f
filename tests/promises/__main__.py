"""``python -m tests.promises``: each promise with its quick tests; exit code 1 where one has none.

Usage: python -m tests.promises [--all]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from tests.promises import GROUPS
from tests.promises.promise import Held, held
from tests.promises.quick_tier import quick_tests

Groups = dict[str, list[Held]]
"""The promises with their quick tests, by group."""

MOST_SHOWN = 2


def matched() -> Groups:
    """Every promise, matched against the quick tests once."""
    tests = quick_tests()
    return {group: held(promises, tests) for group, promises in GROUPS.items()}


def table(groups: Groups, all_tests: bool) -> Iterator[str]:
    """The lines of the list."""
    for group, promises in groups.items():
        yield f"\n{group}"
        for one in promises:
            tests = one.all_tests
            yield f"\n  {one.promise.name}: {one.promise.sentence}"
            yield f"  quick tests: {len(tests)}"
            shown = tests if all_tests else tests[:MOST_SHOWN]
            yield from (f"    {test}" for test in shown)
            if len(shown) < len(tests):
                yield f"    and {len(tests) - len(shown)} more"


def without_tests(groups: Groups) -> list[Held]:
    """The promises that lack a quick test."""
    return [one for promises in groups.values() for one in promises if one.empty]


def complaint(lacking: list[Held]) -> str:
    """What is missing, by promise; empty where nothing is."""
    return "\n".join(
        f"{one.promise.name} has no quick test that matches {pattern}"
        for one in lacking
        for pattern in one.empty
    )


def main() -> int:
    """Print the list; the exit code comes back."""
    parser = argparse.ArgumentParser(prog="python -m tests.promises", description=__doc__)
    parser.add_argument("--all", action="store_true", help=f"every test, not only the first {MOST_SHOWN}")
    all_tests = parser.parse_args().all
    groups = matched()
    print("\n".join(table(groups, all_tests)))
    lacking = without_tests(groups)
    promises = sum(len(group) for group in groups.values())
    print(f"\n{promises} promises, {len(lacking)} of them without a quick test.")
    if lacking:
        print(complaint(lacking), file=sys.stderr)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
