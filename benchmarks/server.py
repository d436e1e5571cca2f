"""The PostgreSQL server that is measured on: the one of the tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support import postgres_server


@contextmanager
def server(is_needed: bool) -> Iterator[tuple[str | None, str | None]]:
    """The address and the version of a PostgreSQL; both None where none is needed, or none can be had."""
    if not is_needed:
        yield None, None
        return
    try:
        started = postgres_server.start()
    except postgres_server.Unavailable as reason:
        print(f"PostgreSQL is left out: {reason}", file=sys.stderr)
        yield None, None
        return
    try:
        yield started.url, started.version
    finally:
        postgres_server.stop(started)
