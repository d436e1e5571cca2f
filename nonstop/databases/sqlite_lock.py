"""The runner's lock on an SQLite file. The kernel frees it when its holder dies."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from nonstop.databases.sqlite_inode_lock import InodeLock
from nonstop.errors import PermissionMissing


class FileRunnerLock:
    """A lock on the file at ``database``, and a lock file beside it whose text names the holder.

    The lock file stays behind, empty of meaning, when the lock is free. Deleted, or beside another path of the same
    database, it names nobody; the lock on the database itself still holds.
    """

    def __init__(self, database: Path, name: str, owner: str) -> None:
        self.path = Path(f"{os.path.realpath(database)}.{name}.lock")
        self._database = database
        self._owner = f"pid {os.getpid()}, {owner}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        self._lock = FileLock(self.path, timeout=0)
        self._inode = InodeLock(database, name)

    def try_acquire(self) -> bool:
        try:
            self._lock.acquire()
        except Timeout:
            return False
        except OSError as error:
            raise PermissionMissing(
                f"the lock file {self.path} can't be written: {error.strerror}",
                next_step="make the database's folder writable for this user",
            ) from error
        if not self._acquire_inode():
            self._lock.release()
            return False
        self.path.write_text(self._owner)
        return True

    def _acquire_inode(self) -> bool:
        try:
            return self._inode.try_acquire()
        except OSError as error:
            self._lock.release()
            raise PermissionMissing(
                f"{self._database} can't be written: {error.strerror}",
                next_step="make the file and its folder writable for this user",
            ) from error

    def step_back(self) -> None:
        """Who waits keeps nothing."""

    def holder(self) -> str:
        if self._lock.is_locked:
            return ""
        if self.path.exists() and not self._is_free():
            return self.path.read_text().strip() or "another process"
        return "another process, by another path of the same file" if self._inode.is_held_elsewhere() else ""

    def _is_free(self) -> bool:
        try:
            with FileLock(self.path, timeout=0):
                return True
        except Timeout:
            return False

    def verify(self) -> None:
        """A lock of the kernel can't be taken from a living process."""

    def release(self) -> None:
        self._inode.release()
        self._lock.release()
