"""A real PgBouncer in front of a database, where the program is installed (Debian: ``apt-get install pgbouncer``)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.support.postgres_server import unprivileged
from tests.support.watcher import Watcher

MISSING = "PgBouncer is not installed; its package enables this test"
PATIENCE = 10.0
"""Seconds until a pooler that does not answer counts as broken."""


def find_pgbouncer() -> str | None:
    """The program, also where an ordinary user's PATH does not lead."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def pooled(url: str, folder: Path, pool_mode: str, size: int = 20) -> Iterator[str]:
    """The URL of a pooler in front of the database at ``url``; ``pool_mode`` is ``transaction`` or ``session``, ``size`` the
    number of its sessions."""
    program = find_pgbouncer()
    assert program is not None, MISSING
    target = urlsplit(url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    users = folder / "users"
    users.write_text(f'"{target.username}" ""\n')
    settings = folder / "pgbouncer.ini"
    settings.write_text(f"""
[databases]
* = host={target.hostname} port={target.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = {pool_mode}
default_pool_size = {size}
ignore_startup_parameters = extra_float_digits
""")
    command = [*unprivileged(folder), program, str(settings)]
    with (folder / "pgbouncer.log").open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    watcher = Watcher(["kill", str(process.pid)])
    try:
        pooled_url = target._replace(netloc=f"{target.username}@127.0.0.1:{port}").geturl()
        _until_it_answers(pooled_url, process)
        yield pooled_url
    finally:
        watcher.end()
        process.wait()


def _until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > ends_at:
                raise
        time.sleep(0.05)  # a program that starts has no other way to say that it listens
