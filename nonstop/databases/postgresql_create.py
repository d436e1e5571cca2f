"""CREATE: what is new is nobody else's yet; what it hangs on is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nonstop.databases.postgresql_names import chosen_name, index_addition
from nonstop.databases.postgresql_reader import Reader
from nonstop.databases.postgresql_rows import rows
from nonstop.databases.postgresql_tables import strings
from nonstop.databases.postgresql_tokens import quoted
from nonstop.descriptions.operations import LockClass
from nonstop.descriptions.statements import Condition, Fact, Kind, Need, Reach

ACCESS_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE = LockClass.ACCESS_EXCLUSIVE, LockClass.SHARE_UPDATE_EXCLUSIVE
SHARE_ROW_EXCLUSIVE = LockClass.SHARE_ROW_EXCLUSIVE


def create_index(reader: Reader) -> Need:
    """The rewritten form carries the name that PostgreSQL would choose where the statement gives none."""
    behind_index = reader.tokens[reader.position - 1].end
    is_unique = any(token.word == "unique" for token in reader.tokens[: reader.position])
    is_concurrent = reader.accept("concurrently")
    reader.accept("[if not exists]")
    name = None if reader.peek().word == "on" else reader.name()
    before_on = reader.peek().start
    reader.accept("on")
    only = reader.accept("only")
    table = reader.name()
    if is_concurrent:
        creates = (str(table.sibling(name.last)),) if name else ()
        return Need(
            Kind.CONCURRENT, SHARE_UPDATE_EXCLUSIVE, (str(table),), creates=creates, only=only, is_unique=is_unique,
            rewritten=(reader.text,) if creates and not only else (),
        )  # fmt: skip
    if reader.accept("using"):
        reader.name()
    addition, is_certain = ("", True) if name else index_addition(reader.brackets())
    chosen = name.last if name else chosen_name(table.last, addition, "idx")
    text = reader.text
    insertion = "" if name else f"{quoted(chosen)} "
    rewritten = (
        f"{text[:behind_index]} CONCURRENTLY{text[behind_index:before_on]}{insertion}{text[before_on:]}"
    )
    created = str(table.sibling(chosen))
    return Need(
        Kind.ONLINE_INDEX,
        LockClass.SHARE,
        (str(table),),
        Reach.NAMED if only else Reach.CHILDREN,
        creates=(created,),
        is_unique=is_unique,
        is_unnamed=name is None,
        only=only,
        rewritten=(rewritten,),
        reason=f"builds the index of {table} while writers wait",
        correction="-- op.create_index, which builds the index of each partition concurrently",
        provided=(Condition(Fact.NAME_IS_FREE, created),),
        has_unknown_name=not is_certain,
    )


def create_table(reader: Reader) -> Need:
    """Locks the tables that its foreign keys, INHERITS and PARTITION OF name."""
    is_temporary = _is_temporary(reader)
    name = reader.name()
    made = Need(Kind.BRIEF, creates=(str(name),), temporary=is_temporary or name.schema == "pg_temp")
    if made.temporary:
        return made
    if reader.accept("partition of"):
        return _create_partition(reader, made)
    if reader.has("as"):
        reader.seek("as")
        contents = rows(reader.rest)
        return replace(
            contents, kind=max(contents.kind, Kind.BRIEF, key=list(Kind).index), creates=made.creates
        )
    parents = tuple(parent for parent in _references(reader) if parent != str(name))
    ancestors = strings(reader.brackets().names()) if reader.seek("inherits") else ()
    lock = SHARE_ROW_EXCLUSIVE if parents else SHARE_UPDATE_EXCLUSIVE if ancestors else LockClass.NONE
    reach = Reach.CHILDREN if parents else Reach.NAMED
    return replace(made, lock=lock, relations=(*parents, *ancestors), reach=reach)


def _create_partition(reader: Reader, made: Need) -> Need:
    parent = reader.name()
    references = _references(reader)
    need = replace(
        made,
        lock=ACCESS_EXCLUSIVE,
        relations=(str(parent), *references),
        reach=Reach.DEFAULT_PARTITION | Reach.REFERENCED,
    )
    if not reader.seek("for"):
        return need
    return replace(
        need,
        kind=Kind.BLOCKING,
        reason=f"reads the default partition of {parent}, if it has one, while nobody may use the table",
        correction="-- move the rows out of the default partition first, in batches",
        unless=(Condition(Fact.NO_DEFAULT_PARTITION, str(parent)),),
    )


def _references(reader: Reader) -> tuple[str, ...]:
    """The tables that REFERENCES names, at whatever depth."""
    found: dict[str, None] = {}
    for index in range(reader.position, len(reader.tokens)):
        if reader.tokens[index].word == "references":
            found[str(Reader(reader.text, reader.tokens[index + 1 :]).name())] = None
    return tuple(found)


def create_table_as(reader: Reader) -> Need:
    """A materialized view."""
    name = str(reader.name())
    contents = rows(reader.rest) if reader.seek("as") else Need(Kind.UNKNOWN)
    return replace(contents, kind=max(contents.kind, Kind.BRIEF, key=list(Kind).index), creates=(name,))


def create_relation(reader: Reader) -> Need:
    """A view, a sequence, a foreign table."""
    return Need(Kind.BRIEF, creates=(str(reader.name()),), temporary=_is_temporary(reader))


def replace_view(reader: Reader) -> Need:
    if _is_temporary(reader):
        return create_relation(reader)
    return Need(Kind.BRIEF, ACCESS_EXCLUSIVE, (str(reader.name()),))


def create_schema(reader: Reader) -> Need:
    """It may hold the definitions of whole tables."""
    if reader.seek("create", "grant"):
        return Need(Kind.UNKNOWN, reason="CREATE SCHEMA makes more than a schema")
    return Need(Kind.BRIEF)


def hanging_on(word: str, lock: LockClass, reach: Reach = Reach.NAMED) -> Callable[[Reader], Need]:
    """For something that belongs to tables, which come after ``word``: a trigger, a rule, a policy."""

    def read(reader: Reader) -> Need:
        if not reader.seek(word):
            return Need(Kind.BRIEF)
        reader.accept("[only]")
        return Need(Kind.BRIEF, lock, strings(reader.names()), reach)

    return read


def _is_temporary(reader: Reader) -> bool:
    return any(token.word in ("temp", "temporary") for token in reader.tokens[: reader.position])
