"""What sessions of other processes do on a PostgreSQL server, seen from a session of our own."""

from __future__ import annotations

import psycopg

# The runner's lock is the only advisory lock that is not shared.
LOCK_HOLDER = b"""
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


def at_work(url: str, statement: str) -> list[int]:
    """The process ids of the sessions that execute ``statement``."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query = %s", [statement]
        )
        return [pid for (pid,) in found]


def cut_lock_connection(url: str) -> None:
    """End the session that holds the runner's lock, and wait until it has ended."""
    with psycopg.connect(url, autocommit=True) as connection:
        ((holder,),) = connection.execute(LOCK_HOLDER).fetchall()
        end_session(url, holder)


def end_session(url: str, pid: int) -> None:
    """Terminate a session and wait until the server has done so."""
    with psycopg.connect(url, autocommit=True) as connection:
        ended = connection.execute("SELECT pg_terminate_backend(%s, 10000)", [pid]).fetchone()
        assert ended == (True,)
