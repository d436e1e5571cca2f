"""The shop: a database of it, and a project folder whose application is the release that is running."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from tests.check.corpus.examples import Example
from tests.support.databases import fresh_database
from tests.support.postgres_server import Server
from tests.support.projects import Project
from tests.support.snapshots import sqlite_file

DATA = Path(__file__).parent
RUNNING_CODE = DATA.parent / "running_code"
GO_ON_COUNTING = """
    SELECT setval(pg_get_serial_sequence(name, 'id'), 1000)
    FROM unnest(ARRAY['customers', 'items', 'orders', 'order_lines', 'payments', 'archive', 'archive_pages']) AS name"""


@contextmanager
def open_shop(database: str, server: Server | None) -> Iterator[Project]:
    """A shop of its own on ``sqlite`` or ``postgresql`` (then on ``server``); gone at the end of the block."""
    with TemporaryDirectory(prefix="corpus-") as folder:
        if server is None or database == "sqlite":
            yield furnish(Path(folder), f"sqlite:///{folder}/shop.db")
        else:
            with fresh_database(server.url) as url:
                yield furnish(Path(folder), url)


def furnish(folder: Path, url: str) -> Project:
    """Make the shop's tables in the empty database at ``url``, and its project in ``folder``."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(sqlite_file(url))) as database:
            database.executescript(_text("schema_sqlite.sql") + _text("rows.sql"))
    else:
        with psycopg.connect(url) as connection:
            connection.execute(_text("schema_postgresql.sql").encode())
            connection.execute(_text("rows.sql").encode())
            connection.execute(GO_ON_COUNTING)
            connection.execute("REFRESH MATERIALIZED VIEW customer_totals")
    project = Project(folder / "project", url)
    project.migrations.mkdir(parents=True)
    shutil.copy(RUNNING_CODE / "app.py", project.folder)
    return project


def write(project: Project, example: Example) -> Path:
    """Write the example as the only migration of the project."""
    path = project.migrations / example.file_name
    path.write_text(example.text, encoding="utf-8")
    return path


def _text(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")
