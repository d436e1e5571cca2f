"""Addresses of a PostgreSQL server: of its other databases, and where it can be reached."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlencode

from nonstop.databases.url import DatabaseUrl

DEFAULT_PORT = 5432


def with_database(url: DatabaseUrl, name: str, scheme: str) -> str:
    """The address of the database ``name`` on the server of ``url``, for the driver that ``scheme`` names."""
    password = f":{quote(url.password, safe='')}" if url.password else ""
    user = f"{quote(url.username, safe='')}{password}@" if url.username or password else ""
    host = f"[{url.host}]" if ":" in url.host else quote(url.host, safe="")
    port = f":{url.port}" if url.port else ""
    query = f"?{urlencode(url.query, quote_via=quote, safe='/')}" if url.query else ""
    return f"{scheme}://{user}{host}{port}/{quote(name, safe='')}{query}"


def addresses(url: DatabaseUrl) -> tuple[tuple[str, int], ...]:
    """Where the server of ``url`` is, as numbers: a child without a network could not look that up."""
    found: set[tuple[str, int]] = set()
    for host in _hosts(url):
        with suppress(OSError):
            port = url.port or DEFAULT_PORT
            found |= {(host, port)} | {(str(entry[4][0]), port) for entry in socket.getaddrinfo(host, port)}
    return tuple(sorted(found))


def sockets(url: DatabaseUrl) -> list[Path]:
    """The sockets that ``url`` names and that are there."""
    name = f".s.PGSQL.{url.port or DEFAULT_PORT}"
    found = [Path(host, name) for host in _hosts(url) if host.startswith("/")]
    return [path.resolve() for path in found if path.exists()]


def _hosts(url: DatabaseUrl) -> list[str]:
    given = [url.host, *(value for key, value in url.query if key in ("host", "hostaddr"))]
    return [host for hosts in given for host in hosts.split(",") if host]


def scheme_of(url: DatabaseUrl) -> str:
    """The kind of database with the driver, as written: ``postgresql+psycopg2``."""
    return url.text.partition("://")[0]
