"""A streaming standby of the test server: a second server that only reads."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.support import postgres_server
from tests.support.postgres_server import Server, Unavailable


@contextmanager
def standby_of(server: Server, settings: str = "") -> Iterator[Server]:
    """A hot standby with all that ``server`` holds now, streaming what comes; stopped and gone at the end.

    ``settings`` are lines of ``postgresql.conf``.

    Raises Unavailable where the server is not one of ours, or its binaries lack ``pg_basebackup``.
    """
    if server.binaries is None:
        raise Unavailable("the server was given by its address: a standby of it can't be made")
    binaries = Path(server.binaries)
    if not (binaries / "pg_basebackup").exists():
        raise Unavailable(f"there is no pg_basebackup in {binaries}")
    folder = postgres_server.short_temporary_folder()
    prefix = postgres_server.unprivileged(folder)
    data = folder / "data"
    try:
        subprocess.run(
            [*prefix, binaries / "pg_basebackup", f"--dbname={server.url}", f"--pgdata={data}", "--checkpoint=fast",
             "--write-recovery-conf", "--wal-method=stream", "--no-sync"],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        port = postgres_server.start_on_a_free_port(binaries, folder, prefix, settings)
        url = urlunsplit(urlsplit(server.url)._replace(netloc=f"postgres@127.0.0.1:{port}"))
        yield Server(url, server.version, str(binaries), str(folder))
    finally:
        postgres_server.stop_in(folder)
