"""Plain SQL of a script gives way to the application, as steps of ``op`` do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nonstop.databases.base import Database, DBAPIConnection, LockConflict
from nonstop.descriptions.operations import LockClass
from nonstop.errors import MadeWay


class Manners:
    """Looks before a script's statement takes a strong lock.

    ``wait_outside(relations, lock)`` returns, when no old transaction holds the tables, how many ms the statement may wait
    in the queue, and whether an autovacuum has to be got out of the way first. ``has_written(connection)`` tells
    whether the open transaction holds locks of its own already: then there is no waiting outside, and the script as a
    whole has to try again if the lock is not to be had. ``was_broken_off()`` tells whether the watchdog cancelled a
    statement.
    """

    def __init__(
        self,
        database: Database,
        wait_outside: Callable[[Sequence[str], LockClass], tuple[int, bool]],
        lock_timeout_ms: Callable[[], int],
        has_written: Callable[[DBAPIConnection], bool],
        was_broken_off: Callable[[], bool],
    ) -> None:
        self._database = database
        self._wait_outside = wait_outside
        self._lock_timeout_ms = lock_timeout_ms
        self._has_written = has_written
        self.was_broken_off = was_broken_off
        self._limited: set[int] = set()

    def before(self, connection: DBAPIConnection, relations: Sequence[str], lock: LockClass) -> None:
        """Wait for a good moment, and bound how long the next statement may wait in the queue for ``relations``."""
        self.forget_limits_of_the_past(connection)
        timeout_ms, behind_autovacuum = self._lock_timeout_ms(), False
        if relations and not self._has_written(connection):
            timeout_ms, behind_autovacuum = self._wait_outside(relations, lock)
        self._limit(connection, timeout_ms, relations if behind_autovacuum else ())

    def limit(self, connection: DBAPIConnection) -> None:
        """Bound how long the next statement may wait, whatever it waits for."""
        self._limit(connection, self._lock_timeout_ms(), ())

    def forget_limits_of_the_past(self, connection: DBAPIConnection) -> None:
        """The limit of an earlier transaction went with it."""
        if not self._has_written(connection):
            self._limited.discard(id(connection))

    def _limit(self, connection: DBAPIConnection, timeout_ms: int, vacuumed: Sequence[str]) -> None:
        try:
            self._database.limit_lock_wait(connection, timeout_ms, vacuumed)
        except Exception as error:
            if not self._database.is_lock_conflict(error):
                raise
            raise MadeWay(f"no lock on {', '.join(vacuumed)}: autovacuum did not give way") from error
        self._limited.add(id(connection))

    def had_to_make_way(self, connection: DBAPIConnection, statement: str, error: BaseException) -> bool:
        """Whether ``error`` of ``statement`` comes from our limit, from the watchdog, or from a deadlock.

        A script may ask for the like itself (NOWAIT, a timeout of its own): that is its own business.
        """
        match self._database.lock_conflict(error):
            case LockConflict.DEADLOCK:
                return True
            case LockConflict.CANCELLED:
                return self.was_broken_off()
            case LockConflict.NOT_AVAILABLE:
                return id(connection) in self._limited and "nowait" not in statement.lower()
        return False
