"""What an open transaction of PostgreSQL takes away: found in the catalog, in the locks, and in its own statistics.

Nothing is dropped, emptied or rewritten without ACCESS EXCLUSIVE on it, and no row is deleted without ROW EXCLUSIVE; both
are held until the commit (PostgreSQL manual, "Explicit Locking"). So the relations that the session has locked so are
all that has to be compared: with what everybody else still sees, from the ledger's own connection. There is no snapshot
to take beforehand, and what others change meanwhile is not taken for ours. Deleted rows are counted by the session
itself (see postgresql_deleted).
What is locked so can be counted by nobody: so what a statement names is counted before it is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from nonstop.databases import postgresql_doomed as text
from nonstop.databases.base import DBAPIConnection
from nonstop.databases.postgresql_asking import Others, array, ask, literal
from nonstop.databases.postgresql_conversions import unkept_values
from nonstop.databases.postgresql_counts import Counter
from nonstop.databases.postgresql_deleted import DeletedRows, Session
from nonstop.databases.postgresql_loss_queries import (
    DO_WHAT_IS_DEFERRED,
    FILE_NOW,
    LARGE_OBJECTS,
    LOCKED,
    SEEN_BY_OTHERS,
    SEEN_BY_US,
)
from nonstop.databases.postgresql_relations import Changed, Locked, Relation
from nonstop.databases.transaction_control import TransactionControl
from nonstop.descriptions.losses import DriverGate, Loss, Outlook


@dataclass(slots=True)
class Made:
    """What a script has made, whatever transaction it was in, by oid."""

    tables: set[int] = field(default_factory=set)
    columns: set[tuple[int, int]] = field(default_factory=set)


class ServerLosses:
    """A :class:`nonstop.descriptions.losses.LossWatch` on PostgreSQL.

    ``others`` is a connection that the script does not use. The tables ``ignored``, with their schemas, are not looked at.
    """

    begin = "BEGIN"

    def __init__(self, others: DBAPIConnection, ignored: frozenset[str]) -> None:
        self._others = Others(others)
        self._ignored = f"ARRAY[{', '.join(literal(name) for name in sorted(ignored))}]"
        self._made = Made()
        self._counter = Counter(self._others)
        self._deleted_rows = DeletedRows()

    def outlook(self, statement: str) -> Outlook:
        return text.outlook(statement)

    def taken_out(self, connection: DBAPIConnection, gate: DriverGate) -> None:
        """Look before commits of the driver's own too. psycopg2's connections can't be changed so."""
        commit = connection.commit

        def look_and_commit() -> None:
            is_looked_at = gate.is_looked_at()
            if not is_looked_at:
                gate.look()
            commit()
            if not is_looked_at:
                gate.ended()

        with suppress(AttributeError):
            connection.commit = look_and_commit

    # --- statements -------------------------------------------------------------------------------------------

    def before(self, connection: DBAPIConnection, statement: str) -> None:
        self._deleted_rows.before(connection, statement)
        self._counter.before(connection, statement)

    def may_repeat(self, connection: DBAPIConnection, statement: str) -> bool:
        return not self._deleted_rows.follows_updates_of(connection, statement)

    def after(self, connection: DBAPIConnection, statement: str, rows: int) -> None:
        self._deleted_rows.after(connection, rows)

    def mind_savepoint(self, connection: DBAPIConnection, control: TransactionControl) -> None:
        self._deleted_rows.mind_savepoint(connection, control)

    # --- before the commit ------------------------------------------------------------------------------------

    def found(self, connection: DBAPIConnection) -> list[Loss]:
        connection.cursor().execute(DO_WHAT_IS_DEFERRED)
        session = self._deleted_rows.settle(connection)
        locked = [Locked(*row) for row in ask(connection, LOCKED)]
        if all(table.oid == LARGE_OBJECTS and not table.deleted for table in locked):
            return []
        seen = self._seen_by_others(locked)
        gone = dict(self._gone(connection, [table for table in locked if table.is_exclusive], seen))
        self._counter.counts.forget()
        remaining = [table for table in locked if table.oid not in gone]
        return [
            *(loss for losses in gone.values() for loss in losses),
            *self._deleted(remaining, seen, session),
            *self._uncounted(connection, remaining, seen),
        ]

    def _seen_by_others(self, locked: Sequence[Locked]) -> dict[int, Relation]:
        """What is there without this transaction."""
        oids = array(oid for table in locked for oid in (table.oid, table.root))
        rows = self._others.ask(SEEN_BY_OTHERS.format(oids=oids, ignored=self._ignored))
        return {row[0]: Relation(*row) for row in rows}

    def _counts(self, relation: Relation | None) -> bool:
        """Whether its data matters: not where the script has made it."""
        return relation is not None and relation.oid not in self._made.tables

    def _gone(
        self, connection: DBAPIConnection, locked: Sequence[Locked], seen: dict[int, Relation]
    ) -> Iterator[tuple[int, list[Loss]]]:
        """Tables with what they lose by being dropped, emptied, or deprived of a column."""
        rows = ask(connection, SEEN_BY_US.format(oids=array(t.oid for t in locked)))
        ours = {oid: Changed(*row) for oid, *row in rows}
        self._made.tables |= ours.keys() - seen.keys()
        for table in locked:
            oid, relation = table.oid, seen.get(table.oid)
            if relation is None or not self._counts(relation):
                continue
            if oid not in ours:
                losses = [self._whole(relation)] if relation.kind in "rmS" else []
            else:
                losses = list(self._dropped_columns(relation, ours[oid].columns))
                if relation.kind == "r" and ours[oid].file != relation.file:
                    if self._was_emptied(connection, table):
                        losses.append(self._whole(relation))
                    else:
                        losses += unkept_values(self._counter, connection, relation, ours[oid])
            if losses:
                yield oid, losses

    def _whole(self, relation: Relation) -> Loss:
        if relation.kind == "S":
            return Loss(f"sequence {relation.name}", "value", 1)
        return self._loss(relation, relation.name, "row", "")

    def _loss(self, relation: Relation, subject: str, unit: str, column: str) -> Loss:
        counts = self._counter.counts
        exact = counts.of(relation.oid, column) if column else counts.rows.get(relation.oid)
        if exact is not None:
            return Loss(subject, unit, exact)
        return Loss(subject, unit, relation.rows or None, is_exact=False)

    def _dropped_columns(self, relation: Relation, columns: Sequence[int]) -> Iterator[Loss]:
        """What goes with the columns that are there no longer; the data of a partitioned table is in its partitions."""
        self._made.columns |= {(relation.oid, number) for number in columns if number not in relation.columns}
        for number, name in zip(relation.columns, relation.names, strict=True):
            is_made_here = (relation.oid, number) in self._made.columns
            if (
                number not in columns
                and number not in relation.derived
                and not is_made_here
                and relation.kind in "rm"
            ):
                yield self._loss(relation, f"{relation.name}.{name}", "value", name)

    def _was_emptied(self, connection: DBAPIConnection, table: Locked) -> bool:
        """Whether the new file of a table comes from TRUNCATE: one that was rewritten has its rows in it."""
        if self._counter.counts.rows.get(table.oid) == 0:
            return False
        ((size, name),) = ask(connection, FILE_NOW.format(oid=table.oid))
        if not size or not table.inserted:
            return not size
        ((rows,),) = ask(connection, f"SELECT count(*) FROM ONLY {name}")
        return bool(rows <= table.inserted)

    def _deleted(
        self, locked: Sequence[Locked], seen: dict[int, Relation], session: Session
    ) -> Iterator[Loss]:
        """Rows that were deleted, of all partitions of a table together."""
        ignored = session.ignored or {}
        deleted: dict[int, int] = {}
        names: dict[int, str] = {}
        for table in locked:
            rows = table.deleted - ignored.get(table.oid, 0)
            if rows > 0 and table.oid == LARGE_OBJECTS:
                yield Loss("large objects", "object", rows)
            elif rows > 0 and self._counts(relation := seen.get(table.oid)):
                assert relation is not None
                deleted[table.root] = deleted.get(table.root, 0) + rows
                names.setdefault(table.root, (seen.get(table.root) or relation).name)
        for root, rows in deleted.items():
            doubt = "" if session.is_certain else "rows may be deleted, or were by an earlier transaction"
            yield Loss(names[root], "row", None if doubt else rows, doubt=doubt)

    def _uncounted(
        self, connection: DBAPIConnection, locked: Sequence[Locked], seen: dict[int, Relation]
    ) -> Iterator[Loss]:
        """Tables whose deleted rows nobody may have counted."""
        counting = [
            seen[one.oid] for one in locked if one.may_have_deleted and self._counts(seen.get(one.oid))
        ]
        changed = [relation.name for relation in counting if relation.kind == "r"]
        if changed and (why := self._deleted_rows.why_uncounted(connection)):
            yield Loss(", ".join(changed), "row", None, doubt=f"what is deleted may go uncounted, for {why}")

    def forget(self, connection: DBAPIConnection) -> None:
        self._deleted_rows.ended(connection)

    def given_back(self, connection: DBAPIConnection) -> None:
        with suppress(AttributeError):
            del connection.commit
