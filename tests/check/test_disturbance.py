"""Disturbing a process of one's own: which statements count, and that a chosen one fails instead of being sent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nonstop.check.disturbance import of_the_script
from tests.support.databases import engine_for

ROOT = Path(__file__).resolve().parents[2]
LEDGER = frozenset({"nonstop_steps", "nonstop_events"})
PROGRAM = """
import sys
from sqlalchemy import text
from nonstop.check import disturbance
from nonstop.check.disturbance import Disturbance, of_the_script
url, kill_at, fail_at = sys.argv[1], *(int(number) or None for number in sys.argv[2:])
disturbed = disturbance.install(Disturbance(of_the_script(frozenset()), kill_at, fail_at))
from tests.support.databases import engine_for
with engine_for(url).begin() as connection:
    connection.execute(text("BEGIN"))  # Python's driver for SQLite begins none before DDL
    connection.execute(text("CREATE TABLE first (n INTEGER)"))
    try:
        connection.execute(text("INSERT INTO first VALUES (1)"))
    except Exception as error:
        print(type(error).__name__)
with engine_for(url).begin() as connection:
    connection.execute(text("BEGIN"))
    connection.execute(text("SELECT count(*) FROM first"))
    connection.execute(text("CREATE TABLE second (n INTEGER)"))
print(disturbed.seen)
"""


def play(url: str, kill_at: int = 0, fail_at: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, url, str(kill_at), str(fail_at)],
        capture_output=True, text=True, cwd=ROOT, timeout=60,
    )  # fmt: skip


def tables(url: str) -> set[str]:
    from sqlalchemy import inspect

    engine = engine_for(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


@pytest.mark.parametrize(
    ("statement", "is_counted"),
    [
        ("CREATE TABLE a (n int)", True),
        ("INSERT INTO orders VALUES (1)", True),
        ("SELECT 1", False),
        ("WITH a AS (SELECT 1) SELECT * FROM a", False),
        ("SET lock_timeout = 5", False),
        ("SAVEPOINT nonstop_held", False),
        ("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE", False),
        ("INSERT INTO nonstop_steps VALUES (1)", False),
        ('UPDATE "public".nonstop_events SET at = 1', False),
    ],
)
def test_what_counts_as_a_statement_of_the_script(statement: str, is_counted: bool) -> None:
    assert of_the_script(LEDGER)(statement) is is_counted


def test_statements_and_commits_are_counted(database_url: str) -> None:
    assert play(database_url).stdout.split() == ["5"]


@pytest.mark.parametrize(
    ("point", "left"), [(1, set()), (2, set()), (3, {"first"}), (4, {"first"}), (5, {"first", "second"})]
)
def test_it_is_killed_after_each_in_turn(database_url: str, point: int, left: set[str]) -> None:
    assert play(database_url, kill_at=point).returncode == -9
    assert tables(database_url) == left


def test_a_statement_fails_instead_of_being_sent(database_url: str) -> None:
    done = play(database_url, fail_at=2)
    assert done.stdout.split() == ["OperationalError", "4"], done.stderr
    assert tables(database_url) == {"first", "second"}
