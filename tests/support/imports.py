"""Reads what a Python file imports, without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """One imported module by its full name, and where that is written. Imports inside functions and for type
    checkers count like any other: knowing a module is knowing it."""

    module: str
    where: str


def python_files(folder: Path) -> list[Path]:
    """All Python files below a folder, in a fixed order."""
    return sorted(folder.rglob("*.py"))


def imports_of(path: Path, root: Path) -> Iterator[Import]:
    """Every import in the file; ``root`` is the folder that the top-level packages lie in."""
    package = path.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{path.relative_to(root)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, where) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *(node.module or "").split("."))).strip(".")
            modules = dict.fromkeys(_whole_name(module, alias.name, root) for alias in node.names)
            yield from (Import(name, where) for name in modules)


def _whole_name(module: str, name: str, root: Path) -> str:
    """``from package import name`` means a module where there is one, and a name of the package otherwise.

    A name such as ``__version__`` is told by itself: knowing it is not knowing all that the package offers.
    """
    folder = root.joinpath(*module.split("."))
    is_module = (folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists()
    return f"{module}.{name}" if is_module or name.startswith("__") else module


def dialect_name_comparisons(path: Path) -> list[int]:
    """The lines that compare ``dialect.name`` (or ``something.dialect.name``) with anything, or match on it."""
    lines = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        operands: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
        elif isinstance(node, ast.Match):
            operands = [node.subject]
        lines += [operand.lineno for operand in operands if _is_dialect_name(operand)]
    return lines


def _is_dialect_name(node: ast.expr) -> bool:
    if not isinstance(node, ast.Attribute) or node.attr != "name":
        return False
    owner = node.value
    return (owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")) == "dialect"
