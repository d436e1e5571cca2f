"""Where a PostgreSQL database is rehearsed: on a server that is given, on one of our own, or beside the target."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from psycopg import Error

from nonstop.databases.postgresql_addresses import scheme_of, with_database
from nonstop.databases.postgresql_embedded import Unavailable, find_binaries
from nonstop.databases.postgresql_grounds import (
    BESIDE,
    GIVEN,
    EmbeddedGround,
    SharedGround,
    Wanted,
    version_of,
)
from nonstop.databases.rehearsal import Fenced, Ground
from nonstop.databases.url import DatabaseUrl
from nonstop.errors import DatabaseUnreachable, UsageError

if TYPE_CHECKING:
    from nonstop.databases.postgresql import PostgreSQL

WAYS_OUT = (
    "pip install 'nonstop[rehearsal]', or set REHEARSAL_DATABASE_URL to a server where its role may create databases,"
    " or give the target's role CREATEDB"
)


def open_ground(
    target: PostgreSQL, rehearsal_url: str | None, tables: frozenset[str], fenced: Fenced | None
) -> Ground:
    """The best place that can be had; of ``tables`` the rows come along, and ``fenced`` is told of each that is tried.

    Raises UsageError, with the ways out.
    """
    wanted = Wanted(target, tables, fenced or (lambda ground: None))
    if rehearsal_url:
        url = _server_url(rehearsal_url)
        try:
            return SharedGround(wanted, url, GIVEN, ())
        except (Unavailable, Error) as error:
            raise UsageError(
                f"the server of REHEARSAL_DATABASE_URL can't be used: {url.redact(target.redact(str(error)))}",
                next_step=f"correct it, or unset it and do one of these: {WAYS_OUT}",
            ) from error
    reasons: list[str] = []
    with target.connect_reading() as session:
        candidates = find_binaries(version_of(session))
    for binaries in candidates:
        try:
            return EmbeddedGround(wanted, binaries, tuple(reasons))
        except (Unavailable, Error) as error:
            reasons.append(f"PostgreSQL {binaries.major} of our own: {target.redact(str(error))}")
    if not candidates:
        reasons.append("no binaries of PostgreSQL that could take the schema were found")
    try:
        return _beside(wanted, tuple(reasons))
    except (Unavailable, Error) as error:
        raise UsageError(
            "there is no place where the scripts could be rehearsed",
            details=(*reasons, target.redact(str(error))),
            next_step=WAYS_OUT,
        ) from error


def _beside(wanted: Wanted, reasons: tuple[str, ...]) -> Ground:
    """On the target's own server. The session that owns the copies is in the database postgres, if the role may."""
    target = wanted.target
    for name in ("postgres", target.url.database):
        with suppress(DatabaseUnreachable):
            url = DatabaseUrl.parse(with_database(target.url, name, scheme_of(target.url)))
            return SharedGround(wanted, url, BESIDE, reasons)
    raise Unavailable(f"no connection to {target.display}")


def _server_url(text: str) -> DatabaseUrl:
    url = DatabaseUrl.parse(text)
    if url.dialect != "postgresql":
        raise UsageError(
            f"REHEARSAL_DATABASE_URL names a database of the kind {url.dialect!r}",
            next_step="write it like postgresql://user:password@host:5432/postgres",
        )
    return url
