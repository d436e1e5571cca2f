"""Inside a rehearsing child: connections may lead to its scratch databases and nowhere else.

This is the second fence. Where the first one stands (:meth:`nonstop.databases.rehearsal.Ground.command`), nothing else is
within reach anyway, and this one says which line of a script tried; elsewhere it is best effort, against mistakes.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from nonstop.databases.rehearsal import Bounds
from nonstop.databases.url import hide_credentials
from nonstop.errors import UsageError

CLIENTS = re.compile(
    r"(^|[\s/;&|(])(psql|pgbench|pg_dump|pg_dumpall|pg_restore|pg_basebackup|createdb|dropdb|createuser|dropuser|reindexdb|vacuumdb"
    r"|clusterdb|pgcli)(?=$|[\s;&|)])"
)
FROM_ENVIRONMENT = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "dbname": "PGDATABASE",
    "service": "PGSERVICE",
}
"""Where libpq looks for what it is not told."""
DRIVERS = ("psycopg", "psycopg2")


class OutOfBounds(UsageError):
    """A script tried to connect to something that is not its scratch database."""


class Attempt(NamedTuple):
    """What was tried, and from where: files and lines, the innermost first. ``address`` has no password."""

    address: str
    by: str
    stack: tuple[tuple[str, int], ...]


_attempts: list[Attempt] = []


def attempts() -> tuple[Attempt, ...]:
    """What was tried in this process so far, whatever a script made of the error."""
    return tuple(_attempts)


def confine(bounds: Bounds) -> None:
    """Hold this process, and those that it forks, to ``bounds``; once, before any code of the user's is imported."""
    sys.addaudithook(_Hook(bounds))
    for name in DRIVERS:
        # Nobody need wait for a driver that the script does not use, where it would reach nothing anyway.
        if name in sys.modules or (
            find_spec(name) and (bounds.socket_folder or bounds.name_prefix or not bounds.is_isolated)
        ):
            _guard_driver(import_module(name), bounds)


# --- PostgreSQL's drivers -----------------------------------------------------------------------------------------


def _guard_driver(driver: Any, bounds: Bounds) -> None:
    if driver.__name__ == "psycopg2":
        driver.connect = _guarded(driver.connect, "psycopg2", driver.extensions.parse_dsn, bounds)
        return
    from psycopg.conninfo import conninfo_to_dict

    for kind in (driver.Connection, driver.AsyncConnection):
        original = kind.__dict__["connect"].__func__
        kind.connect = classmethod(_guarded(original, "psycopg", conninfo_to_dict, bounds))
    driver.connect = driver.Connection.connect


def _guarded(
    connect: Callable[..., Any], driver: str, parse: Callable[[str], Mapping[str, Any]], bounds: Bounds
) -> Callable[..., Any]:
    """``connect`` behind a look at where it leads. A class may come before the address."""

    @wraps(connect)
    def guarded(*arguments: Any, **parameters: Any) -> Any:
        address = next((value for value in arguments if isinstance(value, str)), "")
        address = address or parameters.get("conninfo") or parameters.get("dsn") or ""
        leads_to = {**parse(address), **parameters} if address else parameters
        _check_parameters(
            {name: str(value) for name, value in leads_to.items() if value is not None}, driver, bounds
        )
        return connect(*arguments, **parameters)

    return guarded


def _check_parameters(given: Mapping[str, str], driver: str, bounds: Bounds) -> None:
    """Refuse what libpq would not resolve to a scratch database; parameters go before the environment."""
    found = {key: given.get(key) or os.environ.get(name, "") for key, name in FROM_ENVIRONMENT.items()}
    name = found["dbname"] or given.get("database", "")
    hosts = [host for key in ("hostaddr", "host") for host in found[key].split(",") if host]
    if bounds.socket_folder:
        is_inside = bool(hosts) and all(host == bounds.socket_folder for host in hosts)
    else:
        is_inside = bool(bounds.name_prefix) and name.startswith(bounds.name_prefix)
    if found["service"] or not is_inside:
        where = ",".join(hosts) or (f"service {found['service']}" if found["service"] else "")
        port = f":{given['port']}" if given.get("port") else ""
        _refuse(f"postgresql://{where}{port}/{name}", driver)


# --- what Python tells of everything else -------------------------------------------------------------------------


class _Hook:
    """An audit hook: files of SQLite, connections of drivers written in Python, programs."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._files = {os.path.realpath(file) for file in bounds.target_files}
        self._events: dict[str, Callable[..., None]] = {
            "sqlite3.connect": self._sqlite,
            "socket.connect": self._socket,
            "subprocess.Popen": self._program,
            "os.system": lambda command: self._program("", _text(command), None, None),
        }

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        check = self._events.get(event)
        if check is not None:
            check(*arguments)

    def _sqlite(self, database: Any) -> None:
        if not self._files:
            return
        name = _text(database)
        path = unquote(urlsplit(name).path) if name.startswith("file:") else name
        if any(os.path.realpath(candidate) in self._files for candidate in {name, path} - {""}):
            _refuse(f"sqlite:///{path}", "sqlite3")

    def _socket(self, _socket: Any, address: Any) -> None:
        if (
            isinstance(address, tuple)
            and tuple(address[:2]) in self._bounds.target_addresses
            and not self._bounds.name_prefix
        ):
            _refuse(f"{address[0]}:{address[1]}", "a socket")

    def _program(self, executable: Any, arguments: Any, _folder: Any, environment: Any) -> None:
        words = [arguments] if isinstance(arguments, str | bytes) else arguments or ()
        line = " ".join(_text(word) for word in words)
        client = CLIENTS.search(f"{_text(executable or '')} {line}")
        if client and self._leads_astray(line, environment if environment is not None else os.environ):
            _refuse(_shown(line), f"the program {client[2]}")

    def _leads_astray(self, line: str, environment: Mapping[Any, Any]) -> bool:
        if self._bounds.is_isolated:
            # Then only what is plainly meant: it could not get there anyway.
            hosts = {host for host, _ in self._bounds.target_addresses}
            return self._bounds.target_name in line and any(host in line for host in hosts)
        variables = {_text(name): _text(value) for name, value in environment.items()}
        used = [value for name, value in variables.items() if name.startswith("PG") or f"${name}" in line]
        mark = self._bounds.socket_folder or self._bounds.name_prefix
        return not mark or not any(mark in text for text in (line, *used))


def _shown(line: str) -> str:
    """A command for people, without what may be secret in it."""
    return hide_credentials(line if len(line) <= 200 else f"{line[:200]}…")


def _text(value: Any) -> str:
    """A path, a word or bytes as text."""
    return os.fsdecode(value) if isinstance(value, str | bytes | os.PathLike) else str(value)


def _refuse(address: str, by: str) -> None:
    stack = traceback.extract_stack()[::-1]
    frames = tuple((frame.filename, frame.lineno or 0) for frame in stack if _is_of_user(frame.filename))
    _attempts.append(Attempt(address, by, frames))
    raise OutOfBounds(
        f"while it is rehearsed, a script reaches its scratch database only; it tried {address} ({by})",
        next_step="let the script connect to what DATABASE_URL names",
    )


def _is_of_user(file: str) -> bool:
    elsewhere = (str(Path(__file__).parents[1]), str(Path(os.__file__).parent), "<frozen")
    return not file.startswith(elsewhere) and "site-packages" not in file
