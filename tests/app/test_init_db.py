"""init_db.py: the schema before the first migration, and the demo orders."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

import init_db
from demo_data import PARTS, VIN_CHARACTERS, demo_orders, vin_check_digit
from orders.lifecycle import STATUSES
from tests.app.conftest import BACKEND
from tests.app.schemas import describe

SCHEMA_BEFORE_001 = {
    "id": ("INTEGER", False, None),
    "mechanic_name": ("VARCHAR(120)", False, None),
    "telegram_id": ("VARCHAR(50)", False, None),
    "category": ("VARCHAR(120)", False, None),
    "vin": ("VARCHAR(50)", True, None),
    "selected_parts": ("JSON", False, None),
    "is_original": ("BOOLEAN", False, "0"),
    "photo_url": ("VARCHAR(250)", True, None),
    "status": ("VARCHAR(50)", False, "'новый'"),
    "printed": ("BOOLEAN", False, "0"),
    "language": ("VARCHAR(5)", False, "'ru'"),
    "created_at": ("DATETIME", False, "CURRENT_TIMESTAMP"),
    "updated_at": ("DATETIME", False, "CURRENT_TIMESTAMP"),
}


def rows(url: str) -> list[Any]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(init_db.orders.select().order_by(init_db.orders.c.id)).all()
    engine.dispose()
    return list(found)


def run(url: str, *arguments: str, cwd: Path = BACKEND) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BACKEND / "init_db.py"), *arguments],
        cwd=cwd,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
    )


def test_creates_the_schema_before_001_and_nothing_else(old_database: str) -> None:
    schema = describe(old_database)

    assert list(schema) == ["orders"]
    assert schema["orders"]["columns"] == SCHEMA_BEFORE_001
    assert schema["orders"]["primary key"]["constrained_columns"] == ["id"]
    assert schema["orders"]["indexes"] == []


def test_a_second_run_changes_nothing(database_url: str) -> None:
    assert run(database_url, "--demo", "25").returncode == 0
    before = rows(database_url)

    again = run(database_url, "--demo", "25")

    assert again.returncode == 0
    assert "demo orders added: 0" in again.stdout
    assert rows(database_url) == before
    assert len(before) == 25


def test_a_table_that_a_migration_has_changed_is_left_alone(old_database: str) -> None:
    engine = create_engine(old_database)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE orders ADD COLUMN car_number VARCHAR(20)"))
    engine.dispose()
    before = describe(old_database)

    assert run(old_database, "--demo", "3").returncode == 0
    assert describe(old_database) == before


def test_filling_up_in_two_steps_gives_the_same_orders(tmp_path: Path) -> None:
    at_once, in_steps = f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db"
    run(at_once, "--demo", "40")

    run(in_steps, "--demo", "15")
    run(in_steps, "--demo", "40")
    run(in_steps, "--demo", "10")  # fewer than there are: none is taken away

    assert rows(in_steps) == rows(at_once)


def test_many_orders_are_inserted_in_batches(old_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init_db, "ROWS_PER_BATCH", 7)
    engine = create_engine(old_database)

    with engine.begin() as connection:
        assert init_db.add_demo_orders(connection, 20) == 20
    engine.dispose()

    assert [row.id for row in rows(old_database)] == list(range(1, 21))


def test_demo_orders_are_always_the_same() -> None:
    assert list(islice(demo_orders(), 200)) == list(islice(demo_orders(), 200))


def test_demo_orders_look_like_a_workshop() -> None:
    orders = list(islice(demo_orders(), 2_000))

    assert {order["status"] for order in orders} == set(STATUSES)
    assert {order["language"] for order in orders} == {"ru", "he", "en"}
    assert all(order["category"] in PARTS[order["language"]] for order in orders)
    assert all(order["selected_parts"] for order in orders)
    assert all(earlier["created_at"] < later["created_at"] for earlier, later in pairwise(orders))
    assert all(order["created_at"] <= order["updated_at"] for order in orders)
    assert {order["vin"] is None for order in orders} == {True, False}
    assert set(orders[0]) == set(SCHEMA_BEFORE_001) - {"id"}


def test_demo_vins_are_valid() -> None:
    vins = [order["vin"] for order in islice(demo_orders(), 2_000) if order["vin"]]

    assert all(len(vin) == 17 and set(vin) <= set(VIN_CHARACTERS) for vin in vins)
    assert all(vin[8] == vin_check_digit(vin) for vin in vins)
    assert len(set(vins)) > 0.99 * len(vins)


@pytest.mark.parametrize("vin", ["1M8GDM9AXKP042788", "11111111111111111", "5GZCZ43D13S812715"])
def test_check_digit_of_known_vins(vin: str) -> None:
    assert vin_check_digit(vin) == vin[8]


def test_makes_a_missing_instance_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init_db, "INSTANCE", tmp_path / "instance")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/instance/felix_hub.db")

    assert init_db.main([]) == 0
    assert (tmp_path / "instance" / "felix_hub.db").is_file()


def test_runs_from_any_directory(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/felix_hub.db"

    assert run(url, "--demo", "1", cwd=Path("/")).returncode == 0
    assert len(rows(url)) == 1


@pytest.mark.parametrize(
    ("url", "exit_code", "said"),
    [
        ("postgresql://felix:hunter2@127.0.0.1:1/felix_hub", 6, "felix_hub on 127.0.0.1:1 can't be reached"),
        ("sqlite:////nonexistent/felix_hub.db", 6, "/nonexistent/felix_hub.db can't be reached"),
        ("felix:hunter2", 2, "DATABASE_URL can't be used"),
        ("unheard-of://felix:hunter2@h/db", 2, "DATABASE_URL can't be used"),
    ],
)
def test_a_database_out_of_reach_is_one_clear_line(url: str, exit_code: int, said: str) -> None:
    answer = run(url)

    assert answer.returncode == exit_code
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "hunter2" not in answer.stdout + answer.stderr


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "felix_hub.db").write_text("this is a letter, and a letter is no database" * 100)

    answer = run(f"sqlite:///{tmp_path}/felix_hub.db")

    assert answer.returncode == 1
    assert "file is not a database" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("number", ["-1", "many", "1.5"])
def test_a_bad_number_of_orders_is_a_usage_error(number: str, database_url: str) -> None:
    assert run(database_url, "--demo", number).returncode == 2
