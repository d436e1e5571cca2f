"""Scratch databases on a server: made, copied, dropped, and known as ours should we be killed.

Each is called ``nonstop_check_<token>_<n>``, with a comment that says so. As long as its owner lives, a session of it holds
an advisory lock for the token; a database whose token nobody holds is dropped by whoever comes next.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from secrets import randbelow
from typing import Any

from psycopg import Connection, errors, sql

LOCK_CLASS = 0x6E6F6E73
"""The first key of our advisory locks: "nons"."""
PREFIX = "nonstop_check_"
NAME = re.compile(rf"{PREFIX}(?P<token>[0-9a-f]{{8}})_\d+")
PATIENCE = 10.0
"""Seconds: a session whose client has just gone may still be connected to the database that is to be copied."""
FIRST_WITH_STRATEGIES = 150000
OURS = """
    SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database
    WHERE starts_with(datname, %s) AND NOT datistemplate"""
HELD = """
    SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted"""
CONNECTED = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend')"
)


def new_token() -> str:
    """What tells the scratch databases of one rehearsal from those of all others."""
    return f"{1 + randbelow(2**31 - 1):08x}"


def prefix_of(token: str) -> str:
    """What the names of a rehearsal's databases begin with."""
    return f"{PREFIX}{token}_"


def mark_of(token: str) -> str:
    """How databases and sessions of a rehearsal say whose they are."""
    return f"nonstop check {token}"


class Copies:
    """The scratch databases of one rehearsal. ``session`` is in autocommit mode and ours; it ends with :meth:`close`.

    ``is_ours_alone``: the server is there for nothing else, so that a checkpoint disturbs nobody.
    """

    def __init__(self, session: Connection[Any], token: str, *, is_ours_alone: bool) -> None:
        self.session = session
        self.token = token
        self._numbers = count()
        self._made: set[str] = set()
        # Copying files needs a checkpoint; on a server that others use, the copy is written to its log instead.
        by_files = is_ours_alone and session.info.server_version >= FIRST_WITH_STRATEGIES
        self._strategy = sql.SQL(" STRATEGY FILE_COPY" if by_files else "")
        session.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_CLASS, int(self.token, 16)])
        self._drop_ownerless()

    def create(self, options: sql.Composable) -> str:
        """Make an empty database; gives its name."""
        return self._create(sql.SQL(" TEMPLATE template0 ") + options)

    def copy(self, name: str) -> str:
        """Make a database like ``name``, as soon as nobody is connected to that; gives its name."""
        self._wait_until_free(name)
        return self._create(sql.SQL(" TEMPLATE {}").format(sql.Identifier(name)) + self._strategy)

    def drop(self, name: str) -> None:
        """Drop it, whoever is connected."""
        self.session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        self._made.discard(name)

    def close(self) -> None:
        """Drop all of them."""
        try:
            for name in sorted(self._made):
                self.drop(name)
        finally:
            self.session.close()

    def _create(self, options: sql.Composable) -> str:
        name = f"{prefix_of(self.token)}{next(self._numbers)}"
        self._made.add(name)
        self.session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + options)
        comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
        self.session.execute(comment.format(sql.Identifier(name), sql.Literal(mark_of(self.token))))
        return name

    def _wait_until_free(self, name: str) -> None:
        ends_at = time.monotonic() + PATIENCE
        while self._ask(CONNECTED, [name])[0][0] and time.monotonic() < ends_at:
            time.sleep(0.005)

    def _drop_ownerless(self) -> None:
        held = {int(token) for (token,) in self._ask(HELD, [LOCK_CLASS])}
        for name, comment in self._ask(OURS, [PREFIX]):
            match = NAME.fullmatch(name)
            # One that has no comment yet was made by somebody who was killed right after that.
            if match and int(match["token"], 16) not in held and comment in (None, mark_of(match["token"])):
                with suppress(errors.InsufficientPrivilege, errors.InvalidCatalogName):
                    self.drop(name)

    def _ask(self, query: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        return self.session.execute(query.encode(), parameters).fetchall()
