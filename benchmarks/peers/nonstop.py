"""nonstop on a folder of scripts that import nothing but SQLAlchemy and ``op``, as Alembic's do."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Command
from benchmarks.peers.project import PYTHON, Peer, Project, Target, tables, write

SCRIPT = '''"""Migration {number}: creates {table}."""

from sqlalchemy import Column, Integer, String

from nonstop import op


def apply():
    op.create_table("{table}", Column("id", Integer, primary_key=True), Column("name", String(50)))
    return True


def rollback():
    op.drop_table("{table}")
    return True
'''
MOST_TO_APPLY = 1000
"""With more scripts than that, the ledger is filled by ``baseline``: reading it is what is measured then."""


def create(folder: Path, scripts: int, target: Target) -> Project:
    for number, table in tables(scripts):
        write(
            folder / "migrations" / f"{number:05d}_create_{table}.py",
            SCRIPT.format(number=number, table=table),
        )
    called: list[str | Path] = [PYTHON, "-m", "nonstop", "--dir", folder / "migrations", "--url", target.url]
    apply = Command([*called, "apply"], folder)
    prepare = (
        apply if scripts <= MOST_TO_APPLY else Command([*called, "baseline", "--to", str(scripts)], folder)
    )
    return Project(apply, Command([*called, "status"], folder), prepare)


PEER = Peer("nonstop", "nonstop", create)
