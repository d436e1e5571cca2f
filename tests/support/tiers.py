"""Which tests a run contains: the quick tier, the thorough tier, or one part of either.

``NONSTOP_TEST_THOROUGHNESS`` is the one switch: 0 (or unset) is the quick tier, 1 the thorough tier, and a larger number
the thorough tier with that many times as many generated examples. ``NONSTOP_TEST_PART=2/6`` keeps the second of six
parts; every test belongs to exactly one part, whatever else is selected. ``scripts/test`` sets both.

The quick tier leaves out the tests marked ``thorough``, and repeats the others less often: see :func:`times` and
:func:`first_kill_points`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
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
    removed = [item for item in items if not _is_contained(item)]
    if removed:
        gone = set(removed)
        items[:] = [item for item in items if item not in gone]
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    return removed


def _is_contained(item: pytest.Item) -> bool:
    if not is_thorough() and item.get_closest_marker("thorough"):
        return False
    chosen = part()
    return chosen is None or crc32(item.nodeid.encode()) % chosen[1] == chosen[0] - 1
