"""Which tests a run contains: the quick tier, the thorough tier, or one part of either.

``NONSTOP_TEST_THOROUGHNESS`` is the one switch: 0 (or unset) is the quick tier, 1 the thorough tier, and a larger number
the thorough tier with that many times as many generated examples. ``NONSTOP_TEST_PART=2/6`` keeps the second of six
parts; every test belongs to exactly one part, whatever else is selected. ``scripts/test`` sets both.

Three markers say what the quick tier leaves out. ``thorough``: the test; ``thorough("postgresql", …)``: those of its cases
whose parameters contain one of these words; ``repetitive(3)``: all but three of its cases on each database. Where a test
repeats something by itself, it asks :func:`times` or :func:`first_kill_points`.
"""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from zlib import crc32

import pytest

THOROUGHNESS = "NONSTOP_TEST_THOROUGHNESS"
PART = "NONSTOP_TEST_PART"
QUICK_STRIDE = 5
"""The quick tier kills a run at one of so many points; which one follows from the commit, so that all come round."""
THOROUGH_STRIDE = 3
"""The thorough tier kills a run at each point, in so many tests that share them, for several workers."""


def thoroughness() -> int:
    """Return the value of the switch. Raises pytest.UsageError if it is not a number from 0."""
    value = os.environ.get(THOROUGHNESS) or "0"
    if not value.isdecimal():
        raise pytest.UsageError(
            f"{THOROUGHNESS}={value}: use 0 (quick), 1 (thorough) or more (that many times the examples)"
        )
    return int(value)


def is_thorough() -> bool:
    """Return whether this run contains every test there is."""
    return thoroughness() >= 1


def times(quick: int, thorough: int) -> int:
    """Return how often to repeat something, or how many examples to generate."""
    return thorough * thoroughness() if is_thorough() else quick


def kill_point_stride() -> int:
    """Return the distance between the points at which one test kills a run."""
    return THOROUGH_STRIDE if is_thorough() else QUICK_STRIDE


def first_kill_points() -> Sequence[int]:
    """Return where to begin: one test for each of them kills at that point and at every stride from there."""
    return range(THOROUGH_STRIDE) if is_thorough() else [offset_of_commit()]


@cache
def offset_of_commit() -> int:
    """Return the first kill point of the quick tier, 0 to 4: it changes with each commit. 0 outside a repository."""
    root = Path(__file__).resolve().parents[2]
    shown = subprocess.run(
        ["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, encoding="ascii", check=False
    )
    return int(shown.stdout, 16) % QUICK_STRIDE if shown.returncode == 0 else 0


def part() -> tuple[int, int] | None:
    """Return the part to run, such as (2, 6), or None for all. Raises pytest.UsageError if it makes no sense."""
    value = os.environ.get(PART)
    if not value:
        return None
    number, _, total = value.partition("/")
    if not (number.isdecimal() and total.isdecimal() and 1 <= int(number) <= int(total)):
        raise pytest.UsageError(f"{PART}={value}: use a number and a total, such as 2/6")
    return int(number), int(total)


def describe() -> str:
    """Return the line of the test report that says what this run contains."""
    chosen = part()
    tier = "thorough" if is_thorough() else f"quick, kill points from {offset_of_commit()}"
    return f"tier: {tier}" + (f", part {chosen[0]} of {chosen[1]}" if chosen else "")


def select(items: list[pytest.Item]) -> list[pytest.Item]:
    """Remove from ``items`` what this run does not contain, move what takes longest to the front, return what was removed."""
    kept = [item for item in (items if is_thorough() else _quick(items)) if _is_in_part(item)]
    contained = set(kept)
    removed = [item for item in items if item not in contained]
    items[:] = sorted(kept, key=lambda item: item.get_closest_marker("long") is None)
    return removed


def _quick(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    thorough = set(_thorough(items))
    candidates = [item for item in items if item not in thorough]
    repeated = set(_repeated(candidates))
    return [item for item in candidates if item not in repeated]


def _thorough(items: Sequence[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield the tests that only the thorough tier contains."""
    for item in items:
        parameters = item.name.partition("[")[2]
        for marker in item.iter_markers("thorough"):
            if not marker.args or any(word in parameters for word in marker.args):
                yield item


def _repeated(items: Sequence[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield the cases of repetitive tests beyond their number; those that stay are evenly spread."""
    cases: dict[tuple[str, bool], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("repetitive"):
            test, _, parameters = item.nodeid.partition("[")
            cases[test, "postgres" in parameters].append(item)
    for same in cases.values():
        marker = same[0].get_closest_marker("repetitive")
        assert marker is not None
        (kept,) = marker.args
        stride = -(-len(same) // kept)
        yield from (item for position, item in enumerate(same) if position % stride)


def _is_in_part(item: pytest.Item) -> bool:
    chosen = part()
    return chosen is None or crc32(item.nodeid.encode()) % chosen[1] == chosen[0] - 1
