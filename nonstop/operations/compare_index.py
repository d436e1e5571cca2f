"""Whether an index that is there is the one that a script describes."""

from __future__ import annotations

import re

from sqlalchemy import Connection

from nonstop.databases.base import Database
from nonstop.databases.catalog import Index
from nonstop.descriptions.operations import CreateIndex
from nonstop.operations import catalog

ORDER = re.compile(r"(?:\s+(?:ASC|DESC))?(?:\s+NULLS\s+(?:FIRST|LAST))?\s*$", re.IGNORECASE)


def compare_index(database: Database, connection: Connection, wanted: CreateIndex, existing: Index) -> None:
    """Raise DefinitionConflict where keys, uniqueness, condition, included columns or method differ."""
    includes = wanted.include if database.builds_indexes_concurrently else ()
    method = (wanted.method or "btree") if database.builds_indexes_concurrently else existing.method
    differs = (
        existing.unique != wanted.unique
        or len(existing.keys) != len(wanted.columns)
        or existing.include != includes
        or existing.method != method.lower()
        or bool(existing.where) != bool(wanted.where)
        or not all(
            _same_key(database, connection, wanted, has, key)
            for has, key in zip(existing.keys, wanted.columns, strict=True)
        )
        or (wanted.where and not _same(database, connection, wanted, existing.where, wanted.where))
    )
    if differs:
        raise catalog.conflict(f"index {wanted.name}", _described(existing), _wanted(wanted))


def _same_key(database: Database, connection: Connection, wanted: CreateIndex, has: str, key: object) -> bool:
    if isinstance(key, str):
        return has == key
    expression = ORDER.sub("", str(key))
    if (
        not has or has == expression
    ):  # where the catalog does not tell what an expression is, it must do that it is one
        return True
    if has in catalog.columns(connection, wanted.table, wanted.schema):
        has = database.dialect().identifier_preparer.quote_identifier(has)
    return _same(database, connection, wanted, has, expression)


def _same(database: Database, connection: Connection, wanted: CreateIndex, one: str, other: str) -> bool:
    return database.catalog.same_expression(connection, wanted.table, wanted.schema, one, other)


def _described(existing: Index) -> str:
    parts = ["unique" if existing.unique else "", f"({', '.join(existing.keys)})"]
    parts += [f"include ({', '.join(existing.include)})" if existing.include else "", existing.method]
    return " ".join(filter(None, [*parts, f"where {existing.where}" if existing.where else ""]))


def _wanted(wanted: CreateIndex) -> str:
    keys = tuple(str(key) for key in wanted.columns)
    method = (wanted.method or "btree").lower()
    return _described(Index(keys, wanted.unique, True, wanted.where or "", wanted.include, method))
