"""Writes migration files, as a user would."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent, indent
from typing import Literal

Template = Literal["raw", "op", "bare"]

# The contract's template word for word: it works inside the application and knows nothing of nonstop.
RAW = '''\
#!/usr/bin/env python3
"""
Migration {number}: {title}
"""

import sys
import os

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from app import app, db
from sqlalchemy import text, inspect
{imports}

def apply():
    """Apply the migration"""
    with app.app_context():
{apply}
        return True


def rollback():
    """Rollback the migration"""
    with app.app_context():
{rollback}
        return True


if __name__ == '__main__':
    import sys

    if len(sys.argv) > 1 and sys.argv[1] == 'rollback':
        rollback()
    else:
        apply()
'''

OP_IMPORTS = """\
from nonstop import op
from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Integer, String, Text
"""

# The shortest script: verbs only, no application.
BARE = '''\
"""Migration {number}: {title}."""

from nonstop import op
from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Integer, String, Text


def apply():
{apply}


def rollback():
{rollback}
'''


def write_script(
    folder: Path, name: str, apply: str = "pass", rollback: str = "pass", template: Template = "raw"
) -> Path:
    """Write the migration file ``name`` (such as ``003_add_price.py``) into ``folder`` and return its path.

    ``apply`` and ``rollback`` are the lines of the two functions. ``template`` is ``raw`` (the contract's template,
    inside ``with app.app_context():``; ``app``, ``db``, ``text``, ``inspect`` are there), ``op`` (the same, with ``op``
    and the column types), or ``bare`` (``op`` without any application).
    """
    number, _, words = Path(name).stem.partition("_")
    depth = 4 if template == "bare" else 8
    source = (BARE if template == "bare" else RAW).format(
        number=number,
        title=words.replace("_", " "),
        imports=OP_IMPORTS if template == "op" else "",
        apply=_body(apply, depth),
        rollback=_body(rollback, depth),
    )
    path = folder / name
    path.write_text(source, encoding="utf-8")
    return path


def sql(*statements: str, transactions: Literal["one", "each"] = "one") -> str:
    """The lines of a function that sends ``statements``: in one transaction, or each in its own."""
    begin = "with db.engine.begin() as connection:"
    lines = [f"    connection.execute(text({statement!r}))" for statement in statements]
    if transactions == "one":
        return "\n".join([begin, *lines])
    return "\n".join(f"{begin}\n{line}" for line in lines)


def write_tables(folder: Path, count: int, first: int = 1) -> list[Path]:
    """Write ``count`` raw scripts that each make and drop one table, ``table_1`` and so on."""
    return [
        write_script(
            folder,
            f"{number:03}_make_table_{number}.py",
            sql(f"CREATE TABLE table_{number} (id INTEGER PRIMARY KEY, note VARCHAR(40))"),
            sql(f"DROP TABLE table_{number}"),
        )
        for number in range(first, first + count)
    ]


def edit(path: Path, old: str, new: str) -> None:
    """Replace ``old`` in a file; it must be there."""
    source = path.read_text(encoding="utf-8")
    assert old in source, f"{old!r} is not in {path.name}"
    path.write_text(source.replace(old, new), encoding="utf-8")


def _body(lines: str, depth: int) -> str:
    text = re.sub(r"\A\n", "", dedent(lines)).rstrip()
    return indent(text, " " * depth)
