"""What an open transaction of PostgreSQL takes away: found in the catalog, in the locks, and in its own statistics.

Nothing is dropped, emptied or rewritten without ACCESS EXCLUSIVE on it, and no row is deleted without ROW EXCLUSIVE; both
are held until the commit (PostgreSQL manual, "Explicit Locking"). So the relations that the session has locked so are
all that has to be compared: with what everybody else still sees, from the ledger's own connection. There is no snapshot
to take beforehand, and what others change meanwhile is not taken for ours. Deleted rows are counted by the session
itself (pg_stat_get_xact_tuples_deleted); as these numbers are carried over from its last transaction for up to a second,
they are read before the first change too.
What is locked so can be counted by nobody: so what a statement names is counted before it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nonstop.databases import postgresql_doomed as text
from nonstop.databases.base import DBAPIConnection
from nonstop.databases.postgresql_loss_queries import (
    BOUNDS,
    CARRIED_OVER,
    COUNTED,
    DO_WHAT_IS_DEFERRED,
    EMPTY,
    FILE_NOW,
    IS_LOCKED_BY_US,
    IS_THERE,
    LARGE_OBJECTS,
    LOCKED,
    NAMES,
    RESOLVED,
    SEEN_BY_OTHERS,
    SEEN_BY_US,
)
from nonstop.descriptions.losses import Loss, Outlook

MOST_ROLLBACKS = 10
"""So often a rollback is sent that a timeout breaks off."""


class Relation(NamedTuple):
    """What others see of a relation. ``rows`` is the server's estimate, 0 where it has none."""

    oid: int
    name: str
    kind: str
    file: int
    rows: int
    columns: list[int]
    names: list[str]
    derived: list[int]

    @property
    def last(self) -> str:
        return self.name.rpartition(".")[2].strip('"')


class Locked(NamedTuple):
    """A relation that the session has locked. The numbers are those of the session, see the module."""

    oid: int
    is_exclusive: bool
    deleted: int
    inserted: int
    root: int

    def since(self, carried_over: dict[int, tuple[int, int]] | None) -> Locked:
        """With the numbers of the open transaction alone; None where that has changed no row."""
        if carried_over is None:
            return self._replace(deleted=0, inserted=0)
        deleted, inserted = carried_over.get(self.oid, (0, 0))
        return self._replace(deleted=self.deleted - deleted, inserted=self.inserted - inserted)


@dataclass(slots=True)
class Memory:
    """What a script has made and what has been counted, whatever transaction it was in. Keys are oids."""

    tables: set[int] = field(default_factory=set)
    columns: set[tuple[int, int]] = field(default_factory=set)
    counts: dict[tuple[int, str], int] = field(default_factory=dict)
    """Values of a column; rows under the column ''."""
    statements: set[str] = field(default_factory=set)
    """Those whose tables have been counted: a step that is tried again counts once."""

    def forget_counts(self) -> None:
        """They hold until the commit."""
        self.counts.clear()
        self.statements.clear()


class ServerLosses:
    """A :class:`nonstop.descriptions.losses.LossWatch` on PostgreSQL.

    ``others`` is a connection that the script does not use. Tables called as in ``ignored`` are not looked at.
    """

    begin = "BEGIN"

    def __init__(self, others: DBAPIConnection, ignored: frozenset[str]) -> None:
        self._others = others
        self._ignored = ignored
        self._memory = Memory()
        self._carried_over: dict[int, dict[int, tuple[int, int]]] = {}

    def outlook(self, statement: str) -> Outlook:
        return text.outlook(statement)

    # --- before -----------------------------------------------------------------------------------------------

    def before(self, connection: DBAPIConnection, statement: str) -> None:
        if id(connection) not in self._carried_over and text.changes_rows(statement):
            rows = _ask(connection, CARRIED_OVER)
            self._carried_over[id(connection)] = {oid: (deleted, inserted) for oid, deleted, inserted in rows}
        if statement in self._memory.statements:
            return
        self._memory.statements.add(statement)
        if text.hides_what_it_loses(statement):
            self._memory.counts.update({(oid, ""): 0 for (oid,) in self._ask_others(BOUNDS, EMPTY) or ()})
        for doomed in text.doomed(statement):
            self._count(connection, doomed)

    def _count(self, connection: DBAPIConnection, doomed: text.Doomed) -> None:
        """Count what goes. What can't be counted at once stays unknown."""
        # The script may have a search_path of its own, so the name is looked up on its connection.
        resolved = _ask(connection, RESOLVED.format(name=doomed.table.replace("'", "''")))
        for oid, name, has_children in resolved:
            if not has_children and not self._ask_others(IS_THERE.format(oid=oid)):
                continue  # the transaction itself has made it: nobody misses its rows
            # Once the first statement has its lock, nobody can count the columns that the next ones take.
            columns = ("", *(self._columns(connection, oid) if doomed.columns else ()))
            if all((oid, column) in self._memory.counts for column in ("", *doomed.columns)):
                continue
            counts = [
                "count(*) AS c0",
                *(f"count({_quoted(c)}) AS c{i}" for i, c in enumerate(columns[1:], 1)),
            ]
            answers = ", ".join(f"coalesce(c{i}, 0)" for i in range(len(columns)))
            query = COUNTED.format(oid=oid, name=name, answers=answers, counts=", ".join(counts))
            is_locked = bool(_ask(connection, IS_LOCKED_BY_US.format(oid=oid)))
            rows = (
                _ask_under_our_lock(connection, query) if is_locked else self._ask_others(BOUNDS, query) or []
            )
            for table, *values in rows:
                self._memory.counts |= {(table, column): n for column, n in zip(columns, values, strict=True)}

    def _columns(self, connection: DBAPIConnection, oid: int) -> list[str]:
        ((names,),) = _ask(connection, f"SELECT {NAMES} FROM pg_class c WHERE c.oid = {oid}")
        return list(names)

    def after(self, connection: DBAPIConnection, statement: str) -> None:
        """All that has to be known is seen before the commit."""

    # --- before the commit ------------------------------------------------------------------------------------

    def found(self, connection: DBAPIConnection) -> list[Loss]:
        connection.cursor().execute(DO_WHAT_IS_DEFERRED)
        carried_over = self._carried_over.pop(id(connection), None)
        locked = [Locked(*row).since(carried_over) for row in _ask(connection, LOCKED)]
        if all(table.oid == LARGE_OBJECTS and not table.deleted for table in locked):
            return []
        seen = self._seen_by_others(locked)
        gone = dict(self._gone(connection, [table for table in locked if table.is_exclusive], seen))
        self._memory.forget_counts()
        remaining = [table for table in locked if table.oid not in gone]
        return [loss for losses in gone.values() for loss in losses] + list(self._deleted(remaining, seen))

    def _seen_by_others(self, locked: Sequence[Locked]) -> dict[int, Relation]:
        """What is there without this transaction."""
        oids = _array(oid for table in locked for oid in (table.oid, table.root))
        rows = self._ask_others(SEEN_BY_OTHERS.format(oids=oids))
        assert rows is not None
        return {row[0]: Relation(*row) for row in rows}

    def _counts(self, relation: Relation | None) -> bool:
        """Whether its data matters: not where the script has made it, nor where it is ours."""
        return (
            relation is not None
            and relation.oid not in self._memory.tables
            and relation.last not in self._ignored
        )

    def _gone(
        self, connection: DBAPIConnection, locked: Sequence[Locked], seen: dict[int, Relation]
    ) -> Iterator[tuple[int, list[Loss]]]:
        """Tables with what they lose by being dropped, emptied, or deprived of a column."""
        ours = {
            oid: (file, columns)
            for oid, file, columns in _ask(connection, SEEN_BY_US.format(oids=_array(t.oid for t in locked)))
        }
        self._memory.tables |= ours.keys() - seen.keys()
        for table in locked:
            oid, relation = table.oid, seen.get(table.oid)
            if relation is None or not self._counts(relation):
                continue
            if oid not in ours:
                losses = [self._whole(relation)] if relation.kind in "rmS" else []
            else:
                file, columns = ours[oid]
                losses = list(self._dropped_columns(relation, columns))
                if relation.kind == "r" and file != relation.file and self._was_emptied(connection, table):
                    losses.append(self._whole(relation))
            if losses:
                yield oid, losses

    def _whole(self, relation: Relation) -> Loss:
        if relation.kind == "S":
            return Loss(f"sequence {relation.name}", "value", 1)
        return self._loss(relation, relation.name, "row", "")

    def _loss(self, relation: Relation, subject: str, unit: str, column: str) -> Loss:
        rows = self._memory.counts.get((relation.oid, ""))
        exact = rows if rows == 0 else self._memory.counts.get((relation.oid, column))
        if exact is not None:
            return Loss(subject, unit, exact)
        return Loss(subject, unit, relation.rows or None, is_exact=False)

    def _dropped_columns(self, relation: Relation, columns: Sequence[int]) -> Iterator[Loss]:
        """What goes with the columns that are there no longer; the data of a partitioned table is in its partitions."""
        self._memory.columns |= {
            (relation.oid, number) for number in columns if number not in relation.columns
        }
        for number, name in zip(relation.columns, relation.names, strict=True):
            is_made_here = (relation.oid, number) in self._memory.columns
            if (
                number not in columns
                and number not in relation.derived
                and not is_made_here
                and relation.kind in "rm"
            ):
                yield self._loss(relation, f"{relation.name}.{name}", "value", name)

    def _was_emptied(self, connection: DBAPIConnection, table: Locked) -> bool:
        """Whether the new file of a table comes from TRUNCATE: one that was rewritten has its rows in it."""
        if self._memory.counts.get((table.oid, "")) == 0:
            return False
        ((size, name),) = _ask(connection, FILE_NOW.format(oid=table.oid))
        if not size or not table.inserted:
            return not size
        ((rows,),) = _ask(connection, f"SELECT count(*) FROM ONLY {name}")
        return bool(rows <= table.inserted)

    def _deleted(self, locked: Sequence[Locked], seen: dict[int, Relation]) -> Iterator[Loss]:
        """Rows that were deleted. An update that moves a row to another partition deletes it in the first one."""
        for root in dict.fromkeys(table.root for table in locked if table.deleted):
            parts = [table for table in locked if table.root == root]
            if root == LARGE_OBJECTS:
                yield Loss("large objects", "object", parts[0].deleted)
                continue
            named = [part for part in parts if self._counts(seen.get(part.oid))]
            deleted = sum(part.deleted for part in named)
            if any(part.oid != root for part in parts):
                deleted -= sum(part.inserted for part in parts)
            if deleted > 0:
                yield Loss((seen.get(root) or seen[named[0].oid]).name, "row", deleted)

    def forget(self, connection: DBAPIConnection) -> None:
        self._carried_over.pop(id(connection), None)

    # --- details ----------------------------------------------------------------------------------------------

    def _ask_others(self, *queries: str) -> list[Any] | None:
        """What the last query gives, in a transaction of its own; None where there was no answer within BOUNDS."""
        try:
            for query in queries:
                answer = _ask(self._others, query)
            return answer
        except Exception:
            if BOUNDS not in queries:
                raise
            return None
        finally:
            self._others.rollback()


def _ask(connection: DBAPIConnection, query: str) -> list[Any]:
    cursor = connection.cursor()
    cursor.execute(query)
    return list(cursor.fetchall())


def _ask_under_our_lock(connection: DBAPIConnection, query: str) -> list[Any]:
    """For a table that nobody else can read any longer. Others wait for it meanwhile: nothing, if it takes long."""
    cursor = connection.cursor()
    cursor.execute("SAVEPOINT nonstop_count")
    try:
        cursor.execute("SET LOCAL statement_timeout = '100ms'")
        cursor.execute(query)
        return list(cursor.fetchall())
    except Exception:
        return []
    finally:
        _take_back(cursor)


def _take_back(cursor: Any) -> None:
    """Roll back to before the count, and with it the timeout: which holds for this statement too, and on a busy machine
    strikes it now and then. Then it is sent again."""
    for left in reversed(range(MOST_ROLLBACKS)):
        try:
            cursor.execute("ROLLBACK TO SAVEPOINT nonstop_count")
            return
        except Exception:
            if not left:
                raise


def _array(oids: Iterable[int]) -> str:
    return f"ARRAY[{', '.join(str(oid) for oid in dict.fromkeys(oids))}]::oid[]"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
