"""Small applications with a migrations folder, for scripts in the contract's template to work in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ApplicationKind = Literal["flask", "mounted", "light"]

DATABASE_URL = """\
import os
from pathlib import Path

HERE = Path(__file__).resolve().parent


def database_url():
    url = os.environ["DATABASE_URL"]
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            url = "postgresql+psycopg://" + url.removeprefix(scheme)
    return url
"""

FLASK = f'''\
"""A plain Flask application. It knows nothing of nonstop."""

{DATABASE_URL}

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = database_url()
db = SQLAlchemy(app)
'''

MOUNT = """
import nonstop.integrations.flask

nonstop.integrations.flask.mount(app, directory=HERE / "migrations")
"""

# Starts in half the time: for tests that start many processes and are about something else.
LIGHT = f'''\
"""Looks like a Flask application to a migration file."""

{DATABASE_URL}

from contextlib import nullcontext

from sqlalchemy import create_engine


class App:
    def app_context(self):
        return nullcontext()


class Database:
    engine = create_engine(database_url())


app = App()
db = Database()
'''

SOURCES: dict[ApplicationKind, str] = {"flask": FLASK, "mounted": FLASK + MOUNT, "light": LIGHT}


@dataclass(frozen=True)
class Project:
    """A project folder with ``app.py`` and ``migrations/``, and the database that it is meant for."""

    folder: Path
    url: str

    @property
    def migrations(self) -> Path:
        """The folder of the numbered scripts."""
        return self.folder / "migrations"

    @property
    def environment(self) -> dict[str, str]:
        """What a process of this project needs in its environment."""
        return {"DATABASE_URL": self.url}


def make_project(folder: Path, url: str, kind: ApplicationKind = "flask") -> Project:
    """Create a project in ``folder``: an application that reads DATABASE_URL, and an empty ``migrations/``.

    ``kind`` is ``flask`` (Flask and Flask-SQLAlchemy), ``mounted`` (the same with the one line that mounts nonstop),
    or ``light`` (no Flask at all, quick to start).
    """
    project = Project(folder, url)
    project.migrations.mkdir(parents=True)
    (folder / "app.py").write_text(SOURCES[kind], encoding="utf-8")
    return project
