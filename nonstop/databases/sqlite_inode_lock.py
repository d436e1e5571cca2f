"""A lock on an SQLite file itself, whatever path leads to it: symbolic links, hard links and bind mounts are one database.

It is a byte far behind those that SQLite locks, in an "open file description" lock, which belongs to this descriptor
and not to the process (Linux manual, fcntl(2)). Where a system has no such locks, the lock file beside the database is
all there is.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

FIRST_BYTE = 1 << 61
"""SQLite locks bytes from 2^30 on, and a database has at most 2^48 (SQLite manual, "File Locking" and "Limits")."""
FLOCK = "hhqqi4x"
"""``struct flock``: type, whence, start, length, pid."""

_descriptors: dict[tuple[int, ...], int] = {}
"""Kept open, by device, inode, mode and process: to close any descriptor of a file frees SQLite's own locks of the whole process."""


class InodeLock:
    """The lock of the ledger called ``name`` on the file at ``path``."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._byte = FIRST_BYTE + zlib.crc32(name.encode())
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free; an absent file is made. Raises OSError where it can't be opened."""
        if not hasattr(fcntl, "F_OFD_SETLK"):
            return True
        descriptor = self._open(os.O_RDWR | os.O_CREAT)
        if not self._set(descriptor, fcntl.F_WRLCK):
            return False
        self._descriptor = descriptor
        return True

    def is_held_elsewhere(self) -> bool:
        """Whether somebody else holds it now, seen without taking it."""
        if not hasattr(fcntl, "F_OFD_GETLK") or self._descriptor is not None or not self._path.exists():
            return False
        answer = fcntl.fcntl(self._open(os.O_RDONLY), fcntl.F_OFD_GETLK, self._flock(fcntl.F_WRLCK))
        return bool(struct.unpack(FLOCK, answer)[0] != fcntl.F_UNLCK)

    def release(self) -> None:
        """Give it back; does nothing if it is not held."""
        if self._descriptor is not None:
            self._set(self._descriptor, fcntl.F_UNLCK)
            self._descriptor = None

    def _set(self, descriptor: int, kind: int) -> bool:
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, self._flock(kind))
        except (BlockingIOError, PermissionError):  # EAGAIN or EACCES: somebody else holds it
            return False
        return True

    def _flock(self, kind: int) -> bytes:
        return struct.pack(FLOCK, kind, os.SEEK_SET, self._byte, 1, 0)

    def _open(self, flags: int) -> int:
        known = _descriptors.get(self._key(flags)) if self._path.exists() else None
        if known is None:
            known = os.open(self._path, flags, 0o644)
            _descriptors[self._key(flags)] = known
        return known

    def _key(self, flags: int) -> tuple[int, ...]:
        status = self._path.stat()
        # A child process that is forked shares its parent's descriptors, and so their locks.
        return (status.st_dev, status.st_ino, flags & os.O_ACCMODE, os.getpid())
