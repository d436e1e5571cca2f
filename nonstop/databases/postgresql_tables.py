"""Statements on whole tables: dropping, emptying, locking, rewriting and tidying them up."""

from __future__ import annotations

from dataclasses import replace

from nonstop.databases.postgresql_reader import Reader
from nonstop.databases.postgresql_tokens import Name
from nonstop.descriptions.operations import LockClass
from nonstop.descriptions.statements import Kind, Need, Reach

ACCESS_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE = LockClass.ACCESS_EXCLUSIVE, LockClass.SHARE_UPDATE_EXCLUSIVE
ROW_LOCKS = ("access share", "row share", "row exclusive")
DROPPED = Reach.CHILDREN | Reach.REFERENCED | Reach.PARENT | Reach.OWNED

# --- dropping ------------------------------------------------------------------------------------------------


def drop_table(reader: Reader) -> Need:
    relations = strings(reader.names())
    need = Need(Kind.BRIEF, ACCESS_EXCLUSIVE, relations, DROPPED, loses_data=True)
    return cascading(reader, need)


def drop_schema(reader: Reader) -> Need:
    return cascading(reader, Need(Kind.BRIEF, loses_data=True))


def drop_index(reader: Reader) -> Need:
    if reader.accept("concurrently"):
        reader.accept("[if exists]")
        indexes = strings(reader.names())
        return Need(Kind.CONCURRENT, SHARE_UPDATE_EXCLUSIVE, indexes=indexes, rewritten=(reader.text,))
    reader.accept("[if exists]")
    names = strings(reader.names())
    return cascading(reader, Need(Kind.BRIEF, ACCESS_EXCLUSIVE, indexes=names, drops=names))


def drop_relation(reader: Reader) -> Need:
    """A view, a sequence: locks nothing but itself, unless it cascades."""
    return cascading(reader, Need(Kind.BRIEF, ACCESS_EXCLUSIVE, strings(reader.names())))


def drop_object(reader: Reader) -> Need:
    """Something that is no relation: a type, a function."""
    return cascading(reader, Need(Kind.BRIEF))


def cascading(reader: Reader, need: Need) -> Need:
    """``need``; UNKNOWN if CASCADE is still to come."""
    if not reader.has("cascade"):
        return need
    reason = "CASCADE reaches tables that the statement does not name"
    return replace(need, kind=Kind.UNKNOWN, reason=reason, loses_data=True)


# --- emptying, locking ---------------------------------------------------------------------------------------


def truncate(reader: Reader) -> Need:
    reader.accept("[table]")
    reader.accept("[only]")
    relations = strings(reader.names())
    need = Need(
        Kind.BLOCKING,
        ACCESS_EXCLUSIVE,
        relations,
        Reach.CHILDREN | Reach.OWNED,
        loses_data=True,
        reason=f"waits for every reader of {', '.join(relations)}, then keeps all others out until the commit",
        correction="\n".join(
            f"-- in batches, each committed:\nDELETE FROM {name} WHERE ctid IN (SELECT ctid FROM {name} LIMIT 1000);"
            for name in relations
        ),
    )
    return replace(need, reach=need.reach | Reach.REFERENCING) if reader.has("cascade") else need


def lock_table(reader: Reader) -> Need:
    reader.accept("[table]")
    reader.accept("[only]")
    relations = strings(reader.names())
    words = " ".join(token.word for token in reader.rest.tokens if token.word != "nowait")
    mode = words.removeprefix("in ").removesuffix(" mode") or "access exclusive"
    if mode in ROW_LOCKS:
        return Need(Kind.READS)
    lock = next((lock for lock in LockClass if lock.value.lower() == mode), ACCESS_EXCLUSIVE)
    if lock is SHARE_UPDATE_EXCLUSIVE:
        return Need(Kind.BRIEF, lock, relations, Reach.CHILDREN)
    reason = (
        f"keeps {lock} on {', '.join(relations)} until the commit: others wait for all that the script does"
    )
    return Need(
        Kind.BLOCKING,
        lock,
        relations,
        Reach.CHILDREN,
        reason=reason,
        correction="-- leave it out: each statement takes the lock that it needs",
    )


# --- upkeep --------------------------------------------------------------------------------------------------


def vacuum(reader: Reader) -> Need:
    options = reader.brackets().clauses() if reader.peek().symbol == "(" else []
    is_full = reader.accept("full") or any(is_on(option) for option in options if option.accept("full"))
    reader.accept("[freeze]")
    reader.accept("[verbose]")
    reader.accept("[analyze|analyse]")
    relations = _relations_with_columns(reader)
    if not is_full:
        return Need(Kind.CONCURRENT, SHARE_UPDATE_EXCLUSIVE, relations, Reach.CHILDREN)
    return rewrite(
        relations,
        correction=f"{_plain_vacuum(relations)}  -- to give space back to the system: pg_repack or pg_squeeze",
    )


def analyze(reader: Reader) -> Need:
    if reader.peek().symbol == "(":
        reader.brackets()
    reader.accept("[verbose]")
    relations = _relations_with_columns(reader)
    return Need(Kind.CONCURRENT, SHARE_UPDATE_EXCLUSIVE, relations, Reach.CHILDREN)


def cluster(reader: Reader) -> Need:
    if reader.peek().symbol == "(":
        reader.brackets()
    reader.accept("[verbose]")
    name = reader.name()
    if reader.accept("on"):  # as it was written before PostgreSQL 8.3: the index first
        name = reader.name()
    relations = strings([name])
    return rewrite(
        relations,
        correction=f"{_plain_vacuum(relations)}  -- it keeps the order of the rows; for another: pg_repack or pg_squeeze",
    )


def repack(reader: Reader) -> Need:
    """PostgreSQL 19: VACUUM FULL and CLUSTER in one; CONCURRENTLY it locks the table only for the last instant."""
    options = reader.brackets().clauses() if reader.peek().symbol == "(" else []
    relations = _relations_with_columns(reader)
    if any(is_on(option) for option in options if option.accept("concurrently")):
        return Need(Kind.CONCURRENT, SHARE_UPDATE_EXCLUSIVE, relations, Reach.CHILDREN)
    return rewrite(relations, correction=f"REPACK (CONCURRENTLY) {', '.join(relations)}".rstrip())


def reindex(reader: Reader) -> Need:
    before = reader.peek().start
    options = reader.brackets().clauses() if reader.peek().symbol == "(" else []
    start, end = reader.peek().start, reader.peek().end
    what = reader.peek().word
    reader.position += 1
    is_concurrent = reader.accept("concurrently") or any(
        is_on(option) for option in options if option.accept("concurrently")
    )
    name = strings([reader.name()])
    relations, indexes = name if what == "table" else (), name if what == "index" else ()
    if is_concurrent:
        return Need(Kind.CONCURRENT, SHARE_UPDATE_EXCLUSIVE, relations, indexes=indexes)
    return Need(
        Kind.BLOCKING,
        ACCESS_EXCLUSIVE,
        relations,
        Reach.CHILDREN,
        indexes=indexes,
        reason="writers wait until the index is built again, and so do readers that could use it",
        correction=f"REINDEX {reader.text[before:start]}{reader.text[start:end]} CONCURRENTLY {', '.join(name)}",
    )


def refresh(reader: Reader) -> Need:
    if reader.accept("concurrently"):
        return Need(Kind.CONCURRENT, LockClass.EXCLUSIVE, strings([reader.name()]))
    name = str(reader.name())
    return Need(
        Kind.BLOCKING,
        ACCESS_EXCLUSIVE,
        (name,),
        reason=f"nobody reads {name} until it has been computed again",
        correction=f"REFRESH MATERIALIZED VIEW CONCURRENTLY {name}  -- it needs a unique index",
    )


def rewrite(relations: tuple[str, ...], correction: str) -> Need:
    what = ", ".join(relations) or "all tables"
    reason = f"rewrites {what} under ACCESS EXCLUSIVE: nobody reads or writes it until that is done"
    return Need(
        Kind.BLOCKING, ACCESS_EXCLUSIVE, relations, Reach.CHILDREN, reason=reason, correction=correction
    )


# --- helpers -------------------------------------------------------------------------------------------------


def _plain_vacuum(relations: tuple[str, ...]) -> str:
    """What makes room for new rows and blocks nobody."""
    return f"VACUUM {', '.join(relations)}".rstrip()


def _relations_with_columns(reader: Reader) -> tuple[str, ...]:
    return strings([clause.name() for clause in reader.clauses()])


def is_on(option: Reader) -> bool:
    """Whether an option in brackets is switched on, its name read already."""
    return option.peek().value.strip("'").lower() not in ("false", "off", "0")


def strings(names: list[Name]) -> tuple[str, ...]:
    return tuple(str(name) for name in names if name.parts)
