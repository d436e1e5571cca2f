"""What users may import, and what starting the command line may cost."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import nonstop
from tests.support.commands import CommandLine

ROOT = Path(__file__).resolve().parents[2]
PUBLIC_NAMES = ["__version__", "op", "run_script"]

# Together they take longer to import than a whole `status` may take.
NOT_FOR_READING = ["alembic", "dotenv", "flask", "psycopg", "rich", "sqlalchemy", "tomllib"]


def test_the_public_names_are_these() -> None:
    assert nonstop.__all__ == sorted(PUBLIC_NAMES)


def test_each_public_name_is_there() -> None:
    for name in nonstop.__all__:
        assert getattr(nonstop, name) is not None


def test_the_version_is_the_package_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert nonstop.__version__ == project["version"]


def test_importing_the_command_line_loads_nothing_heavy(cli: CommandLine) -> None:
    program = f"import sys, json, nonstop.cli; print(json.dumps([m for m in {NOT_FOR_READING} if m in sys.modules]))"
    # Without the variable that asks for coverage: measuring loads modules of its own.
    done = cli.python("-c", program, env={"COVERAGE_PROCESS_CONFIG": ""})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
