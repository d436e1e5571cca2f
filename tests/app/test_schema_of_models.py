"""init_db, the two migrations and the models tell one story; `/readyz` follows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from tests.app.conftest import BACKEND
from tests.app.schemas import describe

MIGRATIONS = BACKEND / "migrations"
FIRST = MIGRATIONS / "001_add_car_number_column.py"
SECOND = MIGRATIONS / "002_create_categories_parts_tables.py"

ASK_READYZ = """
import json
from app import app
answer = app.test_client().get("/readyz")
print(json.dumps([answer.status_code, answer.get_json()]))
"""


def run(script: Path, url: str, *arguments: str) -> None:
    environment = {**os.environ, "DATABASE_URL": url}
    answer = subprocess.run(
        [sys.executable, str(script), *arguments], env=environment, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr


def readyz(url: str) -> list[Any]:
    environment = {**os.environ, "DATABASE_URL": url}
    answer = subprocess.run(
        [sys.executable, "-c", ASK_READYZ], cwd=BACKEND, env=environment, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    return list(json.loads(answer.stdout))


def test_the_models_are_the_schema_after_002(old_database: str, tmp_path: Path) -> None:
    from models import Order

    of_models = f"sqlite:///{tmp_path}/models.db"
    engine = create_engine(of_models)
    Order.metadata.create_all(engine)
    engine.dispose()

    run(FIRST, old_database)
    run(SECOND, old_database)

    assert describe(old_database) == describe(of_models)


def test_the_names_that_the_contract_gives(old_database: str) -> None:
    run(FIRST, old_database)
    run(SECOND, old_database)
    schema = describe(old_database)

    assert schema["orders"]["columns"]["car_number"] == ("VARCHAR(20)", True, None)
    assert [index["name"] for index in schema["orders"]["indexes"]] == ["idx_orders_car_number"]
    assert [index["name"] for index in schema["parts"]["indexes"]] == ["idx_parts_category_id"]
    [foreign_key] = schema["parts"]["foreign keys"]
    assert foreign_key["name"] == "fk_parts_category_id_categories"
    assert foreign_key["referred_table"] == "categories"
    assert foreign_key["options"] == {"ondelete": "CASCADE"}


def test_rolled_back_the_schema_is_what_init_db_made(old_database: str) -> None:
    before = describe(old_database)
    run(FIRST, old_database)
    run(SECOND, old_database)

    run(SECOND, old_database, "rollback")
    run(FIRST, old_database, "rollback")

    assert describe(old_database) == before


def test_readyz_follows_the_migrations(old_database: str) -> None:
    assert readyz(old_database) == [
        503,
        {"status": "pending", "pending": ["001_add_car_number_column", "002_create_categories_parts_tables"]},
    ]

    run(FIRST, old_database)
    assert readyz(old_database)[1]["pending"] == ["002_create_categories_parts_tables"]

    run(SECOND, old_database)
    assert readyz(old_database) == [200, {"status": "ready"}]


def test_readyz_says_when_the_database_is_out_of_reach(tmp_path: Path) -> None:
    status, body = readyz("postgresql://felix@127.0.0.1:1/felix_hub")

    assert (status, body["status"]) == (503, "unreachable")
