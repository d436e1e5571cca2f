"""The temporary folder of a rehearsal: it belongs to a process, and what dead processes left behind is removed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "nonstop-check-"
MARK = "owned"
IN_MEMORY = Path("/dev/shm")
ROOM = 2 << 30
"""Bytes that have to be free there: dozens of small databases, or a few with a million rows."""
LONGEST_NAME = 80
"""A socket's path has at most 107 bytes on Linux and 103 on macOS, with the folder's name at its beginning."""


class RehearsalFolder:
    """A new folder that only this user can read, ours for as long as this process lives.

    ``orphans`` is told the path of each folder that nobody owns any longer, before that is removed.
    """

    def __init__(self, orphans: Callable[[Path], None]) -> None:
        remove_ownerless(orphans)
        self.path = _make()
        # The system's own lock: it goes with the process, however that ends.
        self._descriptor = os.open(self.path, os.O_RDONLY)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (self.path / MARK).touch()  # only now: nobody can take it for ownerless before it is locked
        self.home = self.path / "home"
        self.home.mkdir()

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def remove_ownerless(orphans: Callable[[Path], None]) -> None:
    """Remove the folders of this user whose owner is dead."""
    for folder in {path for parent in _parents() for path in parent.glob(f"{PREFIX}*")}:
        with suppress(OSError), _taken_over(folder):
            orphans(folder)
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _taken_over(folder: Path) -> Iterator[None]:
    """Own a folder that nobody owns. Raises OSError where somebody does, or where it is not this user's."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid != os.getuid() or not (folder / MARK).exists():
            raise PermissionError(f"{folder} is not ours")
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _parents() -> set[Path]:
    """Where such folders may be: a killed process may have had another TMPDIR than we have."""
    return {Path(parent).resolve() for parent in (tempfile.gettempdir(), "/tmp", IN_MEMORY)}


def _make() -> Path:
    parent = str(IN_MEMORY) if _has_room_in_memory() else tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)).resolve()
    if len(os.fsencode(folder)) > LONGEST_NAME:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp")).resolve()
    return folder


def _has_room_in_memory() -> bool:
    """A copy of a database takes 12 ms in memory, and 20 to 250 on a disk; a TMPDIR that somebody chose goes first."""
    if "TMPDIR" in os.environ or not os.access(IN_MEMORY, os.W_OK | os.X_OK):
        return False
    return shutil.disk_usage(IN_MEMORY).free >= ROOM
