"""A pooler that shares sessions is refused before anything runs; one that does not is as good as the server (C8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import CommandLine
from tests.support.fingerprint import fingerprint
from tests.support.pgbouncer import MISSING, find_pgbouncer, pooled

pytestmark = pytest.mark.skipif(find_pgbouncer() is None, reason=MISSING)
SCRIPT = """
from nonstop import op
from sqlalchemy import Column, Integer

def apply():
    op.create_table("t", Column("id", Integer, primary_key=True))
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
