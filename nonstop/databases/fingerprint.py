"""What a database looks like and what is in it, as values that two moments can be compared by."""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

Fingerprint = dict[str, dict[str, Any]]
"""Kinds of objects (tables, views …), their names, and what they are: values that can be compared and shown."""
RowChecksums = dict[str, tuple[int, str]]
"""For each table the number of its rows and a checksum, independent of the order of rows and columns."""

ValueCounts = dict[str, dict[str, int]]
"""For each table and column the number of values that are not NULL."""


class Snapshot(NamedTuple):
    """A database at one moment. ``unnumbered`` is its data but for what sequences have numbered: they go on counting when a
    transaction is undone."""

    schema: Fingerprint
    rows: RowChecksums
    unnumbered: RowChecksums


def counting(table: str, columns: list[str]) -> str:
    """The query for one table's counts, in the order of ``columns``; ``table`` as it stands in SQL."""
    return f"SELECT {', '.join(f'count({quoted(name)})' for name in columns) or 'count(*)'} FROM {table}"


def quoted(name: str) -> str:
    """A name as both databases take it whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def checksum(found: Iterable[Sequence[Any]]) -> tuple[int, str]:
    """How many rows there are, and a checksum of them in whatever order they come. It says nothing to another version of
    Python: ``marshal`` is taken because it is twice as fast as words, in a form (2) that depends on the values alone."""
    digests = sorted([hashlib.sha256(marshal.dumps(tuple(row), 2)).digest() for row in found])
    return len(digests), hashlib.sha256(b"".join(digests)).hexdigest()[:16]


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """What differs between two fingerprints, a line each: ``tables: orders: indexes: idx_note: is new``."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            where = f"{path}: {key}" if path else str(key)
            if key not in after:
                yield f"{where}: is gone"
            elif key not in before:
                yield f"{where}: is new"
            else:
                yield from differences(before[key], after[key], where)
    elif before != after:
        yield f"{path}: was {_shown(before)}, is {_shown(after)}"


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
    return text if len(text) <= 200 else text[:197] + "..."
