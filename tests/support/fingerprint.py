"""The schema and the data behind a URL, looked at from outside with the plain driver, without nonstop's own tables.

``assert fingerprint(url) == before`` shows exactly what differs.
"""

from __future__ import annotations

from contextlib import closing

from nonstop.databases import open_database
from nonstop.databases.fingerprint import Fingerprint, RowChecksums

OWN_PREFIX = "nonstop_"


def fingerprint(url: str) -> Fingerprint:
    """Tables with their columns, constraints, indexes and triggers; views; on PostgreSQL also sequences, functions and
    types. An SQLite file that does not exist is an empty schema."""
    return look(url)[0]


def rows(url: str) -> RowChecksums:
    """For each table the number of rows and a checksum of them, independent of the order of rows and columns."""
    return look(url)[1]


def look(url: str) -> tuple[Fingerprint, RowChecksums]:
    """Both, as they are at one moment."""
    database = open_database(url)
    with closing(database.connect_reading()) as connection:
        seen = database.rehearsals.snapshot(connection, OWN_PREFIX)
    return seen.schema, seen.rows
