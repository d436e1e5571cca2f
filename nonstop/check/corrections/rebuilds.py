"""Rows on their way into a table that takes the old one's place, as scripts do it where columns can't be altered: what becomes
of their values meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nonstop.check.corrections import batches
from nonstop.check.corrections.batches import RowStatement
from nonstop.check.shapes.shape import Shape, TableShape
from nonstop.databases.postgresql_reader import Reader

FURTHER = ("group", "having", "window", "union", "except", "intersect", "limit", "offset", "fetch")
"""Clauses after which the rows are others than those of the table."""


class _Origin(NamedTuple):
    """A table by its first name, however often it is renamed afterwards."""

    name: str
    is_new: bool


def copies(sent: Sequence[str], before: Shape, after: Shape) -> Mapping[str, Sequence[RowStatement] | None]:
    """For each ``INSERT INTO new_t … SELECT … FROM t`` what it does to the rows of ``t``, whose name ``new_t`` has in the end:
    UPDATEs and a DELETE. None where it does more than can be said so."""
    tables = {table.name: _Origin(table.name, is_new=False) for table in before.tables.values()}
    inserts: list[tuple[str, _Origin, str]] = []
    for sql in sent:
        reader = Reader.of(sql)
        if reader.accept("create table [if not exists]"):
            name = reader.name().last
            tables[name] = _Origin(name, is_new=True)
        elif reader.accept("alter table [if exists]"):
            name = reader.name().last
            if reader.accept("rename to") and name in tables:
                tables[reader.name().last] = tables.pop(name)
        elif reader.accept("insert into"):
            into = tables.get(reader.name().last)
            if into and into.is_new and reader.seek("from") and (source := tables.get(reader.name().last)):
                inserts.append((sql, into, source.name))
    ends_as = {origin: name for name, origin in tables.items()}
    return {
        sql: _copied(sql, name, before, after) for sql, into, name in inserts if ends_as.get(into) == name
    }


def _copied(sql: str, name: str, before: Shape, after: Shape) -> list[RowStatement] | None:
    old, new = before.table_called(None, name), after.table_called(None, name)
    reader = Reader.of(sql)
    reader.accept("insert into")
    reader.name()
    columns = tuple(column.last for column in reader.brackets().names())
    if old is None or new is None or not reader.accept("select"):
        return None
    listed = reader.position
    reader.seek("from")
    items = Reader(sql, reader.tokens[listed : reader.position - 1]).clauses()
    reader.name()
    if reader.peek().word not in ("", "where", "order") or any(map(reader.has, FURTHER)):
        return None
    changed = _changed(items, columns, old, new)
    return None if changed is None else _parsed([*changed, *_dropped(reader, new)])


def _changed(
    items: Sequence[Reader], columns: Sequence[str], old: TableShape, new: TableShape
) -> list[str] | None:
    """An UPDATE for each column whose values are not just copied; None where that can't be said: of a key, by which rows are
    found again, say."""
    if [item.source() for item in items] == ["*"]:
        return []
    columns = columns or [column.name for column in new.columns]
    if len(items) != len(columns):
        return None
    found = []
    for name, item in zip(columns, items, strict=True):
        was, becomes = old.column(name), new.column(name)
        if _is_named(item, name) or (was and _is_converted(item, name)):
            continue
        if becomes is None or name in old.key or (was is not None and was.type != becomes.type):
            return None
        found.append(_update(new, name, item))
    return found


def _update(table: TableShape, column: str, value: Reader) -> str:
    head = f"UPDATE {batches.qualified(table)} SET {batches.quoted(column)} ="
    start = value.position
    if value.accept("coalesce|ifnull"):  # the values that are there stay as they are
        first, *others = value.brackets().clauses()
        if _is_named(first, column) and len(others) == 1 and not value.rest.tokens:
            return f"{head} {others[0].source()} WHERE {batches.quoted(column)} IS NULL"
    value.position = start
    return f"{head} {value.source()}"


def _dropped(reader: Reader, table: TableShape) -> list[str]:
    """A DELETE of the rows that do not come along."""
    if not reader.accept("where"):
        return []
    ends = next(
        (token.start for token in reader.rest.tokens if token.depth == 0 and token.word == "order"),
        reader.end,
    )
    condition = reader.text[reader.peek().start : ends].strip()
    return [f"DELETE FROM {batches.qualified(table)} WHERE ({condition}) IS NOT TRUE"]


def _is_named(item: Reader, column: str) -> bool:
    """Whether ``item`` is that column and nothing else."""
    rest = item.rest
    return rest.name().last == column and not rest.rest.tokens


def _is_converted(item: Reader, column: str) -> bool:
    """Whether ``item`` is ``CAST(column AS …)``: that comes with the column's new type."""
    rest = item.rest
    if not rest.accept("cast"):
        return False
    inside = rest.brackets()
    return inside.name().last == column and inside.accept("as") and not rest.rest.tokens


def _parsed(texts: Sequence[str]) -> list[RowStatement] | None:
    statements = [batches.parsed(text) for text in texts]
    return None if None in statements else [one for one in statements if one]
