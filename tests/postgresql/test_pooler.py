"""A pooler that shares sessions is refused before anything runs; one that does not is as good as the server (C8)."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.support.commands import CommandLine
from tests.support.fingerprint import fingerprint
from tests.support.forked import ForkServer
from tests.support.pgbouncer import MISSING, find_pgbouncer, pooled

pytestmark = pytest.mark.skipif(find_pgbouncer() is None, reason=MISSING)
SCRIPT = """
from nonstop import op
from sqlalchemy import Column, Integer

def apply():
    op.create_table("t", Column("id", Integer, primary_key=True))
"""
RAW = """
import os
from sqlalchemy import create_engine, text

def apply():
    engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS t (id INTEGER)"))
"""


@pytest.fixture
def folder(migrations: Path) -> Path:
    (migrations / "001_make_t.py").write_text(SCRIPT)
    return migrations


def test_c08_transaction_mode_is_refused(
    cli: CommandLine, postgres_url: str, folder: Path, tmp_path: Path
) -> None:
    before = fingerprint(postgres_url)
    with pooled(postgres_url, tmp_path, "transaction") as url:
        done = cli("apply", "--dir", folder, env={"DATABASE_URL": url})
    assert done.returncode == 2, done.stderr
    assert "transaction mode" in done.stderr
    assert "Next: set MIGRATION_DATABASE_URL to the server's own address" in done.stderr
    assert fingerprint(postgres_url) == before


def test_c08_a_direct_address_beside_the_pooler_is_used(
    cli: CommandLine, postgres_url: str, folder: Path, tmp_path: Path
) -> None:
    with pooled(postgres_url, tmp_path, "transaction") as url:
        done = cli(
            "apply", "--dir", folder, env={"DATABASE_URL": url, "MIGRATION_DATABASE_URL": postgres_url}
        )
    assert done.returncode == 0, done.stderr


def test_c08_session_mode_is_accepted(
    cli: CommandLine, postgres_url: str, folder: Path, tmp_path: Path
) -> None:
    with pooled(postgres_url, tmp_path, "session") as url:
        done = cli("apply", "--dir", folder, env={"DATABASE_URL": url})
    assert done.returncode == 0, done.stderr


def test_c08_reading_works_through_any_pooler(
    cli: CommandLine, postgres_url: str, folder: Path, tmp_path: Path
) -> None:
    with pooled(postgres_url, tmp_path, "transaction") as url:
        done = cli("status", "--dir", folder, env={"DATABASE_URL": url})
    assert done.returncode == 0, done.stderr
    assert "001  make_t  pending" in done.stdout


@pytest.mark.parametrize("script", [SCRIPT, RAW], ids=["op", "raw"])
def test_runners_that_wait_leave_a_small_pool_to_the_one_at_work(
    forks: ForkServer, postgres_url: str, folder: Path, tmp_path: Path, script: str
) -> None:
    (folder / "001_make_t.py").write_text(script)
    with pooled(postgres_url, tmp_path, "session", size=6) as url:
        runners = [
            forks.start("apply", "--dir", folder, "--lock-timeout", "60s", env={"DATABASE_URL": url})
            for _ in range(4)
        ]
        ended = [runner.wait() for runner in runners]
    assert [end.returncode for end in ended] == [0, 0, 0, 0], [end.output for end in ended]
    assert sum("1 applied" in end.output for end in ended) == 1


# --- the engine of a script -----------------------------------------------------------------------------------------

ENGINE_OF_ITS_OWN = """
import os
from sqlalchemy import create_engine, text

def apply():
    engine = create_engine(os.environ["POOLED"].replace("postgresql:", "{driver}:"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (id INTEGER)"))
        connection.execute(text("INSERT INTO seen SELECT pg_backend_pid()"))
"""


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "postgresql+psycopg2"])
@pytest.mark.parametrize(("mode", "exit_code"), [("transaction", 2), ("session", 0)])
def test_a_script_may_not_go_through_a_pooler_that_shares_sessions(
    cli: CommandLine,
    postgres_url: str,
    migrations: Path,
    tmp_path: Path,
    mode: str,
    exit_code: int,
    driver: str,
) -> None:
    """Though the runner has the server's own address."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE seen (pid INTEGER)")
    (migrations / "001_make_t.py").write_text(ENGINE_OF_ITS_OWN.format(driver=driver))
    with pooled(postgres_url, tmp_path, mode) as url:
        done = cli("apply", "--dir", migrations, env={"DATABASE_URL": postgres_url, "POOLED": url})
    assert done.returncode == exit_code, done.stderr
    if exit_code:
        assert "the script's engine goes through a connection pooler" in done.stderr
        assert "Next: give the application the server's own address" in done.stderr
