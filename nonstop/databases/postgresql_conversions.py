"""What the change of a column's type on PostgreSQL has made of its values: its USING may throw them away."""

from __future__ import annotations

from collections.abc import Iterator

from nonstop.databases.base import DBAPIConnection
from nonstop.databases.postgresql_asking import ask
from nonstop.databases.postgresql_counts import Counter
from nonstop.databases.postgresql_loss_queries import FILE_NOW
from nonstop.databases.postgresql_relations import Changed, Relation
from nonstop.descriptions.losses import Loss


def unkept_values(
    counter: Counter, connection: DBAPIConnection, relation: Relation, ours: Changed
) -> Iterator[Loss]:
    """Values that a new type has not kept: they are NULL now, or all the same."""
    counts = counter.counts
    ((_, table),) = ask(connection, FILE_NOW.format(oid=relation.oid))
    was = dict(zip(relation.columns, relation.types, strict=True))
    for number, name, kind in zip(ours.columns, ours.names, ours.types, strict=True):
        key = (relation.oid, name)
        if (
            was.get(number) in (None, kind)
            or number in relation.derived
            or key in counts.cast - counts.values.keys()
        ):
            continue
        subject = f"{relation.name}.{name}"
        now = counter.now(connection, relation.oid, table, name)
        before = counts.values.get(key)
        if now is None:
            yield Loss(
                subject,
                "value",
                None,
                doubt="its type was changed, and to count what is left would take long",
            )
            continue
        rows, left = now
        if before is None:
            if left.number < rows or (rows > 1 and not left.differ):
                yield Loss(
                    subject, "value", None, doubt="its type was changed, and nobody has counted before"
                )
        elif left.number < before.number:
            yield Loss(subject, "value", before.number - left.number)
        elif before.differ and not left.differ:
            yield Loss(subject, "value", before.number)
