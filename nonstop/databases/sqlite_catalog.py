"""SQLite's catalog: its pragmas, and the text of CREATE TABLE for what they leave out (the names of constraints)."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from nonstop.databases.catalog import Catalog, Constraint, Index, Relation
from nonstop.databases.sqlite_table import TOKEN, Clause, TableText, unquoted

if TYPE_CHECKING:
    from sqlalchemy import Connection

ACTION_WORDS = {"CASCADE": "CASCADE", "RESTRICT": "RESTRICT", "NO": "NO ACTION"}


class SQLiteCatalog(Catalog):
    """There are no schemas: the parameter is for other databases."""

    def constraint(
        self, connection: Connection, table: str, name: str, schema: str | None
    ) -> Constraint | None:
        text = table_text(connection, table)
        found = text.find(name) if text else None
        if found is not None:
            return _described(*_clause_of(found[1], found[0].column))
        # A uniqueness that was added later is an index: SQLite keeps both in the same way.
        index = self.index(connection, table, name, schema)
        return Constraint("unique", index.keys) if index and index.unique and not index.where else None

    def foreign_keys(self, connection: Connection, table: str, schema: str | None) -> list[Constraint]:
        # SQLAlchemy reads the actions from the table's SQL, and does not see those written beside a column.
        query = "SELECT [table], [from], on_delete, on_update FROM pragma_foreign_key_list(?, ?)"
        found = connection.exec_driver_sql(query, (table, schema or "main"))
        actions = {(parent, column): on for parent, column, *on in found}
        keys = super().foreign_keys(connection, table, schema)
        pairs = [(key, *actions[key.referred_table, key.columns[0]]) for key in keys]
        return [replace(key, on_delete=on_delete, on_update=on_update) for key, on_delete, on_update in pairs]

    def index(self, connection: Connection, table: str, name: str, schema: str | None) -> Index | None:
        for found, unique, partial in connection.exec_driver_sql(
            "SELECT name, [unique], partial FROM pragma_index_list(?)", (table,)
        ):
            if found.lower() == name.lower():
                definition = _source(connection, "index", found) or ""
                keys = connection.exec_driver_sql(
                    "SELECT name FROM pragma_index_xinfo(?) WHERE key", (found,)
                )
                where = definition.partition(" WHERE ")[2] if partial else ""
                return Index(
                    tuple(key or "" for (key,) in keys), bool(unique), True, where, (), "btree", definition
                )
        return None

    def default(self, connection: Connection, table: str, column: str, schema: str | None) -> str | None:
        found = _column(connection, table, column)
        return found[1] if found else None

    def is_not_null(self, connection: Connection, table: str, column: str, schema: str | None) -> bool | None:
        found = _column(connection, table, column)
        return bool(found[0]) if found else None

    def same_expression(
        self,
        connection: Connection,
        table: str,
        schema: str | None,
        one: str,
        other: str,
        column: str | None = None,
    ) -> bool:
        """Word by word, for SQLite keeps an expression as it was written; spaces, quotes and case do not matter."""
        return _words(one) == _words(other)

    def parents(
        self, connection: Connection, table: str, schema: str | None, column: str | None = None
    ) -> list[Relation]:
        return []  # nobody waits for single tables here

    def partitions(self, connection: Connection, table: str, schema: str | None) -> list[Relation] | None:
        return None

    def key_columns(self, connection: Connection, table: str, schema: str | None) -> tuple[str, ...]:
        rows = connection.exec_driver_sql(
            "SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", (table,)
        )
        return tuple(name for (name,) in rows)


def table_text(connection: Connection, table: str) -> TableText | None:
    """The CREATE TABLE of a table; None where there is none, or it is a virtual one."""
    source = _source(connection, "table", table)
    return TableText(source) if source and not source.upper().startswith("CREATE VIRTUAL") else None


def _source(connection: Connection, kind: str, name: str) -> str | None:
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND name = ? COLLATE NOCASE"
    source: str | None = connection.exec_driver_sql(query, (kind, name)).scalar()
    return source


def _column(connection: Connection, table: str, column: str) -> Any:
    query = "SELECT [notnull], dflt_value FROM pragma_table_xinfo(?) WHERE name = ? COLLATE NOCASE"
    return connection.exec_driver_sql(query, (table, column)).first()


def _clause_of(clause: Clause, column: str) -> tuple[str, list[str], str]:
    """A constraint's kind, its words, and the column that it stands at."""
    return clause.kind, [token.text for token in clause.body], column


def _described(kind: str, words: list[str], column: str) -> Constraint:
    brackets = [word for word in words if word.startswith("(")]
    own = _names(brackets[0]) if brackets and not column else (column,)
    if kind == "CHECK":
        return Constraint("check", (), expression=brackets[0][1:-1])
    if kind in ("UNIQUE", "PRIMARY"):
        return Constraint("unique" if kind == "UNIQUE" else "primary key", own)
    if kind not in ("FOREIGN", "REFERENCES"):
        return Constraint("not null", (column,))
    at = next(position for position, word in enumerate(words) if word.upper() == "REFERENCES")
    upper = [word.upper() for word in words]
    target = words[at + 2] if at + 2 < len(words) and words[at + 2].startswith("(") else ""
    return Constraint(
        "foreign key", own, referred_table=unquoted(words[at + 1]), referred_columns=_names(target),
        on_delete=_action(upper, "DELETE"), on_update=_action(upper, "UPDATE"),
    )  # fmt: skip


def _names(bracket: str) -> tuple[str, ...]:
    """The names in ``(a, "b, c" DESC)``; empty where there is no bracket."""
    words = [match.group() for match in TOKEN.finditer(bracket) if not match["space"]]
    return tuple(unquoted(word) for before, word in pairwise(words) if before in ("(", ","))


def _action(words: list[str], event: str) -> str:
    if event not in words:
        return "NO ACTION"
    first, second = (words[words.index(event) + 1 :] + [""])[:2]
    return ACTION_WORDS.get(first, f"{first} {second}")


def _words(expression: str) -> list[str]:
    """Whatever its spaces, quotes and letters' case are, without brackets around the whole."""
    words = [_plain(match) for match in TOKEN.finditer(expression) if not match["space"]]
    while words[:1] == ["("] and _closes_at_end(words):
        words = words[1:-1]
    return words


def _plain(match: re.Match[str]) -> str:
    """A name is one in any quotes and case; a text between single quotes is what it is."""
    word = match.group()
    return word if word.startswith("'") else unquoted(word).casefold()


def _closes_at_end(words: list[str]) -> bool:
    depth = 0
    for position, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if not depth:
            return position == len(words) - 1
    return False
