"""``check`` as a user meets it: its exit codes, its reports, and a target that is afterwards as it was before."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nonstop.databases import open_database
from nonstop.descriptions.promises import Promise
from tests.support.commands import CommandLine
from tests.support.projects import Project, make_project
from tests.support.scripts import sql, write_script
from tests.support.snapshots import snapshot, sqlite_file
from tests.support.stage import closing_engine

BACKEND = Path(__file__).resolve().parents[2] / "felix_hub" / "backend"
BEFORE = Path(__file__).with_name("felix_hub_before")
ORDERS = "CREATE TABLE orders (id INTEGER PRIMARY KEY, vin VARCHAR(20), price INTEGER)"
ADDED = ("ALTER TABLE orders ADD COLUMN note VARCHAR(20)",)
TAKEN = ("ALTER TABLE orders DROP COLUMN note",)
GOOD = '''\
"""
Migration {number:03d}: add orders.{column}.

Why: mechanics write it on paper.
"""

from sqlalchemy import Column, String

from nonstop import op


def apply():
    op.add_column("orders", Column("{column}", String(20)))


def rollback():
    op.drop_column("orders", "{column}")
'''


def with_orders(folder: Path, url: str, cli: CommandLine) -> Project:
    """A project whose first migration has made a table ``orders``."""
    project = make_project(folder / "project", url, "light")
    write_script(project.migrations, "001_orders.py", sql(ORDERS), sql("DROP TABLE orders"))
    assert cli("apply", "--dir", project.migrations, env=project.environment).returncode == 0
    return project


@pytest.fixture
def shop(tmp_path: Path, sqlite_url: str, cli: CommandLine) -> Project:
    """The same on SQLite."""
    return with_orders(tmp_path, sqlite_url, cli)


@pytest.fixture
def check(shop: Project, cli: CommandLine) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``check("--only", "2")`` on the shop."""
    return lambda *flags: cli("check", "--dir", shop.migrations, *flags, env=shop.environment)


def good(shop: Project, number: int = 2, column: str = "note") -> None:
    text = GOOD.format(number=number, column=column)
    (shop.migrations / f"{number:03d}_{column}.py").write_text(text, encoding="utf-8")


def bad(shop: Project) -> None:
    write_script(shop.migrations, "002_drop_vin.py", sql("ALTER TABLE orders DROP COLUMN vin"))


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_felix_hub_keeps_all_promises_against_the_release_before(database_url: str, cli: CommandLine) -> None:
    environment = {"DATABASE_URL": database_url}
    assert cli.python(BACKEND / "init_db.py", "--demo", "50", env=environment).returncode == 0
    before, traces = snapshot(database_url), open_database(database_url).rehearsals.traces()
    content = sqlite_file(database_url).read_bytes() if database_url.startswith("sqlite") else b""
    done = cli.python(
        BACKEND / "migrations" / "run_migrations.py",
        "check",
        "--all",
        "--against",
        BEFORE,
        "--json",
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = document(done)
    assert found["place"]["isolated"]
    assert [script["number"] for script in found["scripts"]] == [1, 2]
    for script in found["scripts"]:
        assert {name: promise["holds"] for name, promise in script["promises"].items()} == dict.fromkeys(
            (promise.value for promise in Promise), True
        )
    assert found["target_changes"] == []
    assert snapshot(database_url) == before
    assert (
        open_database(database_url).rehearsals.traces() == traces
    )  # catalog, and the files of tables and indexes
    if content:
        assert sqlite_file(database_url).read_bytes() == content


def test_a_good_script_passes(shop: Project, check) -> None:
    good(shop)
    done = check()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "002_note  keeps all promises" in done.stdout
    assert "1 script, none refused" in done.stdout


def test_a_bad_one_is_refused_with_the_script_to_write_instead(shop: Project, check) -> None:
    bad(shop)
    done = check("--json")
    assert done.returncode == 4
    (script,) = document(done)["scripts"]
    assert script["promises"]["additive"]["holds"] is False
    assert "orders.vin is gone" in str(script["promises"]["additive"]["evidence"])
    assert 'phase = "contract"' in script["correction"]["scripts"][0]["text"]


def test_pending_scripts_stand_on_those_before_them(shop: Project, check) -> None:
    good(shop, 2, "note")
    write_script(
        shop.migrations,
        "003_index.py",
        sql("CREATE INDEX by_note ON orders (note)"),
        sql("DROP INDEX by_note"),
    )
    scripts = document(check("--json"))["scripts"]
    assert [script["number"] for script in scripts] == [2, 3]
    assert not any(script["error"] for script in scripts)


@pytest.mark.long
def test_only_one_and_what_is_applied_already(shop: Project, check) -> None:
    good(shop, 2, "note")
    good(shop, 3, "colour")
    assert [script["number"] for script in document(check("--only", "3", "--json"))["scripts"]] == [3]
    assert [script["number"] for script in document(check("--all", "--json"))["scripts"]] == [1, 2, 3]


def test_what_is_applied_and_can_not_be_rolled_back_is_not_rehearsed(shop: Project, check) -> None:
    write_script(shop.migrations, "001_orders.py", sql(ORDERS), "raise RuntimeError('no way back')")
    before = snapshot(shop.url)
    done = check("--all")
    assert done.returncode == 2
    assert "the schema before 001 can't be had" in done.stderr
    assert "no way back" in done.stderr
    assert "check against a database where it is not applied yet" in done.stderr
    assert snapshot(shop.url) == before


def test_nothing_is_pending(shop: Project, check) -> None:
    done = check()
    assert done.returncode == 0
    assert "0 scripts" in done.stdout or "Nothing" in done.stdout


def test_a_broken_file_is_a_row_of_its_own(shop: Project, check) -> None:
    (shop.migrations / "002_typo.py").write_text("def apply(:\n")
    good(shop, 3)
    done = check("--json")
    assert done.returncode == 4
    broken, whole = document(done)["scripts"]
    assert "syntax error" in broken["error"]
    assert not whole["refused"]


def test_a_script_that_fails(shop: Project, check) -> None:
    write_script(shop.migrations, "002_typo.py", sql("ALTER TABLE ordres ADD COLUMN note VARCHAR(20)"))
    done = check()
    assert done.returncode == 4
    assert "ordres" in done.stdout
    assert "Write instead" not in done.stdout


def test_a_script_that_fails_for_the_rows_that_are_there_is_corrected(shop: Project, check) -> None:
    with closing_engine(shop.url) as engine, engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO orders (id) VALUES (1)")
        connection.exec_driver_sql("CREATE TABLE kept (id INTEGER)")
        connection.exec_driver_sql("INSERT INTO kept VALUES (1)")
        connection.exec_driver_sql(
            "CREATE TRIGGER keep BEFORE DELETE ON kept BEGIN SELECT RAISE(ABORT, 'not these'); END"
        )
    write_script(shop.migrations, "002_note.py", sql(f"{ADDED[0]} NOT NULL"), sql(*TAKEN))
    (script,) = document(check("--json"))["scripts"]
    assert "NOT NULL" in script["error"]
    add, require = script["correction"]["scripts"]
    assert "nullable" not in add["text"]
    assert "op.set_not_null" in require["text"]


def test_a_script_that_fails_for_its_transaction_is_corrected(
    tmp_path: Path, postgres_url: str, cli: CommandLine
) -> None:
    """What its statements were to come to shows where each is committed by itself."""
    project = with_orders(tmp_path, postgres_url, cli)
    index = "CREATE INDEX CONCURRENTLY by_vin ON orders (vin)"
    both = f"with db.engine.begin() as c:\n    c.execute(text('{ADDED[0]}'))\n    c.execute(text('{index}'))"
    write_script(project.migrations, "002_note.py", both)
    (script,) = document(cli("check", "--dir", project.migrations, "--json", env=project.environment))[
        "scripts"
    ]
    assert "transaction" in script["error"]
    (instead,) = script["correction"]["scripts"]
    assert "op.create_index" in instead["text"]
    assert "op.add_column" in instead["text"]


def test_a_script_that_hangs_up_its_process(shop: Project, check) -> None:
    (shop.migrations / "002_gone.py").write_text(
        '"""Ends all."""\nimport os\n\n\ndef apply():\n    os._exit(0)\n'
    )
    done = check()
    assert done.returncode == 4
    assert "its process ended without a word" in done.stdout


def test_a_script_that_needs_rows(tmp_path: Path, postgres_url: str, cli: CommandLine) -> None:
    """Of a server's database the schema comes along and no rows: then it gets some that we have made up."""
    project = with_orders(tmp_path, postgres_url, cli)
    count = 'with db.engine.connect() as c:\n    assert c.execute(text("SELECT id FROM orders")).first().id\n'
    guarded = "with db.engine.begin() as c:\n    c.execute(text('ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text'))"
    back = (
        "with db.engine.begin() as c:\n    c.execute(text('ALTER TABLE orders DROP COLUMN IF EXISTS note'))"
    )
    write_script(project.migrations, "002_look_and_add_a_note_to_orders_first.py", count + guarded, back)
    done = cli("check", "--dir", project.migrations, "--json", env=project.environment)
    (script,) = document(done)["scripts"]
    assert not script["error"]
    assert script["promises"]["additive"]["holds"] is True


def test_annotations_for_github(shop: Project, check) -> None:
    bad(shop)
    lines = check("--format", "github").stdout.splitlines()
    assert any(line.startswith("::error file=") and "additive" in line for line in lines)


def test_against_a_git_ref(shop: Project, check) -> None:
    """The release that is tagged uses the column; the code as it is now does not any longer."""
    models = "from app import db\nfrom sqlalchemy import Column, Integer, MetaData, String, Table\n"
    table = 'orders = Table("orders", MetaData(), Column("id", Integer, primary_key=True){})\n'
    (shop.folder / "models.py").write_text(models + table.format(', Column("vin", String(20))'))
    git = ["git", "-C", str(shop.folder), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"], ["tag", "v1"]):
        subprocess.run([*git, *command], check=True)
    (shop.folder / "models.py").write_text(models + table.format(""))
    text = '"""Drop the VIN: nobody has looked for it since May."""\nphase = "contract"\ndiscards_data = "unused"\n'
    (shop.migrations / "002_drop_vin.py").write_text(
        text + "\nfrom nonstop import op\n\n\ndef apply():\n    op.drop_column('orders', 'vin')\n"
    )
    released = document(check("--against", "v1", "--models", "models", "--json"))["scripts"][0]
    now = document(check("--against", str(shop.folder), "--models", "models", "--json"))["scripts"][0]
    assert released["promises"]["compatible_with_running_code"]["holds"] is False
    assert now["promises"]["compatible_with_running_code"]["holds"] is True
    assert now["promises"]["additive"]["holds"] is None


def test_code_that_is_nowhere(shop: Project, check) -> None:
    good(shop)
    done = check("--against", "v0.0.0")
    assert done.returncode == 2
    assert "neither a folder nor a git ref" in done.stderr


def test_flags_that_contradict_each_other(check) -> None:
    assert check("--all", "--only", "1").returncode == 2
