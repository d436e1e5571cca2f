"""Statements of running code that read every column there is: prepared ones fail once a column is added."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from nonstop.scripts import FILE_NAME

STAR = re.compile(
    r"\bselect\s+(?:distinct\s+|all\s+)?(?:[\w\"`.]+\.)?\*(?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
TABLES = re.compile(
    r"\b(?:from|join)\s+(?:only\s+)?(?P<name>[\w\"`.\[\]]+)|,\s*(?P<next>[\w\"`.]+)", re.IGNORECASE
)
QUOTES = re.compile(r"[\"`\[\]]")
NOT_CODE = {"site-packages", "dist-packages", "node_modules", "__pycache__"}


class StarSelect(NamedTuple):
    """``file`` is relative to the folder; ``text`` is the statement's line."""

    file: str
    line: int
    text: str


def star_selects(folder: Path, tables: Iterable[str]) -> list[StarSelect]:
    """Every ``SELECT * FROM`` one of ``tables`` in the Python files below ``folder``, migrations left out."""
    wanted = {table.lower().rpartition(".")[2] for table in tables}
    return [
        StarSelect(path.relative_to(folder).as_posix(), line, text)
        for path in sorted(_sources(folder))
        for line, text in _selects(path, wanted)
    ]


def _sources(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).parts
        is_code = not any(part in NOT_CODE or part.startswith(".") for part in parts)
        if is_code and not FILE_NAME.fullmatch(path.name):
            yield path


def _selects(path: Path, wanted: set[str]) -> Iterator[tuple[int, str]]:
    try:
        source = path.read_text(encoding="utf-8")
        if "*" not in source or "select" not in source.lower():
            return
        tree = ast.parse(source)
    except (OSError, ValueError, SyntaxError):
        return  # what can't be read can't be running
    for line, text in sorted(_strings(tree)):
        found = STAR.search(text)
        if found and _tables_of(found["rest"]) & wanted:
            before = text.count("\n", 0, found.start())
            yield line + before, " ".join(text[found.start() :].split())[:200]


def _strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every string of a program with its line, but for those that stand alone: they are documentation."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "?" for part in node.values]
            yield node.lineno, "".join(map(str, parts))
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            waiting += ast.iter_child_nodes(node)


def _tables_of(rest: str) -> set[str]:
    """The tables that a statement reads, in lower case, as far as they follow FROM, JOIN or a comma."""
    names = (found["name"] or found["next"] for found in TABLES.finditer(rest.partition(";")[0]))
    return {QUOTES.sub("", name).lower().rpartition(".")[2] for name in names}
