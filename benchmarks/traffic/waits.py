"""Who of the application waits for a lock, and behind whom: what tells a stall by locks from one by load."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, NamedTuple

import psycopg

from benchmarks.traffic.clients import APPLICATION

LOOK_EVERY = 0.02  # seconds; shorter waits are not seen
# pg_blocking_pids() holds up the server's whole lock table for a moment: it is asked only for sessions that wait.
LOOK = """
    SELECT l.locktype || ' ' || l.mode, coalesce(b.application_name, ''), coalesce(b.state, ''), left(coalesce(b.query, ''), 100),
        extract(epoch FROM clock_timestamp() - l.waitstart)::float
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) AS blocker
    LEFT JOIN pg_stat_activity b ON b.pid = blocker
    WHERE NOT l.granted AND a.datname = current_database() AND a.application_name = %s AND l.waitstart IS NOT NULL"""


class Blocker(NamedTuple):
    """Whom the application waited for: which lock, whose session, in what state, at which statement."""

    lock: str
    application: str
    state: str
    statement: str


class Waits:
    """Looks for the length of a ``with`` block. ``longest`` is in seconds, as far as it was seen.

    ``stalled`` is the sum of seconds in which at least one client waited for somebody who is none.
    """

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True, application_name="live traffic's observer")
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._seen_up_to = 0.0
        self.longest: dict[Blocker, float] = {}
        self.stalled = 0.0

    def __enter__(self) -> Waits:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        self._connection.close()

    def _look(self) -> None:
        while not self._end.wait(LOOK_EVERY):
            longest = 0.0
            for lock, application, state, statement, waited in self._connection.execute(LOOK, [APPLICATION]):
                if application != APPLICATION:  # the clients' rows are theirs to quarrel over
                    blocker = Blocker(lock, application, state, " ".join(statement.split()))
                    self.longest[blocker] = max(self.longest.get(blocker, 0), waited)
                    longest = max(longest, waited)
            if longest:
                now = time.monotonic()
                self.stalled += now - max(now - longest, self._seen_up_to)
                self._seen_up_to = now

    def as_json(self) -> list[dict[str, Any]]:
        """The longest first."""
        found = sorted(self.longest.items(), key=lambda item: -item[1])
        return [{**blocker._asdict(), "longest_ms": seconds * 1000} for blocker, seconds in found]
