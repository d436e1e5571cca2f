"""Relations of PostgreSQL that a transaction has changed, as others see them and as it sees them itself."""

from __future__ import annotations

from typing import NamedTuple


class Relation(NamedTuple):
    """What others see of a relation. ``rows`` is the server's estimate, 0 where it has none."""

    oid: int
    name: str
    kind: str
    file: int
    rows: int
    columns: list[int]
    names: list[str]
    derived: list[int]
    types: list[str]


class Changed(NamedTuple):
    """What the transaction itself sees of a relation."""

    file: int
    columns: list[int]
    names: list[str]
    types: list[str]


class Locked(NamedTuple):
    """A relation that the session has locked, and what it has counted for it."""

    oid: int
    is_exclusive: bool
    may_have_deleted: bool
    deleted: int
    inserted: int
    root: int
