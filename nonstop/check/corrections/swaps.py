"""Larger integers for columns, of a key or not: copies beside them, which a trigger keeps up to date, take their places.

Code that reads and writes the columns need not know: whatever fits the old type fits the new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from nonstop.check.corrections import verbs
from nonstop.check.corrections.batches import RowStatement, loop, qualified, quoted
from nonstop.check.corrections.moves import made
from nonstop.check.corrections.pieces import Piece, Stage, no_key
from nonstop.check.corrections.references import Reference, references
from nonstop.check.corrections.render import call, literal, names, option, slug
from nonstop.check.corrections.verbs import NoCorrectionError, string
from nonstop.check.reflection import mentions
from nonstop.check.shapes.changes import Change, ReplacedColumn
from nonstop.check.shapes.index import IndexShape
from nonstop.check.shapes.shape import ColumnShape, KeyShape, Shape, TableShape

INTEGERS = ("SMALLINT", "INTEGER", "BIGINT")
LONGEST_NAME = 63


def can_be_swapped(change: ReplacedColumn, before: Shape) -> bool:
    """Whether it is a larger integer, on a database where a copy can take the column's place in an instant."""
    old, new = change.before.type, change.after.type
    is_larger = old in INTEGERS and new in INTEGERS and INTEGERS.index(old) < INTEGERS.index(new)
    return before.alters_in_place and not change.is_renamed and is_larger


def swapped(change: ReplacedColumn, differing: Sequence[Change], before: Shape) -> list[Piece]:
    """The copies of a table's columns, and the exchange: two scripts, with no deployment between them. All columns of one
    table go together, with the first of them.

    Raises NoCorrectionError where something hangs on a column that its copy can't take over.
    """
    together = [
        other
        for other in differing
        if isinstance(other, ReplacedColumn) and other.table == change.table and can_be_swapped(other, before)
    ]
    if change != together[0]:
        return []
    for one in together:
        for what in _hanging_on(one, before):
            raise NoCorrectionError(f"{what} hangs on {one.table.display}.{one.before.name}")
    swap = _Swap(together, before)
    return [swap.copy(), swap.exchange()]


def _hanging_on(change: ReplacedColumn, before: Shape) -> Iterator[str]:
    """What would keep the old column, or go with it unseen."""
    table, name = change.table, change.before.name
    if table.is_partitioned:
        yield "a partition"
    yield from (f"the check {check.name}" for check in table.checks if mentions(check.condition, name))
    yield from (f"the column {other.name}" for other in table.columns if mentions(other.computed, name))
    for index in table.indexes:
        beside_names = [*(key for key in index.keys if key not in index.names), index.where, *index.include]
        if mentions(" ".join(beside_names), name) or (index.extras and name in index.names):
            yield f"the index {index.name}"
    for other in before.others.values():
        if other.table == qualified(table) and mentions(other.definition, name):
            yield f"the {other.kind} {other.name}"
    materialized = [other.definition for other in before.others.values() if other.kind == "materialized view"]
    for query in (*before.views.values(), *materialized):
        if mentions(query, table.name) and mentions(query, name):
            yield f"the view {query}"


class _Swap:
    """The columns of one table, their copies, and what belongs to them."""

    def __init__(self, together: Sequence[ReplacedColumn], before: Shape) -> None:
        self._table, self._before = together[0].table, before
        self._sql = qualified(self._table)
        self._columns = [change.after for change in together]
        self._copies = {column.name: f"new_{column.name}" for column in self._columns}
        belongings = dict.fromkeys(part for change in together for part in change.belongings)
        self._parts = [part for part in belongings if isinstance(part, IndexShape | KeyShape)]
        key = self._table.primary_key
        self._key = key if key is not None and not self._copies.keys().isdisjoint(key.columns) else None
        # Triggers fire in the order of their names: this one sees what the others have made of the row.
        self._trigger = slug(f"z_copy_{self._table.name}")
        self._check = slug(f"ck_{self._table.name}_copies")
        self._required = [self._copies[column.name] for column in self._columns if not column.nullable]
        self._what = ", ".join(f"{self._table.display}.{column.name}" for column in self._columns)
        self._old_types = " or ".join(dict.fromkeys(change.before.type for change in together))

    # --- the copies -------------------------------------------------------------------------------------------

    def copy(self) -> Piece:
        """The copies have the columns' values in each row, and what lies over the columns lies over them too."""
        fill, functions = self._filled()
        types = " or ".join(dict.fromkeys(column.type for column in self._columns))
        return Piece(
            f"copy {self._what}",
            f"{self._what} becomes {types}. To change a type in place, everybody would wait while each row is written anew:"
            " another column is filled beside it, and takes its place in an instant.",
            (
                *(
                    verbs.add_column(self._table, verbs.described(self._copied(column)))
                    for column in self._columns
                ),
                call("op.execute", literal(self._function())),
                self._alter(self._trigger_is_there()),
                *fill,
                *(made(self._table, self._over_copies(part)) for part in self._parts),
                verbs.create_index(self._table, self._key_index(self._key)) if self._key else "",
                self._check_is_there() if self._required else "",
            ),
            (
                self._alter(self._trigger_is_gone()),
                call("op.execute", literal(f"DROP FUNCTION IF EXISTS {self._trigger}()")),
                *(
                    verbs.on_column("drop_column", self._table, copy)
                    for copy in reversed(self._copies.values())
                ),
            ),
            functions=functions,
        )

    def _copied(self, column: ColumnShape) -> ColumnShape:
        return replace(column, name=self._copies[column.name], default=None, identity=(), nullable=True)

    def _filled(self) -> tuple[list[str], tuple[str, ...]]:
        values = ", ".join(f"{quoted(copy)} = {quoted(name)}" for name, copy in self._copies.items())
        head, empty = (
            f"UPDATE {self._sql} SET {values}",
            [f"{quoted(copy)} IS NULL" for copy in self._copies.values()],
        )
        statement = RowStatement("update", self._table.schema, self._table.name, "", head, " OR ".join(empty))
        if not self._table.key:
            return [
                no_key(self._table),
                call("op.execute", literal(f"{head} WHERE {statement.condition}")),
            ], ()
        name, code = loop(f"fill the copies in {self._table.display}", self._table, statement)
        return [f"{name}()"], (code,)

    def _function(self) -> str:
        values = " ".join(f"NEW.{quoted(copy)} := NEW.{quoted(name)};" for name, copy in self._copies.items())
        head = f"CREATE OR REPLACE FUNCTION {self._trigger}() RETURNS trigger LANGUAGE plpgsql"
        return f"{head} AS $$BEGIN {values} RETURN NEW; END$$"

    def _trigger_is_there(self) -> str:
        head = f"CREATE OR REPLACE TRIGGER {self._trigger} BEFORE INSERT OR UPDATE ON {self._sql}"
        return f"{head} FOR EACH ROW EXECUTE FUNCTION {self._trigger}()"

    def _trigger_is_gone(self) -> str:
        return f"DROP TRIGGER IF EXISTS {self._trigger} ON {self._sql}"

    def _alter(self, statement: str) -> str:
        return call("op.execute", literal(statement), f"tables={names([self._sql])}")

    def _check_is_there(self) -> str:
        """A validated CHECK, so that the exchange finds NOT NULL proven and reads no row."""
        condition = literal(" AND ".join(f"{quoted(copy)} IS NOT NULL" for copy in self._required))
        schema = option("schema", self._table.schema)
        return call("op.add_check", literal(self._check), literal(self._table.name), condition, schema)

    def _over_copies(self, part: IndexShape | KeyShape) -> IndexShape | KeyShape:
        """The same over the copies, under a name of its own as long as both are there."""
        if isinstance(part, IndexShape):
            keys, plain = self._renamed(part.keys), self._renamed(part.names)
            return replace(part, name=_for_now(part.name), keys=keys, names=plain, text="")
        return replace(part, name=_for_now(part.name), columns=self._renamed(part.columns))

    def _key_index(self, key: KeyShape) -> IndexShape:
        columns = self._renamed(key.columns)
        return IndexShape(_for_now(key.name), columns, columns, unique=True)

    def _renamed(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._copies.get(column, column) for column in columns)

    # --- the exchange -----------------------------------------------------------------------------------------

    def exchange(self) -> Piece:
        """The copies take the columns' places and names, in one transaction that writes no row."""
        keys = references(self._table, list(self._copies), self._before)
        statements = [
            self._trigger_is_gone(),
            f"DROP FUNCTION IF EXISTS {self._trigger}()",
            *(key.is_gone for key in keys),
            *self._takes_no_null(),
            *(statement for column in self._columns for statement in self._numbering(column)),
            *(f"ALTER TABLE {self._sql} DROP COLUMN {quoted(name)}" for name in self._copies),
            *(
                f"ALTER TABLE {self._sql} RENAME COLUMN {quoted(copy)} TO {quoted(name)}"
                for name, copy in self._copies.items()
            ),
            *self._names(),
            *(key.is_there for key in keys),
        ]
        return Piece(
            f"let the copies take the place of {self._what}",
            f"values that are no {self._old_types} fit into {self._what} from here on. They are the last of the columns then.",
            (self._in_one_transaction(statements, keys), *(key.is_validated for key in keys)),
            stage=Stage.ROWS,
            irreversible=f"{self._what} may have values by now that are no {self._old_types}",
            loses=f"the copies of {self._what} have the same values",
            is_contract=True,
        )

    def _in_one_transaction(self, statements: Sequence[str], keys: Sequence[Reference]) -> str:
        last = self._columns[-1]
        where = f"attrelid = to_regclass({string(self._sql)}) AND attname = {string(last.name)}"
        seen = f"SELECT format_type(atttypid, NULL) = {string(last.type.lower())} FROM pg_attribute WHERE {where}"
        touched = dict.fromkeys([self._sql, *(table for key in keys for table in key.tables)])
        return call(
            "op.execute",
            "\n".join(literal(f"{statement}; ") for statement in statements),
            f"done_when={literal(seen)}",
            f"tables={names(list(touched))}",
        )

    def _takes_no_null(self) -> Iterator[str]:
        for copy in self._required:
            yield f"ALTER TABLE {self._sql} ALTER COLUMN {quoted(copy)} SET NOT NULL"
        if self._required:
            yield f"ALTER TABLE {self._sql} DROP CONSTRAINT {self._check}"

    def _numbering(self, column: ColumnShape) -> Iterator[str]:
        """What gives new rows their value: a default with its sequence, or an identity that goes on counting."""
        name = self._copies[column.name]
        copy = f"ALTER TABLE {self._sql} ALTER COLUMN {quoted(name)}"
        sequence = verbs.sequence_of(column)
        if sequence is not None and ("sequence", sequence) not in self._before.others:
            yield f"ALTER SEQUENCE {sequence} AS {column.type.lower()} OWNED BY {self._sql}.{quoted(name)}"
        if column.default is not None:
            yield f"{copy} SET DEFAULT {column.default}"
        if column.identity:
            options = dict(column.identity)
            always = "ALWAYS" if options["always"] else "BY DEFAULT"
            yield f"{copy} ADD GENERATED {always} AS IDENTITY (INCREMENT {options['increment']})"
            now, was = (
                f"pg_get_serial_sequence({string(self._sql)}, {string(one)})" for one in (name, column.name)
            )
            yield f"SELECT setval({now}, nextval({was}), false)"

    def _names(self) -> Iterator[str]:
        """What lies over the copies gets the names of what has gone with the columns."""
        for part in self._parts:
            if isinstance(part, IndexShape):
                index = qualified(TableShape(_for_now(part.name), self._table.schema, ()))
                yield f"ALTER INDEX {index} RENAME TO {quoted(part.name)}"
            else:
                renamed = f"RENAME CONSTRAINT {quoted(_for_now(part.name))} TO {quoted(part.name)}"
                yield f"ALTER TABLE {self._sql} {renamed}"
        if self._key is not None:
            using = f"PRIMARY KEY USING INDEX {quoted(self._key_index(self._key).name)}"
            yield f"ALTER TABLE {self._sql} ADD CONSTRAINT {quoted(self._key.name)} {using}"


def _for_now(name: str) -> str:
    return f"{name[: LONGEST_NAME - len('_new')]}_new"
