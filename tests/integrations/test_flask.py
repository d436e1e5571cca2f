"""The one mount line: commands, readiness, and migration files that are started alone."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from flask import Flask
from flask.testing import FlaskClient

from nonstop.integrations.flask import mount
from tests.support.commands import CommandLine
from tests.support.operations import Trial
from tests.support.projects import Project, make_project
from tests.support.scripts import write_tables


@pytest.fixture
def trial(database_url: str, migrations: Path) -> Trial:
    trial = Trial(database_url, migrations)
    for number in (1, 2):
        trial.script(
            f'op.create_table("t{number}", Column("id", Integer))',
            f'op.drop_table("t{number}")',
            f"00{number}_x.py",
        )
    return trial


def application(url: str, folder: Path, **mounted: object) -> Flask:
    app = Flask("made_up")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    mount(app, directory=folder, **mounted)  # type: ignore[arg-type]
    return app


@pytest.fixture
def client(trial: Trial) -> FlaskClient:
    return application(trial.url, trial.folder).test_client()


# --- readiness ------------------------------------------------------------------------------------


def test_ready_means_that_nothing_is_pending(trial: Trial, client: FlaskClient) -> None:
    waiting = client.get("/readyz")
    assert (waiting.status_code, waiting.json) == (503, {"status": "pending", "pending": ["001_x", "002_x"]})
    trial.apply()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (200, {"status": "ready"})
    trial.rollback()
    assert client.get("/readyz").status_code == 503


def test_asking_changes_nothing(trial: Trial, client: FlaskClient) -> None:
    before = trial.look()
    client.get("/readyz")
    assert trial.look() == before
    assert not trial.runner.status().migrations[0].run_id


def test_a_database_that_does_not_answer_is_told_without_its_password(migrations: Path) -> None:
    app = application("postgresql+psycopg://felix:hunter22@127.0.0.1:1/felix_hub", migrations)
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["status"] == "unreachable"
    assert "hunter22" not in answer.text


def test_a_folder_that_is_not_there_is_not_ready(sqlite_url: str, tmp_path: Path) -> None:
    answer = application(sqlite_url, tmp_path / "gone").test_client().get("/readyz")
    assert answer.status_code == 503


def test_the_application_s_rule_for_addresses_counts(trial: Trial) -> None:
    app = application("postgresql://elsewhere/d", trial.folder, resolve_url=lambda url: trial.url)
    trial.apply()
    assert app.test_client().get("/readyz").status_code == 200


# --- flask migrations … ---------------------------------------------------------------------------


@pytest.fixture
def mounted(tmp_path: Path, database_url: str) -> Project:
    project = make_project(tmp_path / "project", database_url, "mounted")
    write_tables(project.migrations, 2)
    return project


@pytest.mark.thorough("postgresql")
def test_the_commands_are_the_same_as_everywhere(mounted: Project, cli: CommandLine) -> None:
    def flask(*arguments: str) -> tuple[int, str]:
        done = cli.python(
            "-m",
            "flask",
            "--app",
            "app",
            "migrations",
            *arguments,
            env=mounted.environment,
            cwd=mounted.folder,
        )
        return done.returncode, done.stdout + done.stderr

    assert flask("status", "--exit-code")[0] == 3
    code, output = flask("apply", "--to", "1")
    assert (code, "001_make_table_1: applied" in output) == (0, True)
    code, output = flask("status")
    assert "1 applied, 1 pending.  Next: flask migrations apply" in output
    assert flask("rollback", "--json")[0] == 0
    code, output = flask("apply", "--to", "9")
    assert (code, "no script with the number 9" in output) == (2, True)
    code, output = flask("--help")
    assert (code, "renumber" in output) == (0, True)


# --- files that are started alone -----------------------------------------------------------------


def test_a_file_that_knows_nothing_of_us_is_handed_over(mounted: Project, cli: CommandLine) -> None:
    script = mounted.migrations / "001_make_table_1.py"
    assert cli.python(script, env=mounted.environment).returncode == 0
    status = cli("status", "--dir", mounted.migrations, env=mounted.environment).stdout
    assert "001  make_table_1  applied" in status
    assert cli.python(script, "rollback", env=mounted.environment).returncode == 0
    status = cli("status", "--dir", mounted.migrations, env=mounted.environment).stdout
    assert "001  make_table_1  pending" in status


FACTORY = """\
import os
from pathlib import Path

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

import nonstop.integrations.flask

db = SQLAlchemy()
MIGRATIONS = Path(__file__).resolve().parent / "migrations"


def create_app():
    app = Flask(__name__)
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db.init_app(app)
    nonstop.integrations.flask.mount(app, directory=MIGRATIONS)
    return app
"""
IMPORTS = "from app import app, db\n"
FACTORIES = {
    "called by the script": (FACTORY, "from app import create_app, db\n\napp = create_app()\n"),
    "called by each function": (FACTORY, "from app import create_app, db\n\ndef app_context():\n    return create_app().app_context()\n"),
    "called at the end of its module": (FACTORY + "\n\napp = create_app()\n", IMPORTS),
}  # fmt: skip


@pytest.mark.parametrize(("application", "imports"), FACTORIES.values(), ids=FACTORIES)
def test_a_file_of_an_application_with_a_factory_is_handed_over(
    tmp_path: Path, database_url: str, cli: CommandLine, application: str, imports: str
) -> None:
    """Once: the application that the runner makes for the script does not hand it over again."""
    project = make_project(tmp_path / "project", database_url, "mounted")
    (project.folder / "app.py").write_text(application, encoding="utf-8")
    script, _ = write_tables(project.migrations, 2)
    text = script.read_text(encoding="utf-8")
    assert IMPORTS in text
    text = text.replace(IMPORTS, imports)
    if "def app_context" in imports:
        text = text.replace("app.app_context()", "app_context()") + "\n\napp_context()\n"
    script.write_text(text, encoding="utf-8")
    for arguments, state in (((), "applied"), (("rollback",), "pending")):
        done = cli.python(script, *arguments, "--lock-timeout", "1s", env=project.environment)
        assert done.returncode == 0, done.stdout + done.stderr
        status = cli("status", "--dir", project.migrations, env=project.environment).stdout
        assert f"001  make_table_1  {state}" in status


@pytest.mark.parametrize("place", ["elsewhere", "another name", "no file"])
def test_another_program_is_left_alone(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    main = ModuleType("__main__")
    if place != "no file":
        main.__file__ = str(
            tmp_path / "001_x.py" if place == "elsewhere" else trial.folder / "run_migrations.py"
        )
    monkeypatch.setitem(__import__("sys").modules, "__main__", main)
    application(trial.url, trial.folder)
    assert trial.runner.status().migrations[0].run_id == ""
