"""SECRET_KEY: needed to serve in production, and for nothing else."""

from __future__ import annotations

import pytest

import config


@pytest.mark.parametrize("variable", ["FELIX_ENV", "FLASK_ENV"])
@pytest.mark.parametrize("name", ["production", "Production", "prod", "staging"])
def test_without_a_key_nothing_is_served_in_production(
    variable: str, name: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app import create_app

    monkeypatch.setenv(variable, name)

    answer = create_app(database_url).test_client().get("/healthz")

    assert answer.status_code == 500
    assert "SECRET_KEY is not set" in answer.get_json()["error"]


@pytest.mark.parametrize("key", ["", config.DEVELOPMENT_SECRET_KEY])
def test_the_development_key_is_no_key_in_production(
    key: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app import create_app

    monkeypatch.setenv("FELIX_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", key)

    assert create_app(database_url).test_client().get("/healthz").status_code == 500


def test_with_a_key_production_serves(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import create_app

    monkeypatch.setenv("FELIX_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", "a key of one's own")
    application = create_app(database_url)

    assert application.test_client().get("/healthz").status_code == 200
    assert application.config["SECRET_KEY"] == "a key of one's own"


@pytest.mark.parametrize("name", ["", "development", "testing"])
def test_development_has_a_default(name: str, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import create_app

    monkeypatch.setenv("FELIX_ENV", name)
    application = create_app(database_url)

    assert application.test_client().get("/healthz").status_code == 200
    assert application.config["SECRET_KEY"] == config.DEVELOPMENT_SECRET_KEY


def test_without_a_key_the_database_can_still_be_used_for_migrations(
    old_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import inspect

    from app import create_app, db

    monkeypatch.setenv("FELIX_ENV", "production")

    with create_app(old_database).app_context():
        assert inspect(db.engine).get_table_names() == ["orders"]
        db.engine.dispose()
