"""Flask-Migrate, in a project as ``flask db init`` makes it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.measure import Command
from benchmarks.peers.alembic import write_versions
from benchmarks.peers.project import Peer, Project, Target, program, with_driver, write
from tests.support.commands import clean_environment

APPLICATION = """from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = {url!r}
db = SQLAlchemy(app)
migrate = Migrate(app, db)
"""


def create(folder: Path, scripts: int, target: Target) -> Project:
    write(folder / "app.py", APPLICATION.format(url=with_driver(target.url, "postgresql+psycopg")))
    called: list[str | Path] = [program("flask"), "--app", "app", "db"]
    subprocess.run(
        [*called, "init"], cwd=folder, env=clean_environment(folder), check=True, capture_output=True
    )
    write_versions(folder / "migrations" / "versions", scripts)
    apply = Command([*called, "upgrade"], folder)
    return Project(apply, Command([*called, "current"], folder), apply)


PEER = Peer("Flask-Migrate", "Flask-Migrate", create, module="flask_migrate", program="flask")
