"""The new release starts on the old schema, and importing it touches no database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.app.conftest import BACKEND

# Runs in a process of its own: only there `import app` happens for the first time.
IMPORT_AND_ASK = """
import json
from sqlalchemy import Engine, event

connected = []
event.listen(Engine, "do_connect", lambda *_: connected.append("while importing"))

from app import app, db
import database, models

at_import = list(connected)
answer = app.test_client().get("/healthz")
print(json.dumps({
    "connections at import": at_import,
    "connections at all": connected,
    "healthz": [answer.status_code, answer.get_json()],
    "one db": db is database.db and models.Order.metadata is db.metadata,
}))
"""


def import_and_ask(url: str) -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, "-c", IMPORT_AND_ASK],
        cwd=BACKEND,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    return dict(json.loads(answer.stdout))


def test_import_and_healthz_leave_the_old_database_as_it_is(old_database: str, tmp_path: Path) -> None:
    file = tmp_path / "felix_hub.db"
    before = file.read_bytes()

    seen = import_and_ask(old_database)

    assert seen["connections at all"] == []
    assert seen["healthz"] == [200, {"status": "alive"}]
    assert seen["one db"]
    assert file.read_bytes() == before


def test_import_and_healthz_need_no_database(tmp_path: Path) -> None:
    seen = import_and_ask(f"sqlite:///{tmp_path}/missing/felix_hub.db")

    assert seen["connections at all"] == []
    assert seen["healthz"][0] == 200
    assert not (tmp_path / "missing").exists()


def test_import_and_healthz_work_while_the_server_is_down() -> None:
    assert import_and_ask("postgres://felix@127.0.0.1:1/felix_hub")["healthz"][0] == 200


def test_a_query_on_the_old_schema_says_that_migrations_are_pending(old_database: str) -> None:
    from app import create_app, db

    application = create_app(old_database)

    answer = application.test_client().get("/api/orders")

    assert answer.status_code == 503
    assert "/readyz" in answer.get_json()["error"]
    with application.app_context():
        db.engine.dispose()


def test_sqlite_enforces_foreign_keys_as_postgresql_does(application: Any) -> None:
    from app import db
    from models import Category, Part

    with application.app_context():
        category = Category(name_ru="Тормоза")
        db.session.add(category)
        db.session.flush()
        db.session.add(Part(category_id=category.id, name_ru="Колодки"))
        db.session.commit()

        db.session.execute(db.delete(Category))
        db.session.commit()

        assert db.session.scalars(db.select(Part)).all() == []
