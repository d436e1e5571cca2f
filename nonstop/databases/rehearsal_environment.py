"""The environment of a child that must not find the target."""

from __future__ import annotations

import re
import site
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

from nonstop.databases.url import SHORTEST_SECRET, DatabaseUrl

NAMES_A_DATABASE = re.compile(
    r"PG[A-Z]+|DATABASE_URL|MIGRATION_DATABASE_URL|REHEARSAL_DATABASE_URL|NONSTOP_.*"
)
NEEDED = frozenset(
    {"PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LANG", "TZ", "TMPDIR", "SHELL", "USER"}
)
"""A password may look like a part of one of these; without them nothing would start."""


def without_target(
    given: Mapping[str, str], urls: list[DatabaseUrl], home: Path, mark: str
) -> dict[str, str]:
    """``given`` without what leads to one of ``urls``, with an empty ``home`` and ``mark`` as the name of sessions."""
    dropped = naming_databases(given, urls)
    kept = {name: value for name, value in given.items() if name not in dropped}
    # Packages that were installed with pip's --user are found through HOME, too.
    kept.setdefault("PYTHONUSERBASE", site.getuserbase())
    return {**kept, "HOME": str(home), "PGAPPNAME": mark}


def naming_databases(given: Mapping[str, str], urls: list[DatabaseUrl]) -> set[str]:
    """The variables that name a database by what they are called, or one of ``urls`` by what is in them."""
    patterns = [pattern for url in urls for pattern in _patterns(url)]
    return {
        name
        for name, value in given.items()
        if NAMES_A_DATABASE.fullmatch(name)
        or (name not in NEEDED and any(pattern.search(value) for pattern in patterns))
    }


def _patterns(url: DatabaseUrl) -> list[re.Pattern[str]]:
    """What gives ``url`` away: its password, or where it is."""
    name = re.escape(url.database)
    if url.host:
        places = [
            rf"@{re.escape(url.host)}(:\d*)?/{name}(?![\w-])",
            rf"//{re.escape(url.host)}(:\d*)?/{name}(?![\w-])",
        ]
    else:
        places = (
            [rf"/{name}\?", rf"dbname={name}(?![\w-])"]
            if url.dialect == "postgresql"
            else [rf"{name}(?![\w-])"]
        )
    secrets = {url.password, quote(url.password, safe=""), quote_plus(url.password)}
    words = [rf"(?<!\w){re.escape(secret)}(?!\w)" for secret in secrets if len(secret) >= SHORTEST_SECRET]
    return [re.compile(pattern) for pattern in (*places, *words)] if url.database or words else []
