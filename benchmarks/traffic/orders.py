"""The table that is worked on: Felix Hub's ``orders`` as it was before migration 001, with millions of rows."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.peers.felix_hub import BACKEND
from benchmarks.peers.project import PYTHON
from tests.support.commands import clean_environment

FILL = """
    INSERT INTO orders (mechanic_name, telegram_id, category, vin, selected_parts, status, created_at, updated_at)
    SELECT 'Mechanic ' || n % 40, (200000000 + n % 40)::text, 'Category ' || n % 30, upper(substr(md5(n::text), 1, 17)),
        json_build_array('Part ' || n % 500, 'Part ' || n % 700), (ARRAY['новый', 'в работе', 'готов', 'выдан'])[1 + n % 4],
        now() - n * interval '10 seconds', now() - n * interval '10 seconds'
    FROM generate_series(1, {rows}) n"""
OTHER_SESSIONS = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
OTHER_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'orders'"
NEW_COLUMNS = r"""
    SELECT attname FROM pg_attribute WHERE attrelid = 'orders'::regclass AND NOT attisdropped
        AND (attname = 'car_number' OR attname LIKE 'extra\_%')"""
IS_MIGRATED = """
    SELECT 1 FROM pg_attribute a JOIN pg_index i ON i.indrelid = a.attrelid AND a.attnum = ANY (i.indkey)
    WHERE a.attrelid = 'orders'::regclass AND a.attname = 'car_number' AND i.indisvalid"""


def create(url: str, rows: int, home: Path) -> None:
    """Make the table as ``init_db.py`` does, and fill it on the server, in one statement."""
    environment = clean_environment(home, DATABASE_URL=url)
    subprocess.run([PYTHON, BACKEND / "init_db.py"], check=True, env=environment, stdout=subprocess.DEVNULL)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL.format(rows=int(rows)).encode())
        connection.execute("VACUUM (ANALYZE) orders")  # or autovacuum does it in the middle of a run
    put_back(url)


def is_migrated(url: str) -> bool:
    """Whether ``orders`` has the column ``car_number`` and a valid index on it."""
    with psycopg.connect(url) as connection:
        return connection.execute(IS_MIGRATED).fetchone() is not None


def put_back(url: str) -> None:
    """Take away what a run has left: column and index, every tool's own tables, forgotten sessions."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(OTHER_SESSIONS)
        for (table,) in connection.execute(OTHER_TABLES).fetchall():
            connection.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(table)))
        for (column,) in connection.execute(NEW_COLUMNS).fetchall():
            connection.execute(sql.SQL("ALTER TABLE orders DROP COLUMN {}").format(sql.Identifier(column)))
        with suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute("CHECKPOINT")  # each run begins with the same amount of work behind it
