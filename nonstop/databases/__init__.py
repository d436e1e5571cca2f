"""One module per database behind one contract (:mod:`nonstop.databases.base`)."""

from __future__ import annotations

from nonstop.databases.base import Database
from nonstop.databases.url import DatabaseUrl
from nonstop.errors import UsageError


def open_database(url: str) -> Database:
    """The database behind ``url``; nothing is connected yet. Raises UsageError for a scheme that we don't know."""
    parsed = DatabaseUrl.parse(url)
    if parsed.dialect == "sqlite":
        from nonstop.databases.sqlite import SQLite

        return SQLite(parsed)
    if parsed.dialect == "postgresql":
        from nonstop.databases.postgresql import PostgreSQL

        return PostgreSQL(parsed)
    raise UsageError(
        f"nonstop does not know databases of the kind {parsed.dialect!r}",
        next_step="use a postgresql:// or a sqlite:/// URL",
    )
