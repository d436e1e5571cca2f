"""SQLite: one file, one writer. Used in development, with the same promises except the blocking budget."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from nonstop.databases.base import Database, DBAPIConnection, RunnerLock, Violation
from nonstop.databases.sqlite_driver import DriverTransactions
from nonstop.databases.url import DatabaseUrl
from nonstop.errors import DatabaseUnreachable, LockNotObtained, NonstopError, PermissionMissing, UsageError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Dialect, Engine

    from nonstop.databases.catalog import Catalog
    from nonstop.databases.rehearsal import Rehearsals
    from nonstop.descriptions.losses import LossWatch

BUSY_TIMEOUT = 30.0
"""How long a statement waits for another writer, in seconds."""


class SQLite(Database):
    """A file. The main file stays byte-identical as long as nobody writes through :meth:`connect`."""

    placeholder = "?"
    commits_each_step = False
    builds_indexes_concurrently = False
    alters_in_place = False
    has_one_writer = True
    ledger_types = {
        "id": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "integer": "INTEGER",
        "time": "TEXT",
        "boolean": "INTEGER",
    }

    def __init__(self, url: DatabaseUrl) -> None:
        super().__init__(url)
        self._driver = DriverTransactions()
        self._is_uri = url.database.startswith("file:")
        name = url.database.removeprefix("file:")
        if name in ("", ":memory:") or ("mode", "memory") in url.query:
            raise UsageError(
                "an SQLite database in memory ends with its connection: there is nothing to migrate",
                next_step="name a file: sqlite:///file.db",
            )
        self.path = Path(name).absolute()

    # --- connections ------------------------------------------------------------------------------------------

    def connect_reading(self) -> sqlite3.Connection:
        self._check_place()
        if not self.path.exists():
            return sqlite3.connect(
                ":memory:", isolation_level=None
            )  # a database that is still to be made is empty
        connection = self._open("mode=ro")
        try:
            connection.execute("BEGIN")
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            connection.close()
            raise self.translate(error) or self._unreadable(str(error)) from error
        return connection

    def recover(self) -> None:
        # A hot journal is rolled back by the first reader that may write.
        if Path(f"{self.path}-journal").exists():
            with closing(self.connect()) as connection:
                try:
                    connection.execute("SELECT 1 FROM sqlite_master").fetchone()
                except sqlite3.Error as error:
                    raise self.translate(error) or self._unreadable(str(error)) from error

    def connect(self) -> sqlite3.Connection:
        self._check_place()
        return self._open("")

    def _open(self, mode: str) -> sqlite3.Connection:
        options = "&".join(
            filter(None, [mode or ("mode=ro" if self._opens_read_only else ""), *self._uri_options])
        )
        address = f"file:{quote(str(self.path))}" + (f"?{options}" if options else "")
        try:
            # The threads of a script share the ledger's connection, one at a time.
            return sqlite3.connect(
                address, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise self.translate(error) or self._unreadable(str(error)) from error

    @property
    def _opens_read_only(self) -> bool:
        return self._is_uri and ("mode", "ro") in self.url.query

    @property
    def _uri_options(self) -> list[str]:
        return [
            f"{key}={value}" for key, value in self.url.query if self._is_uri and key not in ("uri", "mode")
        ]

    def _check_place(self) -> None:
        if self.path.is_dir():
            raise UsageError(
                f"{self.path} is a folder, not a database file", next_step="name a file in DATABASE_URL"
            )
        if not self.path.parent.is_dir():
            raise UsageError(
                f"the folder {self.path.parent} of the database does not exist",
                next_step="make it, or correct DATABASE_URL",
            )

    def engine(self, **options: Any) -> Engine:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import QueuePool

        # A new connection reads the schema of the whole file: with a thousand tables, longer than a script takes.
        return create_engine("sqlite://", creator=self.connect, poolclass=QueuePool, **options)

    def dialect(self) -> Dialect:
        from sqlalchemy.dialects.sqlite import dialect

        return dialect()

    def lock(self, name: str, owner: str) -> RunnerLock:
        from nonstop.databases.sqlite_lock import FileRunnerLock

        self._check_place()
        return FileRunnerLock(self.path, name, owner)

    # --- sessions under a script ------------------------------------------------------------------------------

    def is_reached_by(self, connection: DBAPIConnection) -> bool:
        return isinstance(connection, sqlite3.Connection)

    def check_same(self, connection: DBAPIConnection) -> None:
        files = {name: file for _, name, file in connection.execute("PRAGMA database_list").fetchall()}
        if not files["main"] or os.path.realpath(files["main"]) != os.path.realpath(self.path):
            raise UsageError(
                f"the script works on {files['main'] or 'a database in memory'}, the ledger is in {self.path}",
                next_step="give both the same DATABASE_URL",
            )

    def prepare_session(
        self, connection: DBAPIConnection, owner: str, seconds_left: float | None = None
    ) -> None:
        # With its changes in memory until the commit, a transaction leaves readers alone: ours too, see loss_watch.
        connection.execute("PRAGMA cache_spill = OFF")

    def restore_session(self, connection: DBAPIConnection) -> None:
        connection.execute("PRAGMA cache_spill = ON")

    def prepare_steps(self, connection: DBAPIConnection) -> None:
        # A table that is rebuilt is dropped once: with foreign keys enforced, its child rows would go with it. The
        # switch does nothing inside a transaction. What a rebuild breaks is found by PRAGMA foreign_key_check.
        connection.execute("PRAGMA foreign_keys = OFF")

    def begin_if_needed(self, connection: DBAPIConnection, statement: str) -> None:
        self._driver.begin_if_needed(connection, statement)

    def statement_succeeded(self, connection: DBAPIConnection, statement: str) -> None:
        self._driver.succeeded(connection, statement)

    def commits_before(self, connection: DBAPIConnection, statement: str) -> bool:
        return self._driver.commits_before(connection, statement)

    def survives_rollback(self, connection: DBAPIConnection) -> bool:
        return self._driver.survives_rollback(connection)

    def roll_back_driver_part(self, connection: DBAPIConnection) -> bool:
        return self._driver.roll_back_driver_part(connection)

    def release_commits(self, connection: DBAPIConnection, savepoint: str) -> bool:
        return self._driver.release_commits(connection, savepoint)

    def spares_readers(self, connection: DBAPIConnection) -> bool:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        return str(mode).lower() == "wal"

    def in_transaction(self, connection: DBAPIConnection) -> bool:
        return bool(connection.in_transaction)

    def cancel(self, connection: DBAPIConnection) -> None:
        connection.interrupt()

    def is_usable(self, connection: DBAPIConnection) -> bool:
        try:
            return bool(connection.total_changes >= 0)  # raises where it is closed
        except sqlite3.ProgrammingError:
            return False

    def can_commit(self, connection: DBAPIConnection) -> bool:
        return self.in_transaction(connection)

    def has_changes(self, connection: DBAPIConnection) -> bool:
        return self.in_transaction(connection)  # nothing begins one but what writes

    def loss_watch(self, others: DBAPIConnection, ignored: frozenset[str]) -> LossWatch:
        from nonstop.databases.sqlite_losses import FileLosses

        return FileLosses(others, ignored)

    # --- catalog ----------------------------------------------------------------------------------------------

    @cached_property
    def catalog(self) -> Catalog:
        from nonstop.databases.sqlite_catalog import SQLiteCatalog

        return SQLiteCatalog()

    def has_table(self, connection: DBAPIConnection, name: str) -> bool:
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return connection.execute(query, (name,)).fetchone() is not None

    def has_relation(self, connection: Connection, name: str, schema: str | None) -> bool:
        query = "SELECT 1 FROM pragma_table_info(?, ?)"
        return connection.connection.cursor().execute(query, (name, schema)).fetchone() is not None

    @cached_property
    def rehearsals(self) -> Rehearsals:
        from nonstop.databases.sqlite_rehearsals import SQLiteRehearsals

        return SQLiteRehearsals(self)

    # --- errors -----------------------------------------------------------------------------------------------

    def translate(self, error: Exception) -> NonstopError | None:
        if not isinstance(error, sqlite3.Error):
            return None
        code = getattr(error, "sqlite_errorname", "") or ""
        if code in ("SQLITE_READONLY_ROLLBACK", "SQLITE_READONLY_RECOVERY"):
            return self._unreadable("recovery needed: a writer was killed in the middle of a transaction")
        if code.startswith(("SQLITE_READONLY", "SQLITE_PERM")) or "readonly database" in str(error):
            return PermissionMissing(
                f"{self.path} can't be written: {error}",
                next_step="make the file and its folder writable for this user",
            )
        if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")) or "not a database" in str(error):
            return DatabaseUnreachable(
                f"{self.path} is damaged, or is no SQLite database: {error}",
                next_step="restore it from a backup, or correct DATABASE_URL",
            )
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return LockNotObtained(
                f"another process was writing to {self.path} for more than {BUSY_TIMEOUT:.0f} s",
                next_step="end it, then run again",
            )
        if code.startswith("SQLITE_CANTOPEN"):
            self._check_place()
            return self._unreadable(str(error))
        return None

    def _unreadable(self, reason: str) -> DatabaseUnreachable:
        return DatabaseUnreachable(
            f"{self.path} can't be opened: {reason}",
            next_step="apply recovers a file that a killed writer left; otherwise check its permissions",
        )

    def describe(self, error: BaseException) -> tuple[str, ...]:
        code = getattr(error, "sqlite_errorname", None)
        return (f"{type(error).__name__} ({code}): {error}" if code else f"{type(error).__name__}: {error}",)

    def violation(self, error: BaseException) -> Violation | None:
        from nonstop.databases.sqlite_violations import violation_of

        return violation_of(getattr(error, "orig", None) or error)

    def violated_column(self, error: BaseException) -> str:
        from nonstop.databases.sqlite_violations import column_of

        return column_of(getattr(error, "orig", None) or error)

    def current_schema(self, connection: DBAPIConnection) -> str | None:
        return None

    def date_from_text(self, text: str, type_name: str) -> str:
        return text  # a CAST would make a number of it

    def hide_from_others(self, connection: DBAPIConnection, table: str) -> None:
        """SQLite knows no rights but those of the file."""
