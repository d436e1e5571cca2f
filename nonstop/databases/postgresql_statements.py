"""What each statement of a raw SQL text needs, judged from the text alone.

The judgement is on the safe side: what is not known here is UNKNOWN, what may block is BLOCKING. That each class is
right is shown by locks measured on a server (tests/postgresql/test_statement_locks.py). Modes are those of the
PostgreSQL manual, "Explicit Locking", and of each statement's own page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from nonstop.databases import postgresql_create as create
from nonstop.databases import postgresql_tables as tables
from nonstop.databases.postgresql_alter import alter_table
from nonstop.databases.postgresql_reader import Reader
from nonstop.databases.postgresql_rows import rows
from nonstop.databases.postgresql_tokens import Sort, split
from nonstop.descriptions.operations import LockClass
from nonstop.descriptions.statements import Kind, Need, Reach

__all__ = ["classify", "needs", "split"]

ACCESS_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE = LockClass.ACCESS_EXCLUSIVE, LockClass.SHARE_UPDATE_EXCLUSIVE
SHARE_ROW_EXCLUSIVE = LockClass.SHARE_ROW_EXCLUSIVE


@lru_cache(maxsize=128)
def needs(sql: str) -> tuple[tuple[str, Need], ...]:
    """Each statement of ``sql`` with what it needs. A script that sends a text again and again pays once."""
    return tuple((statement, classify(statement)) for statement in split(sql))


def classify(statement: str) -> Need:
    """What one statement needs. Several in one text are UNKNOWN: :func:`split` them first."""
    reader = Reader.of(statement)
    if not reader.tokens:
        return Need(Kind.READS)
    if any(token.symbol == ";" for token in reader.tokens) and len(split(statement)) > 1:
        return Need(Kind.UNKNOWN, reason="several statements in one text")
    if reader.peek().symbol == "(":
        return rows(reader)
    for pattern, handler in FORMS:
        if reader.accept(pattern):
            return _without_temporary(handler(reader))
    return _unknown(reader)


def _without_temporary(need: Need) -> Need:
    """Tables in the session's own schema are not in use by others."""
    kept = tuple(name for name in need.relations if not name.startswith("pg_temp."))
    if kept == need.relations:
        return need
    if kept or need.indexes or need.kind is Kind.UNKNOWN:
        return replace(need, relations=kept)
    return Need(Kind.BRIEF)


# --- statements that contain others --------------------------------------------------------------------------


def _explain(reader: Reader) -> Need:
    options = reader.brackets().clauses() if reader.peek().symbol == "(" else []
    runs = any(tables.is_on(option) for option in options if option.accept("analyze|analyse"))
    runs = reader.accept("analyze|analyse") or runs
    reader.accept("[verbose]")
    return classify(reader.source()) if runs else Need(Kind.READS)


def _prepare(reader: Reader) -> Need:
    return classify(reader.source()) if reader.seek("as") else _unknown(reader)


def _prepare_transaction(reader: Reader) -> Need:
    reason = "its locks stay until somebody commits it, or rolls it back, by its name"
    return Need(Kind.BLOCKING, ACCESS_EXCLUSIVE, reason=reason, correction="COMMIT")


# --- statements that lock nothing, or nobody knows what ------------------------------------------------------


def _nothing(reader: Reader) -> Need:
    return Need(Kind.READS)


def _no_lock(reader: Reader) -> Need:
    return Need(Kind.BRIEF)


def _unknown(reader: Reader) -> Need:
    words = " ".join(token.value for token in reader.tokens[:2] if token.sort is Sort.WORD).upper()
    return Need(Kind.UNKNOWN, reason=f"the text of {words or 'this'} does not tell what it locks")


def _unknown_loss(reader: Reader) -> Need:
    return replace(_unknown(reader), loses_data=True)


def _alter_index(reader: Reader) -> Need:
    """Renaming and options are brief; another place means copying the index."""
    reader.accept("[if exists]")
    name = (str(reader.name()),)
    if reader.accept("attach partition"):
        return Need(Kind.BRIEF, ACCESS_EXCLUSIVE, indexes=(*name, str(reader.name())))
    if not reader.accept("set tablespace"):
        return Need(Kind.BRIEF, SHARE_UPDATE_EXCLUSIVE, indexes=name)
    reason = "copies the index while nobody may use its table's plans with it"
    return Need(
        Kind.BLOCKING,
        ACCESS_EXCLUSIVE,
        indexes=name,
        reason=reason,
        correction=f"REINDEX (TABLESPACE …, CONCURRENTLY) INDEX {name[0]}",
    )


def _alter_sequence(reader: Reader) -> Need:
    """Its own options keep ``nextval`` waiting until the commit; a name or a place is as with tables."""
    start = reader.position
    reader.accept("[if exists]")
    name = reader.name()
    if reader.peek().word not in ("rename", "owner", "set"):
        return Need(Kind.BRIEF, SHARE_ROW_EXCLUSIVE, (str(name),))
    reader.position = start
    return alter_table(reader)


def _alter_domain(reader: Reader) -> Need:
    """A domain's constraint is checked in every table that uses the domain, and the tables are not named."""
    reader.name()
    if reader.accept("add|validate") or reader.accept("set not null"):
        if reader.has("not valid"):
            return Need(Kind.BRIEF)
        reason = "reads every table that uses the domain while nobody writes them"
        return Need(
            Kind.BLOCKING, LockClass.SHARE, reason=reason, correction="-- a CHECK on each table: op.add_check"
        )
    return tables.cascading(reader, Need(Kind.BRIEF))


def _alter_type(reader: Reader) -> Need:
    return tables.cascading(reader, Need(Kind.BRIEF))


def _comment(reader: Reader) -> Need:
    """A comment on what belongs to a table locks the table as weakly as ANALYZE does."""
    if reader.accept("table|view|sequence|column|index") or reader.accept("materialized view"):
        of_column = reader.tokens[reader.position - 1].word == "column"
        name = reader.name()
        relation = Reader.of(".".join(name.written.split(".")[:-1])).name() if of_column else name
        return Need(Kind.BRIEF, SHARE_UPDATE_EXCLUSIVE, (str(relation),))
    if reader.accept("constraint|trigger|rule|policy"):
        return create.hanging_on("on", SHARE_UPDATE_EXCLUSIVE)(reader)
    return Need(Kind.BRIEF)


# --- the table of forms --------------------------------------------------------------------------------------

_on_table = create.hanging_on("on", ACCESS_EXCLUSIVE)
_trigger = create.hanging_on("on", SHARE_ROW_EXCLUSIVE, Reach.CHILDREN)
_publication = create.hanging_on("table", SHARE_UPDATE_EXCLUSIVE)
_FUNCTIONS = "function|procedure|routine|aggregate"
_OBJECTS = (
    "type|domain|function|procedure|routine|aggregate|operator|collation|conversion|cast|language|transform"
)

# Leading words → what is behind them. The first that fits counts; what fits none is UNKNOWN.
FORMS: list[tuple[str, Callable[[Reader], Need]]] = [
    ("select|values|table|with|insert|update|delete|merge|copy|declare", rows),
    ("begin|start|commit|end|rollback|abort|savepoint|release|set|reset|show", _nothing),
    ("wait for lsn", _nothing),
    ("fetch|move|close|listen|notify|unlisten|deallocate|checkpoint", _nothing),
    ("explain", _explain),
    ("prepare transaction", _prepare_transaction),
    ("prepare", _prepare),
    ("create [unique] index", create.create_index),
    ("create [global|local] [temp|temporary|unlogged] table [if not exists]", create.create_table),
    ("create foreign table [if not exists]", create.create_relation),
    ("create materialized view [if not exists]", create.create_table_as),
    ("create or replace [temp|temporary] [recursive] view", create.replace_view),
    ("create [temp|temporary] [recursive] view", create.create_relation),
    ("create [temp|temporary|unlogged] sequence [if not exists]", create.create_relation),
    ("create schema", create.create_schema),
    ("create [or replace] [constraint] trigger", _trigger),
    ("create [or replace] rule", create.hanging_on("to", ACCESS_EXCLUSIVE)),
    ("create policy", _on_table),
    ("create statistics", create.hanging_on("from", SHARE_UPDATE_EXCLUSIVE)),
    ("create|alter publication", _publication),
    (f"create [or replace] {_OBJECTS}", _no_lock),
    ("create|alter role|user|group|database|text|access", _no_lock),
    ("alter|drop [event] trigger [if exists]", _on_table),
    ("alter|drop policy|rule [if exists]", _on_table),
    ("alter table|view", alter_table),
    ("alter sequence", _alter_sequence),
    ("alter foreign table", alter_table),
    ("alter materialized view", alter_table),
    (
        "alter index all in tablespace",
        lambda reader: tables.rewrite((), "-- REINDEX (TABLESPACE …, CONCURRENTLY)"),
    ),
    ("alter index", _alter_index),
    ("alter domain", _alter_domain),
    ("alter type", _alter_type),
    (f"alter {_FUNCTIONS}|schema|operator|collation|conversion|language|statistics|system|default", _no_lock),
    ("drop table [if exists]", tables.drop_table),
    ("drop foreign table [if exists]", tables.drop_table),
    ("drop index", tables.drop_index),
    ("drop view|sequence [if exists]", tables.drop_relation),
    ("drop materialized view [if exists]", tables.drop_relation),
    ("drop schema [if exists]", tables.drop_schema),
    ("drop owned|database|extension|role|user|tablespace", _unknown_loss),
    (f"drop {_OBJECTS}|publication", tables.drop_object),
    ("drop statistics", lambda reader: Need(Kind.BRIEF, SHARE_UPDATE_EXCLUSIVE)),
    ("truncate", tables.truncate),
    ("lock", tables.lock_table),
    ("vacuum", tables.vacuum),
    ("analyze|analyse", tables.analyze),
    ("cluster", tables.cluster),
    ("repack", tables.repack),
    ("reindex", tables.reindex),
    ("refresh materialized view", tables.refresh),
    ("comment on", _comment),
    ("grant|revoke", _no_lock),
]
