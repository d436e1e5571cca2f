"""The runner's lock beside an SQLite file. The kernel frees it when its holder dies."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from nonstop.errors import PermissionMissing


class FileRunnerLock:
    """A lock file whose text names the holder. It stays behind, empty of meaning, when the lock is free."""

    def __init__(self, path: Path, owner: str) -> None:
        self.path = path
        self._owner = f"pid {os.getpid()}, {owner}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        self._lock = FileLock(path, timeout=0)

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
        self.path.write_text(self._owner)
        return True

    def holder(self) -> str:
        if self._lock.is_locked or not self.path.exists() or self._is_free():
            return ""
        return self.path.read_text().strip() or "another process"

    def _is_free(self) -> bool:
        try:
            with FileLock(self.path, timeout=0):
                return True
        except Timeout:
            return False

    def verify(self) -> None:
        """A file lock can't be taken from a living process."""

    def release(self) -> None:
        self._lock.release()
