"""How a script gets at its database, so that a corrected one does it the same way."""

from __future__ import annotations

import ast
from typing import NamedTuple


class Access(NamedTuple):
    """``lines`` stand at the top of the file, ``engine`` is the expression for the engine, and ``context`` the block
    that it has to be used in; empty where there is none."""

    lines: tuple[str, ...]
    engine: str
    context: str = ""


BY_ENVIRONMENT = Access(
    (
        "import os",
        "from sqlalchemy import create_engine",
        'engine = create_engine(os.environ["DATABASE_URL"])',
    ),
    "engine",
)
"""For a script that has shown no way of its own: the runner sets the variable."""


def access_of(source: str) -> Access:
    """The way of the script with this source."""
    tree = ast.parse(source)
    bound = {name: node for node in tree.body for name in _names_bound_by(node)}
    engine = _engine(tree, bound)
    if engine is None:
        return BY_ENVIRONMENT
    context = _context(tree, bound)
    needed = _needed(ast.parse(f"{engine}, {context or None}"), bound)
    lines = []
    for node in tree.body:
        names = needed & _names_bound_by(node)
        if names or "sys.path" in ast.unparse(node).partition("(")[0]:
            lines.append(_line(node, names or _names_bound_by(node), source))
    return Access(tuple(lines), engine, context)


def _engine(tree: ast.Module, bound: dict[str, ast.stmt]) -> str | None:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr="engine", value=ast.Name(id=name)) if name in bound:
                return ast.unparse(node)
            case ast.Call(func=ast.Attribute(attr="begin" | "connect", value=ast.Name(id=name))) if (
                "create_engine" in ast.unparse(bound.get(name, ast.Pass()))
            ):
                return name
    return "db.engine" if "db" in bound else None


def _context(tree: ast.Module, bound: dict[str, ast.stmt]) -> str:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="app_context", value=ast.Name(id=name))) if name in bound:
                return ast.unparse(node)
    return ""


def _needed(expression: ast.AST, bound: dict[str, ast.stmt]) -> set[str]:
    """The names of the module that an expression needs, directly or through others."""
    needed: set[str] = set()
    waiting = [expression]
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Name) and node.id in bound and node.id not in needed:
                needed.add(node.id)
                waiting.append(bound[node.id])
    # What puts the application's folder on the path needs names too.
    for node in bound.values():
        if "sys.path" in ast.unparse(node):
            needed |= {"sys"} & bound.keys()
    return needed | ({"sys", "os"} & bound.keys())


def _names_bound_by(node: ast.stmt) -> set[str]:
    match node:
        case ast.Import() | ast.ImportFrom():
            return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        case ast.Assign():
            return {target.id for target in node.targets if isinstance(target, ast.Name)}
        case ast.FunctionDef() if node.name not in ("apply", "rollback"):
            return {node.name}
    return set()


def _line(node: ast.stmt, names: set[str], source: str) -> str:
    if isinstance(node, ast.Import | ast.ImportFrom):
        node.names = [
            alias for alias in node.names if (alias.asname or alias.name.partition(".")[0]) in names
        ]
        return ast.unparse(node)
    return ast.get_source_segment(source, node) or ast.unparse(node)
