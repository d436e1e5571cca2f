"""Plain SQL of a script gives way to the application, as steps of ``op`` do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle

from nonstop.databases.base import Database, DBAPIConnection, LockConflict
from nonstop.descriptions.operations import LockClass
from nonstop.errors import MadeWay

SAVEPOINT = "nonstop_lock"


class Manners:
    """Looks before a script's statement takes a strong lock.

    ``wait_outside(relations, lock)`` returns, when no old transaction holds the tables, whether an autovacuum has to be got
    out of the way first; ``lock_patiently(relations, lock, attempt)`` calls ``attempt(lock_timeout_ms, past_autovacuum)`` until
    it had its lock. ``lock_timeout_ms()`` tells how many ms the next statement may then wait in the queue. ``has_written(connection)`` tells
    whether the open transaction holds locks of its own already: then there is no waiting outside, and the script as a
    whole has to try again if the lock is not to be had. ``was_broken_off()`` tells whether the watchdog cancelled a
    statement. ``attempt`` (1, 2 …) decides in which order several tables are locked: the statement's own, from the
    oldest to the newest, or the other way round. Where the application uses one of them all the time, that order alone
    would meet it at each attempt (failure mode C9).
    """

    def __init__(
        self,
        database: Database,
        wait_outside: Callable[[Sequence[str], LockClass], bool],
        lock_patiently: Callable[[Sequence[str], LockClass, Callable[[int, bool], None]], None],
        lock_timeout_ms: Callable[[], int],
        has_written: Callable[[DBAPIConnection], bool],
        was_broken_off: Callable[[], bool],
        attempt: int,
    ) -> None:
        self._database = database
        self._wait_outside = wait_outside
        self._lock_patiently = lock_patiently
        self._lock_timeout_ms = lock_timeout_ms
        self._has_written = has_written
        self.was_broken_off = was_broken_off
        self._attempt = attempt
        self._limited: set[int] = set()

    def before(self, connection: DBAPIConnection, relations: Sequence[str], lock: LockClass) -> None:
        """Wait for a good moment, and bound how long the next statement may wait in the queue for ``relations``."""
        self.forget_limits_of_the_past(connection)
        waits_outside = bool(relations) and not self._has_written(connection)
        behind_autovacuum = waits_outside and self._wait_outside(relations, lock)
        self._limit(connection, relations if behind_autovacuum else ())
        in_order = ((), relations, relations[::-1])[(self._attempt - 1) % 3]
        if len(in_order) > 1 and self._database.in_transaction(connection):
            with self._making_way(relations):
                self._database.lock_in_order(connection, in_order, lock)

    def lock_first(self, connection: DBAPIConnection, relations: Sequence[str], lock: LockClass) -> None:
        """Have the locks before the statement is sent: a lock that is not to be had is then tried again by itself.

        For a script that can't begin anew, in a transaction that holds no locks yet. Raises LockNotObtained.
        """
        orders = cycle([relations, relations[::-1]])

        def attempt(timeout_ms: int, past_autovacuum: bool) -> None:
            with _undone_by_itself(connection):
                self._database.limit_lock_wait(connection, timeout_ms, relations if past_autovacuum else ())
                self._database.lock_in_order(connection, next(orders), lock)

        self._lock_patiently(relations, lock, attempt)
        self.limit(connection)

    def limit(self, connection: DBAPIConnection) -> None:
        """Bound how long the next statement may wait, whatever it waits for."""
        self._limit(connection, ())

    def forget_limits_of_the_past(self, connection: DBAPIConnection) -> None:
        """The limit of an earlier transaction went with it."""
        if not self._has_written(connection):
            self._limited.discard(id(connection))

    def _limit(self, connection: DBAPIConnection, vacuumed: Sequence[str]) -> None:
        with self._making_way(vacuumed):
            self._database.limit_lock_wait(connection, self._lock_timeout_ms(), vacuumed)
        self._limited.add(id(connection))

    @contextmanager
    def _making_way(self, relations: Sequence[str]) -> Iterator[None]:
        """A lock of our own that is not to be had is no failure of the script."""
        try:
            yield
        except Exception as error:
            if not self._database.is_lock_conflict(error):
                raise
            raise MadeWay(f"no lock on {', '.join(relations)}: {str(error).strip()}") from error

    def had_to_make_way(self, connection: DBAPIConnection, statement: str, error: BaseException) -> bool:
        """Whether ``error`` of ``statement`` comes from our limit, from the watchdog, or from a deadlock.

        A script may ask for the like itself (NOWAIT, a timeout of its own): that is its own business.
        """
        if self.was_broken_off() and self._database.is_disconnect(error):
            return True
        match self._database.lock_conflict(error):
            case LockConflict.DEADLOCK:
                return True
            case LockConflict.CANCELLED:
                return self.was_broken_off()
            case LockConflict.NOT_AVAILABLE:
                return id(connection) in self._limited and "nowait" not in statement.lower()
        return False


@contextmanager
def _undone_by_itself(connection: DBAPIConnection) -> Iterator[None]:
    """What fails in the block gives its locks back, and leaves the transaction and its settings as they were."""
    cursor = connection.cursor()
    cursor.execute(f"SAVEPOINT {SAVEPOINT}")
    try:
        yield
    except BaseException:
        cursor.execute(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
        raise
    finally:
        cursor.execute(f"RELEASE SAVEPOINT {SAVEPOINT}")
