"""An index as a value, read from its text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from nonstop.databases.postgresql_reader import Reader

ORDER = ("asc", "desc", "nulls", "first", "last")


@dataclass(frozen=True, slots=True)
class IndexShape:
    """``keys`` are SQL, in their order; those in ``names`` are plain column names. ``extras`` is what else its text says."""

    name: str
    keys: tuple[str, ...]
    names: tuple[str, ...]
    unique: bool
    where: str = ""
    include: tuple[str, ...] = ()
    method: str = "btree"
    extras: str = ""
    text: str = field(default="", compare=False)


def index_from_text(name: str, text: str, columns: Collection[str]) -> IndexShape:
    """An index as its text describes it."""
    known = {column.lower(): column for column in columns} | {column: column for column in columns}
    reader = Reader.of(text)
    unique = reader.accept("create unique index") or not reader.accept("create index")
    reader.accept("if not exists")
    reader.name()
    reader.accept("on [only]")
    reader.name()
    method = reader.name().last if reader.accept("using") else "btree"
    keys = reader.brackets().clauses()
    include = reader.brackets().names() if reader.accept("include") else []
    rest = reader.rest.tokens
    ends_at = next((token.start for token in rest if token.word == "where"), reader.end)
    extras = [text[reader.peek().start : ends_at].strip(), *map(_beside_order, keys)]
    plain = [known.get(key.peek().value, "") if len(key.tokens) == 1 else "" for key in keys]
    return IndexShape(
        name,
        tuple(column or key.source() for column, key in zip(plain, keys, strict=True)),
        tuple(filter(None, plain)),
        unique,
        reader.source() if reader.seek("where") else "",
        tuple(column.last for column in include),
        method,
        " ".join(filter(None, extras)),
        text,
    )


def _beside_order(key: Reader) -> str:
    """What a key says besides column, or expression, and order: a collation, an operator class."""
    return " ".join(
        token.word
        for token in key.tokens[1:]
        if token.depth == key.tokens[0].depth and token.word not in (*ORDER, "")
    )
