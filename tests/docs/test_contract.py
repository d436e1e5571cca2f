"""The commands that Felix Hub's users were promised, typed as written, in a copy of the repository."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.docs.session import clone, make_commands
from tests.support.commands import LIMIT, clean_environment

FIRST, SECOND = "001_add_car_number_column", "002_create_categories_parts_tables"
ROOT_FOLDER = Path("/")


class Contract:
    """A clone with a database of 50 orders; ``type`` runs one command as a user would."""

    def __init__(self, folder: Path, url: str | None) -> None:
        self.backend = clone(folder / "clone") / "felix_hub" / "backend"
        self.migrations = self.backend / "migrations"
        home = folder / "home"
        home.mkdir()
        # In production, without a SECRET_KEY: it is needed to serve and not to migrate.
        self._environment = clean_environment(home, FELIX_ENV="production", PYTHONPATH=str(folder / "clone"))
        self._environment["PATH"] = f"{make_commands(folder / 'commands')}:{self._environment['PATH']}"
        if url is not None:
            self._environment["DATABASE_URL"] = url
        self.type("python init_db.py --demo 50", self.backend)

    def type(self, command: str, folder: Path, expected: int = 0) -> str:
        """Run ``command`` in ``folder``; its standard output. Fails for another exit code than ``expected``."""
        done = subprocess.run(
            shlex.split(command),
            cwd=folder,
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT,
        )
        assert done.returncode == expected, f"{command}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def database_files(self) -> set[str]:
        """The SQLite files that are anywhere in the clone, relative to the backend."""
        clone_folder = self.backend.parent.parent
        return {path.relative_to(self.backend).as_posix() for path in clone_folder.rglob("*.db")}


def check_in_the_migrations_folder(contract: Contract) -> None:
    """``cd felix_hub/backend/migrations``, then each command of the contract. Ends with nothing applied."""
    here = contract.migrations
    applied = contract.type("python run_migrations.py apply", here)
    assert applied.index(f"{FIRST}: applied") < applied.index(f"{SECOND}: applied")
    assert "2 applied, 0 pending" in contract.type("python run_migrations.py status", here)
    undone = contract.type("python run_migrations.py rollback", here)
    assert undone.index(f"{SECOND}: rolled back") < undone.index(f"{FIRST}: rolled back")
    assert f"{FIRST}: applied" in contract.type(f"python {FIRST}.py", here)
    assert f"{FIRST}: rolled back" in contract.type(f"python {FIRST}.py rollback", here)
    assert "0 applied, 2 pending" in contract.type(
        "python run_migrations.py status --exit-code", here, expected=3
    )


def check_with_a_path_from_the_root(contract: Contract) -> None:
    """The same commands from ``/`` reach the same database."""
    here = contract.migrations
    contract.type(f"python {here}/{FIRST}.py", ROOT_FOLDER)
    applied = contract.type(f"python {here}/run_migrations.py apply", ROOT_FOLDER)
    assert f"{FIRST}: applied" not in applied
    assert f"{SECOND}: applied" in applied
    assert "2 applied, 0 pending" in contract.type("python run_migrations.py status", here)
    contract.type(f"python {here}/{FIRST}.py rollback", ROOT_FOLDER)
    assert f"{SECOND}: rolled back" in contract.type(f"python {here}/run_migrations.py rollback", ROOT_FOLDER)
    assert "0 applied, 2 pending" in contract.type(f"python {here}/run_migrations.py status", ROOT_FOLDER)


@pytest.mark.parametrize(("url", "file"), [(None, "felix_hub.db"), ("sqlite:///database.db", "database.db")])
def test_on_sqlite_inside_the_backend(tmp_path: Path, url: str | None, file: str) -> None:
    contract = Contract(tmp_path, url)
    check_in_the_migrations_folder(contract)
    check_with_a_path_from_the_root(contract)
    assert contract.database_files() == {f"instance/{file}"}


@pytest.mark.parametrize("scheme", ["postgresql://", "postgres://"])
def test_on_postgresql(tmp_path: Path, postgres_url: str, scheme: str) -> None:
    contract = Contract(tmp_path, postgres_url.replace("postgresql://", scheme))
    check_in_the_migrations_folder(contract)
    check_with_a_path_from_the_root(contract)
    assert contract.database_files() == set()
