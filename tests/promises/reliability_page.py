"""The rows of the first table of docs/reliability.md: each file or folder that a row names has a quick test."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT
from tests.promises.promise import Promise

ROW = re.compile(r"^\| (?P<promise>[^|]+) \| (?P<tests>\[tests/[^|]+) \|$", re.MULTILINE)
LINK = re.compile(r"\]\(\.\./(?P<path>tests/[^)]+)\)")


def _promises() -> tuple[Promise, ...]:
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    first_table, _, _ = page.partition("\n## ")
    return tuple(
        Promise(
            f"reliability.md, row {number}",
            row["promise"],
            tuple(_anything_in(link["path"]) for link in LINK.finditer(row["tests"])),
        )
        for number, row in enumerate(ROW.finditer(first_table), 1)
    )


def _anything_in(path: str) -> str:
    return f"{path}::*" if path.endswith(".py") else f"{path}/*"


PROMISES = _promises()
assert len(PROMISES) > 20, "the table of docs/reliability.md was not found"
