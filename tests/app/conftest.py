"""Felix Hub on a database of its own for each test: a SQLite file, never the developer's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

BACKEND = Path(__file__).resolve().parents[2] / "felix_hub" / "backend"
sys.path.insert(0, str(BACKEND))  # as in production, where `app` and its neighbours are top-level modules


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the developer's own settings; whoever asks for the default database gets one that can't exist."""
    import config

    for name in ("SECRET_KEY", "FELIX_ENV", "FLASK_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/missing/felix_hub.db")
    monkeypatch.setattr(config, "ENVIRONMENT_FILE", tmp_path / ".env")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/felix_hub.db"


@pytest.fixture
def old_database(database_url: str) -> str:
    """The URL of a database as it was before migration 001."""
    import init_db

    engine = create_engine(database_url)
    with engine.begin() as connection:
        init_db.create_schema(connection)
    engine.dispose()
    return database_url


@pytest.fixture
def application(database_url: str) -> Iterator[Flask]:
    """The application on an empty database with today's schema."""
    from app import create_app, db

    application = create_app(database_url)
    with application.app_context():
        db.create_all()
    yield application
    with application.app_context():
        db.engine.dispose()


@pytest.fixture
def client(application: Flask) -> FlaskClient:
    return application.test_client()
