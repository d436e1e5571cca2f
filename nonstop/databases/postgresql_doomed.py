"""What the text of a statement tells about the data that it takes away (see nonstop.descriptions.losses)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from nonstop.databases.postgresql_reader import Reader
from nonstop.databases.postgresql_statements import needs
from nonstop.databases.wording import is_write, without_comments_before
from nonstop.descriptions.losses import Outlook
from nonstop.descriptions.statements import Kind, Need

ENDS_TRANSACTION = ("commit", "end", "prepare transaction")
OUTSIDE_TRANSACTIONS = (
    "call",  # a procedure may commit by itself, which it can't inside a transaction
    "create|alter|drop database|tablespace|subscription|system",
    "vacuum|cluster|reindex|discard",
)
ONLINE = (Kind.ONLINE_INDEX, Kind.NOT_VALID, Kind.CONCURRENT)
"""What is made online, and loses nothing."""
COMMITS_INSIDE = re.compile(r"\b(commit|rollback)\b", re.IGNORECASE)
CHANGES_ROWS = re.compile(r"\b(insert|update|delete|merge|execute)\b", re.IGNORECASE)
DELETES = re.compile(r"\b(delete|merge|execute)\b", re.IGNORECASE)
LOCKS_ROWS = re.compile(r"\bfor\s+(no\s+key\s+|key\s+)?(update|share)\b", re.IGNORECASE)
UPDATE = re.compile(r"\bupdate\b", re.IGNORECASE)
UPDATED = re.compile(r'update\s+(?:only\s+)?((?:"[^"]+"|\w+)(?:\s*\.\s*(?:"[^"]+"|\w+))?)', re.IGNORECASE)
OTHER_CHANGES = re.compile(r"\b(insert|delete|merge)\b", re.IGNORECASE)
TAKES_AWAY = re.compile(r"\b(delete|truncate|drop)\b", re.IGNORECASE)


class Doomed(NamedTuple):
    """A table that a statement names, and which of its columns go; without columns, all its rows do.

    ``cast`` are columns that get another type, ``converted`` those whose new values a USING makes; ``replaced`` those of
    them that the USING does not even name.
    """

    table: str
    columns: tuple[str, ...] = ()
    converted: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()


@lru_cache(maxsize=128)
def outlook(sql: str) -> Outlook:
    """What ``sql``, one statement or several, may do."""
    parts = needs(sql)
    if not any(_changes(text, need) or _ends_transaction(text) for text, need in parts):
        return Outlook(locks_rows=LOCKS_ROWS.search(sql) is not None)
    commits = any(_ends_transaction(text) for text, _ in parts)
    is_outside = any(_is_outside_transactions(text, need) for text, need in parts)
    return Outlook(
        changes=any(_changes(text, need) for text, need in parts),
        commits=commits,
        wants_commit_of_ours=not commits
        and not is_outside
        and any(_changes(text, need) and need.kind not in ONLINE for text, need in parts),
        loses_unseen=(is_outside and any(need.loses_data for _, need in parts))
        or (commits and any(_certainly_dangerous(text, need) for text, need in parts)),
    )


@lru_cache(maxsize=128)
def updated_table(sql: str) -> str:
    """The table of a text that is one UPDATE, and changes nothing else by itself; empty where it is none."""
    if len(needs(sql)) != 1:
        return ""
    text = without_comments_before(sql)
    if text[:6].lower() != "update":
        if text[:4].lower() != "with" or OTHER_CHANGES.search(text) or len(UPDATE.findall(text)) != 1:
            return ""
        text = text[UPDATE.search(text).start() :]  # type: ignore[union-attr]  # there is one
    found = UPDATED.match(text)
    return found[1] if found else ""


def names_the_counting(sql: str) -> bool:
    """Whether ``sql`` may switch off what deleted rows are counted with."""
    return "track_counts" in sql.lower()


@lru_cache(maxsize=128)
def changes_rows(sql: str) -> bool:
    """Whether ``sql`` may delete rows one by one, by itself or by what it calls or sets off."""
    return any(need.kind in (Kind.READS, Kind.UNKNOWN) and _changes(text, need) for text, need in needs(sql))


@lru_cache(maxsize=128)
def may_delete(sql: str) -> bool:
    """Whether ``sql`` itself may delete rows one by one; triggers apart."""
    return any(need.kind is Kind.UNKNOWN or DELETES.search(text) for text, need in needs(sql))


def hides_what_it_loses(sql: str) -> bool:
    """Whether ``sql`` may take away tables that its text does not name."""
    return any(
        need.kind is Kind.UNKNOWN or (need.loses_data and not need.relations) for _, need in needs(sql)
    )


def doomed(sql: str) -> list[Doomed]:
    """The tables and columns that ``sql`` names and takes away, or rewrites."""
    return [found for text, need in needs(sql) for found in _doomed(text, need)]


def _doomed(text: str, need: Need) -> list[Doomed]:
    reader = Reader.of(text)
    if reader.accept("alter [foreign] table [if exists]"):
        reader.accept("[only]")
        table = str(reader.name())
        clauses = reader.clauses()
        columns = tuple(name for clause in clauses if (name := _dropped_column(clause)))
        retyped = [found for clause in clauses if (found := _retyped_column(clause)).name]
        converted = tuple(column.name for column in retyped if column.is_converted)
        cast = tuple(column.name for column in retyped if not column.is_converted)
        replaced = tuple(column.name for column in retyped if column.is_replaced)
        if columns or retyped or need.kind is Kind.BLOCKING:
            return [Doomed(table, columns, converted, cast, replaced)]
        return []
    is_named = (
        reader.accept("drop table [if exists]")
        or reader.accept("drop materialized view [if exists]")
        or reader.accept("truncate [table]")
    )
    if not is_named:
        return []
    reader.accept("[only]")
    return [Doomed(str(name)) for name in reader.names()]


class _Retyped(NamedTuple):
    name: str
    is_converted: bool = False
    is_replaced: bool = False


def _retyped_column(clause: Reader) -> _Retyped:
    """The column whose type ``clause`` changes, and whether by a USING; without a name where it does not."""
    start = clause.position
    if clause.accept("alter [column]"):
        name = clause.name().last
        if clause.accept("[set data] type"):
            is_converted = clause.seek("using")
            is_named = any(token.value == name for token in clause.rest.tokens)
            return _Retyped(name, is_converted, is_converted and not is_named)
    clause.position = start
    return _Retyped("")


def _dropped_column(clause: Reader) -> str:
    if clause.accept("drop constraint") or not clause.accept("drop [column]"):
        return ""
    clause.accept("[if exists]")
    return clause.name().last


def _changes(text: str, need: Need) -> bool:
    if Reader.of(text).accept("explain"):  # with ANALYZE it does what it explains
        return need.loses_data or need.kind is Kind.UNKNOWN or bool(CHANGES_ROWS.search(text))
    return is_write(text) or need.kind is not Kind.READS or names_the_counting(text)


def _certainly_dangerous(text: str, need: Need) -> bool:
    return need.loses_data or need.kind is Kind.UNKNOWN or bool(TAKES_AWAY.search(text))


def _ends_transaction(text: str) -> bool:
    return any(Reader.of(text).accept(words) for words in ENDS_TRANSACTION)


def _is_outside_transactions(text: str, need: Need) -> bool:
    if need.kind is Kind.CONCURRENT or any(Reader.of(text).accept(words) for words in OUTSIDE_TRANSACTIONS):
        return True
    return Reader.of(text).accept("do") and bool(COMMITS_INSIDE.search(text))
