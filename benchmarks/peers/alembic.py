"""Alembic, in a project as ``alembic init`` makes it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.measure import Command
from benchmarks.peers.project import Peer, Project, Target, program, tables, with_driver, write

SCRIPT = '''"""create {table}"""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {before}


def upgrade():
    op.create_table("{table}", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.String(50)))


def downgrade():
    op.drop_table("{table}")
'''


def create(folder: Path, scripts: int, target: Target) -> Project:
    folder.mkdir(parents=True)
    alembic = program("alembic")
    subprocess.run([alembic, "init", "migrations"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    configuration = folder / "alembic.ini"
    url = with_driver(target.url, "postgresql+psycopg")
    configuration.write_text(configuration.read_text().replace("driver://user:pass@localhost/dbname", url))
    write_versions(folder / "migrations" / "versions", scripts)
    apply = Command([alembic, "upgrade", "head"], folder)
    return Project(apply, Command([alembic, "current"], folder), apply)


def write_versions(folder: Path, scripts: int) -> None:
    """A chain of revisions, as Alembic and Flask-Migrate read it."""
    for number, table in tables(scripts):
        before = repr(f"{number - 1:05d}") if number > 1 else None
        script = SCRIPT.format(table=table, revision=f"{number:05d}", before=before)
        write(folder / f"{number:05d}_create_{table}.py", script)


PEER = Peer("Alembic", "alembic", create, module="alembic", program="alembic")
