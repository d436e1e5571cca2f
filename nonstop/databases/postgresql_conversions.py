"""What the change of a column's type on PostgreSQL has made of its values: its USING may throw them away."""

from __future__ import annotations

from collections.abc import Iterator

from nonstop.databases.base import DBAPIConnection
from nonstop.databases.postgresql_asking import ask
from nonstop.databases.postgresql_counts import Counter, Values
from nonstop.databases.postgresql_loss_queries import FILE_NOW
from nonstop.databases.postgresql_relations import Changed, Relation
from nonstop.descriptions.losses import Loss

NOBODY_COUNTED = "its type was changed, and nobody has counted before"
TAKES_LONG = "its type was changed, and to count what is left would take long"


def unkept_values(
    counter: Counter, connection: DBAPIConnection, relation: Relation, ours: Changed
) -> Iterator[Loss]:
    """Values that a rewritten table has not kept: they are others, NULL, or all the same now."""
    counts = counter.counts
    ((_, table),) = ask(connection, FILE_NOW.format(oid=relation.oid))
    was = dict(zip(relation.columns, relation.types, strict=True))
    for number, name, kind in zip(ours.columns, ours.names, ours.types, strict=True):
        key = (relation.oid, name)
        if number not in was or number in relation.derived or counts.of(*key) == 0:
            continue
        is_only_cast = key in counts.cast and key not in counts.converted
        if key not in counts.converted and (is_only_cast or was[number] == kind):
            continue
        subject, before = f"{relation.name}.{name}", counts.values.get(key)
        if key in counts.replaced:
            doubt = "" if before else NOBODY_COUNTED
            yield Loss(subject, "value", before.number if before else None, doubt=doubt)
        else:
            yield from _compared(subject, before, counter.now(connection, table, name))


def _compared(subject: str, before: Values | None, now: tuple[int, Values] | None) -> Iterator[Loss]:
    """``now`` is how many rows there are, and what is in the column."""
    if now is None:
        yield Loss(subject, "value", None, doubt=TAKES_LONG)
        return
    rows, left = now
    if before is None:
        if left.number < rows or (rows > 1 and not left.differ):
            yield Loss(subject, "value", None, doubt=NOBODY_COUNTED)
    elif left.number < before.number:
        yield Loss(subject, "value", before.number - left.number)
    elif before.differ and not left.differ:
        yield Loss(subject, "value", before.number)
