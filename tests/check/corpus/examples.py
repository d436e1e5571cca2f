"""What the corpus is made of: migration scripts as people write them, in pairs of bad and good for one purpose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import dedent, indent

from nonstop.descriptions.promises import Promise

POSTGRESQL = ("postgresql",)
SQLITE = ("sqlite",)
BOTH = ("postgresql", "sqlite")

# The contract's template: it works inside the application and knows nothing of nonstop.
RAW = '''\
#!/usr/bin/env python3
"""
Migration 001: ‹purpose›.

Why: ‹why›.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from app import app, db
from sqlalchemy import inspect, text

‹before›
def apply():
    """Apply the migration"""
    with app.app_context():
‹apply›
        print("Done: ‹purpose›.")
        return True

‹rollback›
if __name__ == '__main__':
    if len(sys.argv) > 1 and sys.argv[1] == 'rollback':
        rollback()
    else:
        apply()
'''
RAW_ROLLBACK = '''
def rollback():
    """Rollback the migration"""
    with app.app_context():
‹rollback›
        print("Undone: ‹purpose›.")
        return True

'''
VERBS = '''\
"""
Migration 001: ‹purpose›.

Why: ‹why›.
"""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Integer, String, Text, text

from nonstop import op
‹before›

def apply():
‹apply›
‹rollback›'''
VERBS_ROLLBACK = """

def rollback():
‹rollback›
"""


@dataclass(frozen=True)
class Example:
    """One script of the corpus, and what has to be found out about it.

    ``breaks`` is the promise that the script breaks; None for a good one. ``is_against_code``: what is wrong shows only
    (or what looks wrong is right) where the running code is given. ``fails``: the script can't even be run to its end,
    and its error is answer enough. ``rows`` are those of table A in the research on zero downtime.
    """

    id: str
    pair: str
    purpose: str
    text: str
    breaks: Promise | None
    databases: tuple[str, ...]
    is_against_code: bool
    fails: bool
    rows: tuple[int, ...]

    @property
    def file_name(self) -> str:
        return f"001_{self.id}.py"


@dataclass(frozen=True)
class Draft:
    """An example that does not know its pair yet: ``text`` has blanks for purpose and reason."""

    name: str
    text: str
    breaks: Promise | None
    databases: tuple[str, ...]
    is_against_code: bool
    fails: bool


def bad(
    name: str,
    breaks: Promise,
    text: str,
    *,
    on: tuple[str, ...] = BOTH,
    against_code: bool = False,
    fails: bool = False,
) -> Draft:
    """A script that must be refused because it breaks ``breaks``."""
    return Draft(name, text, breaks, on, against_code, fails)


def good(name: str, text: str, *, on: tuple[str, ...] = BOTH, against_code: bool = False) -> Draft:
    """A script that must not be refused."""
    return Draft(name, text, None, on, against_code, fails=False)


def pair(id: str, purpose: str, why: str, *drafts: Draft, rows: Iterable[int] = ()) -> tuple[Example, ...]:
    """Bad and good scripts for the same ``purpose``, which stands in their docstrings together with ``why``."""
    return tuple(
        Example(
            f"{id}_{draft.name}",
            id,
            purpose,
            draft.text.replace("‹purpose›", purpose).replace("‹why›", why),
            draft.breaks,
            draft.databases,
            draft.is_against_code,
            draft.fails,
            tuple(rows),
        )
        for draft in drafts
    )


def raw(apply: str, rollback: str | None = "pass", *, before: str = "") -> str:
    """A script in the contract's template. ``rollback=None``: it has none; ``before`` are lines above the functions."""
    undo = "" if rollback is None else RAW_ROLLBACK.replace("‹rollback›", _body(rollback, 8))
    return (
        RAW.replace("‹rollback›", undo)
        .replace("‹apply›", _body(apply, 8))
        .replace("‹before›", _body(before, 0) + "\n" if before else "")
    )


def verbs(apply: str, rollback: str | None = "pass", *, before: str = "") -> str:
    """A script of ``op`` without an application; arguments as for :func:`raw`."""
    undo = "" if rollback is None else VERBS_ROLLBACK.replace("‹rollback›", _body(rollback, 4))
    return (
        VERBS.replace("‹rollback›", undo)
        .replace("‹apply›", _body(apply, 4))
        .replace("‹before›", "\n" + _body(before, 0) if before else "")
    )


def whole(text: str) -> str:
    """A script in a form of its own, from its first line to its last."""
    return dedent(text).lstrip("\n")


def contract(text: str, discards: str) -> str:
    """The same script, marked as the second half of a change: it takes away what no running code uses."""
    marks = f'phase = "contract"\ndiscards_data = "{discards}"\n\n'
    return text.replace("\ndef apply():", f"\n{marks}\ndef apply():", 1)


def _body(lines: str, depth: int) -> str:
    return indent(dedent(lines).strip("\n").rstrip(), " " * depth)
