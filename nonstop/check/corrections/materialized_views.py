"""Materialized views: another one beside it instead of another definition, for nobody can read one that is made anew."""

from __future__ import annotations

from nonstop.check.corrections import tables, verbs
from nonstop.check.corrections.pieces import Piece, Stage, both_ways
from nonstop.check.corrections.render import call, literal, names
from nonstop.check.corrections.verbs import NoCorrectionError
from nonstop.check.reflection import mentions
from nonstop.check.shapes.changes import ChangedOther
from nonstop.check.shapes.shape import OtherShape, Shape
from nonstop.databases.postgresql_reader import Reader

KIND, INDEX = "materialized view", "index of a materialized view"
RANK = 2
"""After the tables and the functions that its query asks."""


def changed(change: ChangedOther, before: Shape, after: Shape) -> list[Piece]:
    """A new one; one that goes when no code reads it; or both, where the query is another one."""
    former, new = change.before, change.after
    if former is None and new is not None:
        return [_defined(new, [])]
    assert former is not None
    if any(mentions(query, Reader.of(former.name).name().last) for query in before.views.values()):
        raise NoCorrectionError(f"a view reads {former.name}")
    if new is None:
        return [_dropped(former, before, f"code that no longer reads {former.name}")]
    second = OtherShape(KIND, _second(new.name), "", new.definition)
    indexes = [_index_of(second, index) for index in _indexes(new, after)]
    return [
        _defined(second, indexes),
        _dropped(former, before, f"code that reads {second.name} instead of {former.name}"),
    ]


def changed_index(change: ChangedOther, before: Shape, after: Shape) -> list[Piece]:
    """An index of one that stays as it is, or is new; those of others come and go with their views."""
    one = change.after or change.before
    assert one is not None
    was, now = before.others.get((KIND, one.table)), after.others.get((KIND, one.table))
    if now is None or (was is not None and was != now):
        return []
    if change.before is not None and change.after is not None:
        raise NoCorrectionError(f"{one.name} is another index of the same name")
    there, gone = [_make_index(one)], [_drop_index(one)]
    if change.after is None:
        return [both_ways(f"drop {one.name}", f"no query of {one.table} needs it.", gone, there)]
    made = both_ways(f"create {one.name}", f"the next release looks for {one.table} by it.", there, gone)
    return [made.at(RANK + 1)]


def _defined(view: OtherShape, indexes: list[OtherShape]) -> Piece:
    return both_ways(
        f"create the materialized view {view.name}",
        f"the release that comes next reads {view.name}.",
        [_make(view), *map(_make_index, indexes)],
        [_drop(view)],
    ).at(RANK)


def _dropped(view: OtherShape, before: Shape, deploy: str) -> Piece:
    return Piece(
        f"drop the materialized view {view.name}",
        f"no code reads {view.name} any longer.",
        (_drop(view),),
        (_make(view), *map(_make_index, _indexes(view, before))),
        Stage.WHEN_UNUSED,
        deploy,
        loses=f"{view.name} had nothing that its query does not find again",
        is_contract=True,
        rank=-RANK,
    )


def _make(view: OtherShape) -> str:
    query = view.definition.strip().rstrip(";")
    return call("op.execute", literal(f"CREATE MATERIALIZED VIEW IF NOT EXISTS {view.name} AS {query}"))


def _drop(view: OtherShape) -> str:
    sql = literal(f"DROP MATERIALIZED VIEW IF EXISTS {view.name}")
    return call("op.execute", sql, f"tables={names([view.name])}")


def _indexes(view: OtherShape, shape: Shape) -> list[OtherShape]:
    return [one for one in shape.others.values() if one.kind == INDEX and one.table == view.name]


def _index_of(view: OtherShape, index: OtherShape) -> OtherShape:
    """The same index of another view, under a name of its own."""
    reader = Reader.of(index.definition)
    kind = "UNIQUE INDEX" if reader.accept("create unique index") else "INDEX"
    reader.accept("create index")
    name = _second(reader.name().written)
    reader.accept("on [only]")
    reader.name()
    return OtherShape(
        INDEX, _second(index.name), view.name, f"CREATE {kind} {name} ON {view.name} {reader.source()}"
    )


def _make_index(index: OtherShape) -> str:
    return verbs.index_by_sql(index.name, index.definition)


def _drop_index(index: OtherShape) -> str:
    return call(
        "op.execute", literal(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}"), "in_transaction=False"
    )


def _second(name: str) -> str:
    """A name beside this one, as in SQL."""
    known = Reader.of(name).name()
    return tables.owned((known.schema, f"{known.last}_2"))
