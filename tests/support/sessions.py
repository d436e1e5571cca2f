"""What sessions of other processes do on a PostgreSQL server, seen from a session of our own."""

from __future__ import annotations

import psycopg

from tests.support.waiting import until

# The runner's lock is the only advisory lock that is not shared.
LOCK_HOLDER = b"""
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
# The moments at which a runner looked who holds the tables that it wants to lock.
LOOKS = """
    SELECT pid, query_start FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'nonstop observer' AND position(%s in query) > 0"""
RUNNERS = b"""
    SELECT application_name FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'nonstop%'"""


def at_work(url: str, statement: str) -> list[int]:
    """The process ids of the sessions that execute ``statement``."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND state = 'active' AND query = %s",
            [statement],
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


def until_it_looks(url: str, times: int = 3, at: str = "virtualtransaction") -> None:
    """Wait until a runner that waits outside the queue for a lock has looked at the holders that often.

    ``at`` is a word of the query that it looks with.
    """
    seen: set[object] = set()

    def looked() -> bool:
        seen.update(connection.execute(LOOKS, [at]).fetchall())
        return len(seen) >= times

    with psycopg.connect(url, autocommit=True) as connection:
        until(looked)


def until_old(url: str, pid: int) -> None:
    """Wait until a session's transaction is older than the default blocking budget: no lock is queued behind it."""
    query = "SELECT now() - xact_start > interval '500 ms' FROM pg_stat_activity WHERE pid = %s"
    with psycopg.connect(url, autocommit=True) as connection:
        until(lambda: connection.execute(query, [pid]).fetchone() == (True,))


def until_blocked(url: str, pid: int) -> None:
    """Wait until a session waits for a lock that another one holds."""
    with psycopg.connect(url, autocommit=True) as connection:
        until(
            lambda: connection.execute("SELECT cardinality(pg_blocking_pids(%s))", [pid]).fetchone() != (0,)
        )


def queued_for(url: str, table: str) -> int:
    """How many sessions stand in the queue for a lock on ``table``."""
    with psycopg.connect(url, autocommit=True) as connection:
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
        ((number,),) = connection.execute(query, [table]).fetchall()
        return int(number)


def sessions_of_runners(url: str) -> list[str]:
    """The names of all the sessions that runners and their scripts have in this database."""
    with psycopg.connect(url, autocommit=True) as connection:
        return [name for (name,) in connection.execute(RUNNERS)]
