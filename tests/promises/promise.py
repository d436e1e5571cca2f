"""A promise, and the quick tests that hold it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

BOTH = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Promise:
    """``tests`` are patterns of node ids; each of them must have a quick test.

    In a pattern ``*`` stands for anything. A pattern without ``[`` matches every parameter of its test. Where one of
    several tests is enough, `` | `` stands between them.
    """

    name: str
    sentence: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Held:
    """A promise with its quick tests, by pattern."""

    promise: Promise
    tests: dict[str, list[str]] = field(default_factory=dict)

    @property
    def all_tests(self) -> list[str]:
        """Each of its tests once, in order."""
        return list(dict.fromkeys(test for tests in self.tests.values() for test in tests))

    @property
    def empty(self) -> list[str]:
        """The patterns that no quick test matches."""
        return [pattern for pattern, tests in self.tests.items() if not tests]


def held(promises: Iterable[Promise], quick_tests: Sequence[str]) -> list[Held]:
    """Each promise with those of ``quick_tests`` that hold it."""
    return [
        Held(
            promise,
            {
                pattern: [test for test in quick_tests if matcher.fullmatch(test)]
                for pattern in promise.tests
                for matcher in [_matcher(pattern)]
            },
        )
        for promise in promises
    ]


def on(databases: Iterable[str], *tests: str) -> tuple[str, ...]:
    """The patterns of ``tests`` on each of ``databases``."""
    return tuple(f"{test}[*{database}*]" for test in tests for database in databases)


def _matcher(pattern: str) -> re.Pattern[str]:
    return re.compile("|".join(_expression(test) for test in pattern.split(" | ")), re.DOTALL)


def _expression(test: str) -> str:
    parameters = "" if "[" in test else r"(\[.*\])?"
    return re.escape(test).replace(r"\*", ".*") + parameters
