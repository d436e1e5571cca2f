"""Which database a DATABASE_URL means, and where the settings come from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

import config
from tests.app.conftest import BACKEND

INSTANCE = (BACKEND / "instance").as_posix()
DEFAULT = f"sqlite:///{INSTANCE}/felix_hub.db"


@pytest.mark.parametrize(
    ("given", "resolved"),
    [
        (None, DEFAULT),
        ("", DEFAULT),
        ("  \n", DEFAULT),
        ("postgres://u:p@h:5432/felix_hub", "postgresql+psycopg://u:p@h:5432/felix_hub"),
        (
            "postgresql://u:p@h/felix_hub?sslmode=require",
            "postgresql+psycopg://u:p@h/felix_hub?sslmode=require",
        ),
        ("postgresql://u:p%40%25@h/db\n", "postgresql+psycopg://u:p%40%25@h/db"),
        ("postgresql+psycopg2://u@h/db", "postgresql+psycopg2://u@h/db"),
        ("sqlite:///database.db", f"sqlite:///{INSTANCE}/database.db"),
        ("sqlite:///sub/database.db", f"sqlite:///{INSTANCE}/sub/database.db"),
        ("sqlite:///database.db?timeout=5", f"sqlite:///{INSTANCE}/database.db?timeout=5"),
        ("sqlite+pysqlite:///database.db", f"sqlite+pysqlite:///{INSTANCE}/database.db"),
        ("sqlite:///file:a.db?mode=ro&uri=true", f"sqlite:///file:{INSTANCE}/a.db?mode=ro&uri=true"),
        ("sqlite:////srv/felix.db", "sqlite:////srv/felix.db"),
        ("sqlite:///file:/srv/felix.db?uri=true", "sqlite:///file:/srv/felix.db?uri=true"),
        ("sqlite://", "sqlite://"),
        ("sqlite:///", "sqlite:///"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite:///file:shared?mode=memory&uri=true", "sqlite:///file:shared?mode=memory&uri=true"),
        ("mysql://u@h/db", "mysql://u@h/db"),
        ("no url at all", "no url at all"),
    ],
)
def test_resolves_the_url(given: str | None, resolved: str) -> None:
    assert config.resolve_database_url(given) == resolved


@pytest.mark.parametrize("url", [None, "sqlite:///database.db", "postgres://u:p@h/db", "sqlite:///:memory:"])
def test_resolving_twice_changes_nothing_more(url: str | None) -> None:
    once = config.resolve_database_url(url)

    assert config.resolve_database_url(once) == once


@pytest.mark.parametrize("url", ["sqlite:///database.db", "sqlite:///file:database.db?mode=rwc&uri=true"])
def test_flask_sqlalchemy_opens_the_file_that_the_runner_opens(url: str) -> None:
    from app import create_app, db

    with create_app(url).app_context():
        assert db.engine.url == make_url(config.resolve_database_url(url))


def test_the_working_directory_does_not_matter(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    program = "from config import resolve_database_url as r; print(r(None), r('sqlite:///database.db'))"

    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(BACKEND)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout.split() == [DEFAULT, f"sqlite:///{INSTANCE}/database.db"]


def test_a_dotenv_file_names_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:////srv/from-file.db\n")

    assert config.database_url() == "sqlite:////srv/from-file.db"


def test_the_real_environment_wins_over_the_dotenv_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////srv/real.db")
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:////srv/from-file.db\nSECRET_KEY=from-file\n")

    assert config.database_url() == "sqlite:////srv/real.db"
    assert config.Settings.from_environment().secret_key == "from-file"


def test_reading_the_settings_imports_neither_flask_nor_sqlalchemy() -> None:
    program = "import config, sys; config.database_url(); print({'flask', 'sqlalchemy', 'dotenv'} & set(sys.modules))"

    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=BACKEND, capture_output=True, text=True, check=True
    )

    assert answer.stdout == "set()\n"


def test_passwords_stay_out_of_the_settings_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://felix:hunter2@h/db")
    monkeypatch.setenv("SECRET_KEY", "top-secret")

    shown = repr(config.Settings.from_environment())

    assert "hunter2" not in shown
    assert "top-secret" not in shown
