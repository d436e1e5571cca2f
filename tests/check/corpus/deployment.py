"""What comes between two scripts of a correction: the first ones are applied, and the next release is deployed."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection, Table

from nonstop.check.rows.values import nth
from tests.support.commands import CommandLine
from tests.support.databases import engine_for
from tests.support.projects import Project


def deploy(project: Project) -> None:
    """Apply the project's scripts, and write what a release that knows their columns would have written by and by."""
    engine = engine_for(project.url)
    try:
        before = _tables(engine)
        nonstop = CommandLine(project.folder, project.folder)
        done = nonstop("apply", "--discard-data", "--dir", project.migrations, env=project.environment)
        assert done.returncode == 0, done.stdout + done.stderr
        with engine.begin() as connection:
            for name, table in _tables(engine).items():
                if name in before:
                    new = set(table.columns.keys()) - set(before[name].columns.keys())
                    _fill(connection, table, new)
    finally:
        engine.dispose()


def _tables(engine: sa.Engine) -> dict[str, Table]:
    metadata = sa.MetaData()
    metadata.reflect(engine)
    return dict(metadata.tables)


def _fill(connection: Connection, table: Table, columns: set[str]) -> None:
    """A value of its own for each row that has none in one of ``columns``; what refers to other rows may stay empty."""
    for column in (table.columns[name] for name in columns if not table.columns[name].foreign_keys):
        empty = connection.execute(sa.select(*table.primary_key).where(column.is_(None))).all()
        for number, key in enumerate(empty, 1):
            row = [part == value for part, value in zip(table.primary_key, key, strict=True)]
            connection.execute(sa.update(table).where(*row).values({column: nth(column, number)}))
