"""One raw script, and the project that it runs in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

SQLITE, POSTGRESQL = ("sqlite",), ("postgresql",)
BOTH = (*SQLITE, *POSTGRESQL)
APPLICATION = """
import os
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {options}
db = SQLAlchemy(app)
with app.app_context():
    if db.engine.dialect.name == "sqlite":
        @event.listens_for(db.engine, "connect")
        def enforce_foreign_keys(connection, _):
            connection.execute("PRAGMA foreign_keys=ON")
"""
SCRIPT = '''"""Migration 001: what it does is compared with what it does under nonstop."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from app import app, db
from sqlalchemy import inspect, text

{discards}


def apply():
    with app.app_context():
{body}
    return True


def rollback():
    return True


if __name__ == "__main__":
    apply()
'''


@dataclass(frozen=True)
class Case:
    """``body`` are lines of ``apply()``; ``setup`` is SQL that runs first, ``app`` more lines of the application."""

    name: str
    databases: tuple[str, ...]
    body: str
    setup: str = ""
    options: str = "{}"
    app: str = ""
    discards: str = ""

    def write(self, folder: Path) -> Path:
        """Write the project; the path of its script comes back."""
        (folder / "migrations").mkdir(parents=True)
        (folder / "app.py").write_text(APPLICATION.format(options=self.options) + self.app, encoding="utf-8")
        script = folder / "migrations" / "001_case.py"
        body = indent(dedent(self.body).strip("\n"), " " * 8)
        script.write_text(SCRIPT.format(discards=self.discards, body=body), encoding="utf-8")
        return script
