"""Rehearsals of an SQLite database: on copies of its file."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING
from urllib.parse import quote

from nonstop.databases.namespaces import can_isolate, isolated
from nonstop.databases.rehearsal import Bounds, Fenced, Ground, Scratch
from nonstop.databases.rehearsal_environment import without_target
from nonstop.databases.rehearsal_folder import RehearsalFolder
from nonstop.descriptions.promises import Place

if TYPE_CHECKING:
    from nonstop.databases.sqlite import SQLite

SIDE_FILES = ("-journal", "-wal", "-shm")
CARRIED = ("", "-journal", "-wal")
"""What makes up a database that a killed process left; the -shm file is made anew."""
IN_WAL_MODE = b"\x02\x02"
"""Bytes 18 and 19 of the file."""
COVER_TEXT = "This stands for a database that must not be touched while its migrations are rehearsed.\n"
COVERED = "its processes have no network, and the database's file is covered for them"
BEST_EFFORT = "best effort: connections are checked by the drivers in Python"


class FileGround(Ground):
    """Scratch databases are files in a temporary folder."""

    def __init__(self, database: SQLite, fenced: Fenced | None = None) -> None:
        self._database = database
        self._folder = RehearsalFolder(lambda _: None)
        self.folder = self._folder.path
        self.mark = f"nonstop check {token_hex(4)}"
        self._numbers = count()
        try:
            self._target = database.path.resolve()
            self.place = self._placed()
            if fenced is not None:
                fenced(self)
            self._base = self._new()
            copy_file(database, self._path(self._base))
        except BaseException:
            self._folder.remove()
            raise

    def base(self) -> Scratch:
        return self._base

    def copy(self, scratch: Scratch) -> Scratch:
        made = self._new()
        for suffix in CARRIED:
            source = Path(f"{self._path(scratch)}{suffix}")
            if source.exists():
                shutil.copyfile(source, f"{self._path(made)}{suffix}")
        return made

    def drop(self, scratch: Scratch) -> None:
        for path in self.folder.glob(f"{scratch.name}.db*"):
            path.unlink(missing_ok=True)

    def command(self, command: list[str]) -> list[str]:
        if not self.place.is_isolated:
            return command
        cover = self.folder / "cover"
        cover.write_text(COVER_TEXT)
        files = [Path(f"{self._target}{suffix}") for suffix in ("", *SIDE_FILES)]
        return isolated(command, {path: cover for path in files if path.exists()}, self.folder)

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        return without_target(given, [self._database.url], self._folder.home, self.mark)

    def bounds(self) -> Bounds:
        return Bounds(self._database.display, self.place.is_isolated, target_files=(str(self._target),))

    def close(self) -> None:
        self._folder.remove()

    def _placed(self) -> Place:
        server = f"SQLite {sqlite3.sqlite_version}"
        if not self._target.exists():
            return Place(
                "copy of the file", server, False, f"{BEST_EFFORT}, since the file does not exist yet"
            )
        if not can_isolate(self.folder):
            return Place(
                "copy of the file", server, False, f"{BEST_EFFORT}, since namespaces are not allowed here"
            )
        return Place("copy of the file", server, True, COVERED)

    def _new(self) -> Scratch:
        name = f"scratch_{next(self._numbers)}"
        scheme = self._database.url.text.partition("://")[0]
        return Scratch(name, f"{scheme}:///{self.folder / name}.db")

    def _path(self, scratch: Scratch) -> Path:
        return self.folder / f"{scratch.name}.db"


def checksums(path: Path) -> dict[str, str]:
    """The contents of the file and of those beside it that hold data; absent and empty side files are the same."""
    files = [path, *(Path(f"{path}{suffix}") for suffix in CARRIED[1:])]
    return {
        str(file): _checksum(file)
        for file in files
        if file.exists() and (file == path or file.stat().st_size)
    }


def _checksum(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def copy_file(database: SQLite, destination: Path) -> None:
    """Make a consistent copy while others write; an absent database becomes an empty one."""
    with closing(sqlite3.connect(destination)) as copy:
        if not _copied_at_rest(database.path, copy):
            with closing(database.connect_reading()) as original:
                original.backup(copy)


def _copied_at_rest(path: Path, copy: sqlite3.Connection) -> bool:
    """Copy a database in WAL mode that nobody has open; False where somebody has, or came in between.

    Any usual reader would leave two files beside it. Opened as immutable it gets none, and no lock either: whoever writes
    meanwhile makes a -wal file first, and has changed the file when that is gone again.
    """
    if not path.exists() or _has_side_files(path):
        return False
    before = path.stat()
    with path.open("rb") as file:
        if file.read(20)[18:] != IN_WAL_MODE:
            return False
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as original:
        original.backup(copy)
    after = path.stat()
    return not _has_side_files(path) and (before.st_mtime_ns, before.st_size) == (
        after.st_mtime_ns,
        after.st_size,
    )


def _has_side_files(path: Path) -> bool:
    return any(Path(f"{path}{suffix}").exists() for suffix in SIDE_FILES)
