"""Felix Hub's own migrations, through its ``run_migrations.py``: nonstop as an application calls it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.measure import Command
from benchmarks.peers.project import PYTHON, Peer, Project, Target
from tests.support.commands import clean_environment

BACKEND = Path(__file__).resolve().parents[2] / "felix_hub" / "backend"


def create(folder: Path, scripts: int, target: Target) -> Project:
    """The schema as it was before the first migration; the two scripts are the repository's."""
    folder.mkdir(parents=True)
    variables = {"DATABASE_URL": target.url}
    environment = clean_environment(folder, **variables)
    subprocess.run([PYTHON, BACKEND / "init_db.py"], check=True, env=environment, stdout=subprocess.DEVNULL)
    called: list[str | Path] = [PYTHON, BACKEND / "migrations" / "run_migrations.py"]
    apply = Command([*called, "apply"], folder, variables)
    return Project(apply, Command([*called, "status"], folder, variables), apply)


PEER = Peer("Felix Hub", "nonstop", create, module="flask_sqlalchemy", fixed_scripts=2)
