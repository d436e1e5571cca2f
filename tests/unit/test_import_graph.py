"""The arrows between the parts of nonstop: cli -> check -> runner -> siblings -> databases -> descriptions, errors."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.imports import dialect_name_comparisons, imports_of, python_files

ROOT = Path(__file__).resolve().parents[2]

# Siblings do not know each other: what one needs of another, the runner gives it.
BOTTOM = {"descriptions", "errors"}
BELOW_SIBLINGS = {"databases"} | BOTTOM
SIBLINGS = {
    "backfill",
    "guard",
    "ledger",
    "lock",
    "operations",
    "output",
    "plan",
    "scripts",
    "stopping",
    "vault",
}
RUNNER = {"execution", "failure", "maintenance", "runner", "script_call", "script_ledger"}
BELOW_RUNNER = SIBLINGS | {"op"} | BELOW_SIBLINGS
BELOW_CHECK = RUNNER | BELOW_RUNNER
COMMAND_LINE = {"check", "report", "settings"} | BELOW_CHECK
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "descriptions": {"errors"},
    "databases": BOTTOM,
    **dict.fromkeys(SIBLINGS, BELOW_SIBLINGS),
    "op": BOTTOM,
    **dict.fromkeys(RUNNER, RUNNER | BELOW_RUNNER),
    "check": BELOW_CHECK,
    "settings": BOTTOM,
    "report": BOTTOM,
    "standard_streams": set(),
    "console": COMMAND_LINE,  # the half of the command line that is not click's
    "cli": {"console", "standard_streams"} | COMMAND_LINE,
    "integrations": {"cli", "console"} | COMMAND_LINE,
    "testing": {"nonstop"} | COMMAND_LINE,
    "nonstop": {"op", "cli"},  # the package itself, nonstop/__init__.py: its public names
    "__main__": {"cli"},
}
# What comes from elsewhere, and who alone may use it. Whatever is in neither table is refused: `app`, for instance.
LIBRARIES = {"alembic", "click", "dotenv", "filelock", "psycopg", "psycopg2", "rich", "sqlalchemy"}
LIBRARIES_OF_ONE_PART = {"flask": "integrations", "flask_sqlalchemy": "integrations", "pytest": "testing"}


def part_of(module: str) -> str:
    """The part that a module of nonstop belongs to: ``nonstop.databases.sqlite`` is in ``databases``."""
    return module.split(".")[1] if "." in module else module


def part_of_file(path: Path, root: Path) -> str:
    """The part that a file below ``root/nonstop`` belongs to."""
    inside = path.relative_to(root / "nonstop").with_suffix("")
    return "nonstop" if inside.parts == ("__init__",) else inside.parts[0]


def violations(root: Path) -> list[str]:
    """Everything below ``root/nonstop`` that goes against the arrows, as lines to read."""
    found = []
    for path in python_files(root / "nonstop"):
        part = part_of_file(path, root)
        if part not in ALLOWED:
            found.append(
                f"{path.relative_to(root)}: has no place in the arrows yet: give it one in this test"
            )
            continue
        found += [
            f"{imported.where}: {part} must not import {imported.module}"
            for imported in imports_of(path, root)
            if not may_import(part, imported.module)
        ]
        if part != "databases":
            lines = dialect_name_comparisons(path)
            found += [f"{path.relative_to(root)}:{line}: asks for the dialect's name" for line in lines]
    return found


def may_import(part: str, module: str) -> bool:
    """Whether the arrows let this part of nonstop import that module."""
    top = module.split(".", maxsplit=1)[0]
    if top == "nonstop":
        return part_of(module) in ALLOWED[part] | {part, "__version__"}
    if top in LIBRARIES_OF_ONE_PART:
        return part == LIBRARIES_OF_ONE_PART[top]
    return top in sys.stdlib_module_names or top in LIBRARIES


def test_the_arrows_hold() -> None:
    assert python_files(ROOT / "nonstop"), "nothing was looked at"
    assert violations(ROOT) == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("plan.py", "from nonstop.ledger import Ledger"),
        ("plan.py", "from nonstop import ledger"),
        ("plan.py", "from . import ledger"),
        ("plan.py", "from .ledger import Ledger"),
        ("plan.py", "def late():\n    import nonstop.ledger"),
        ("runner.py", "from nonstop import run_script"),
        ("guard/policies.py", "from ..ledger import Ledger"),
        ("ledger.py", "import nonstop.runner"),
        ("databases/base.py", "from nonstop.lock import hold"),
        ("descriptions/results.py", "import nonstop.databases.base"),
        ("errors.py", "import nonstop.descriptions"),
        ("console.py", "import nonstop.cli"),
        ("op.py", "from nonstop.operations import execute"),
        ("runner.py", "import nonstop.cli"),
        ("report/text.py", "from nonstop.runner import Runner"),
        ("runner.py", "import flask"),
        ("cli.py", "from flask import Flask"),
        ("runner.py", "from app import app, db"),
        ("runner.py", "import felix_hub.backend.config"),
        ("lock.py", "if connection.dialect.name == 'sqlite': pass"),
        ("lock.py", "if 'sqlite' == dialect.name: pass"),
        ("lock.py", "if dialect.name in ('sqlite',): pass"),
        ("lock.py", "match dialect.name:\n    case 'sqlite': pass"),
        ("somewhere.py", ""),
    ],
)
def test_an_arrow_the_wrong_way_is_seen(tmp_path: Path, file: str, source: str) -> None:
    write(tmp_path, "ledger.py", "")
    write(tmp_path, file, source)
    assert len(violations(tmp_path)) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        (
            "plan.py",
            "import re\nfrom nonstop.descriptions.scripts import Script\nfrom nonstop.errors import Refused",
        ),
        ("operations/columns.py", "from nonstop.operations.tables import quote\nimport sqlalchemy as sa"),
        ("operations/columns.py", "from .tables import quote"),
        ("databases/sqlite.py", "if dialect.name == 'sqlite': pass"),
        ("lock.py", "print(dialect.name, column.name == 'x')"),
        ("integrations/flask.py", "from flask import Flask\nfrom nonstop.cli import main"),
        ("runner.py", "from nonstop import __version__\nfrom nonstop.guard import Guard"),
        ("__init__.py", "from nonstop.cli import run_script"),
    ],
)
def test_an_arrow_the_right_way_is_fine(tmp_path: Path, file: str, source: str) -> None:
    write(tmp_path, file, source)
    assert violations(tmp_path) == []


def write(root: Path, file: str, source: str) -> None:
    """Write a file of a made-up nonstop below ``root``."""
    path = root / "nonstop" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
