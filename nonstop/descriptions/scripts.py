"""A migration file as the runner sees it, without having imported it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Direction(StrEnum):
    """Which of a script's two functions is meant; the value is the function's name."""

    APPLY = "apply"
    ROLLBACK = "rollback"

    @property
    def done(self) -> str:
        return "applied" if self is Direction.APPLY else "rolled back"


class Edit(StrEnum):
    """How a file differs from what was applied."""

    COSMETIC = "cosmetic"
    """Comments, formatting or docstrings: the program is the same."""
    REAL = "real"
    """The program is another one."""


class Script(NamedTuple):
    """One numbered file. ``digits`` is the number as written (``001``), ``text`` its normalised source."""

    number: int
    digits: str
    name: str
    path: Path
    text: str
    checksum: str

    @property
    def label(self) -> str:
        return f"{self.digits}_{self.name}"


class Problem(NamedTuple):
    """Something that keeps scripts from running: one sentence, and what to do about it.

    ``number`` is None when it belongs to no single number (a file whose name has none).
    """

    number: int | None
    message: str
    next_step: str


class ScriptFolder(NamedTuple):
    """What lies in a migrations folder: scripts in order of number, and the problems seen on the way."""

    path: Path
    scripts: tuple[Script, ...]
    problems: tuple[Problem, ...] = ()
