"""yoyo, with scripts in Python."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Command
from benchmarks.peers.project import Peer, Project, Target, program, tables, write

SCRIPT = '''"""
create {table}
"""

from yoyo import step

__depends__ = {{{before}}}

steps = [step("CREATE TABLE {table} (id INTEGER PRIMARY KEY, name VARCHAR(50))", "DROP TABLE {table}")]
'''


def create(folder: Path, scripts: int, target: Target) -> Project:
    before = ""
    for number, table in tables(scripts):
        name = f"{number:05d}-create-{table}"
        write(folder / "migrations" / f"{name}.py", SCRIPT.format(table=table, before=before))
        before = repr(name)
    options: list[str | Path] = [
        "--batch",
        "--no-config-file",
        "--database",
        target.url,
        folder / "migrations",
    ]
    apply = Command([program("yoyo"), "apply", *options], folder)
    return Project(apply, Command([program("yoyo"), "list", *options], folder), apply)


PEER = Peer("yoyo", "yoyo-migrations", create, module="yoyo", program="yoyo")
