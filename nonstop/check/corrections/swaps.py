"""A larger integer for a column, of a key or not: a copy beside it, which a trigger keeps up to date, takes its place.

Code that reads and writes the column need not know: whatever fits the old type fits the new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nonstop.check.corrections import verbs
from nonstop.check.corrections.batches import qualified, quoted
from nonstop.check.corrections.moves import copied, made
from nonstop.check.corrections.pieces import Piece, Stage, filled
from nonstop.check.corrections.render import call, literal, names, option, slug
from nonstop.check.corrections.verbs import NoCorrectionError, mentions, string
from nonstop.check.shapes.changes import ReplacedColumn
from nonstop.check.shapes.index import IndexShape
from nonstop.check.shapes.shape import ForeignKeyShape, KeyShape, Shape, TableShape

INTEGERS = ("SMALLINT", "INTEGER", "BIGINT")


def can_be_swapped(change: ReplacedColumn, before: Shape) -> bool:
    """Whether it is a larger integer, on a database where a copy can take the column's place in an instant."""
    old, new = change.before.type, change.after.type
    is_larger = old in INTEGERS and new in INTEGERS and INTEGERS.index(old) < INTEGERS.index(new)
    return before.alters_in_place and not change.is_renamed and is_larger


def swapped(change: ReplacedColumn, before: Shape) -> list[Piece]:
    """The copy, and the exchange: two scripts, with no deployment between them.

    Raises NoCorrectionError where something hangs on the column that the copy can't take over.
    """
    for what in _hanging_on(change, before):
        raise NoCorrectionError(f"{what} hangs on {change.table.display}.{change.before.name}")
    swap = _Swap(change, before)
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
    """One column, its copy, and what belongs to them."""

    def __init__(self, change: ReplacedColumn, before: Shape) -> None:
        self._table, self._old, self._new = change.table, change.before, change.after
        self._copy = replace(
            change.after, name=f"new_{change.after.name}", default=None, identity=(), nullable=True
        )
        self._where, self._sql = f"{self._table.display}.{self._old.name}", qualified(self._table)
        # Triggers fire in the order of their names: this one sees what the others have made of the row.
        self._trigger = f"z_copy_{slug(self._table.name)}_{slug(self._old.name)}"
        self._parts = [
            (part, copied(self._table, part, self._new.name, self._old.name, self._copy.name))
            for part in change.belongings
            if isinstance(part, IndexShape | KeyShape)
        ]
        key = self._table.primary_key
        self._key = key if key is not None and self._old.name in key.columns else None
        self._references = _references(self._table, self._old.name, before)
        self._others = before.others
        self._check = f"ck_{slug(self._trigger)}"

    # --- the copy ---------------------------------------------------------------------------------------------

    def copy(self) -> Piece:
        """The copy has the column's value in each row, and what lies over the column lies over it too."""
        table, name = self._table, self._copy.name
        fill, functions = filled(table, name, quoted(self._old.name))
        return Piece(
            f"copy {self._where} into {name}",
            f"{self._where} becomes {self._new.type}. To change the type in place, everybody would wait while each row is"
            " written anew: a column of that type is filled beside it, and takes its place in an instant.",
            (
                verbs.add_column(table, verbs.described(self._copy)),
                call("op.execute", literal(self._function())),
                self._alter(self._trigger_is_there()),
                *fill,
                *(made(table, copy) for _, copy in self._parts),
                verbs.create_index(table, self._key_index(self._key)) if self._key else "",
                "" if self._new.nullable else self._is_filled(),
            ),
            (
                self._alter(self._trigger_is_gone()),
                call("op.execute", literal(f"DROP FUNCTION IF EXISTS {self._trigger}()")),
                verbs.on_column("drop_column", table, name),
            ),
            functions=functions,
        )

    def _is_filled(self) -> str:
        """A validated CHECK, so that the exchange finds NOT NULL proven and reads no row."""
        condition = literal(f"{quoted(self._copy.name)} IS NOT NULL")
        schema = option("schema", self._table.schema)
        return call("op.add_check", literal(self._check), literal(self._table.name), condition, schema)

    def _alter(self, statement: str) -> str:
        return call("op.execute", literal(statement), f"tables={names([self._sql])}")

    def _function(self) -> str:
        copy, old = quoted(self._copy.name), quoted(self._old.name)
        body = f"BEGIN NEW.{copy} := NEW.{old}; RETURN NEW; END"
        return f"CREATE OR REPLACE FUNCTION {self._trigger}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"

    def _trigger_is_there(self) -> str:
        made = f"CREATE OR REPLACE TRIGGER {self._trigger} BEFORE INSERT OR UPDATE ON {self._sql}"
        return f"{made} FOR EACH ROW EXECUTE FUNCTION {self._trigger}()"

    def _trigger_is_gone(self) -> str:
        return f"DROP TRIGGER IF EXISTS {self._trigger} ON {self._sql}"

    def _key_index(self, key: KeyShape) -> IndexShape:
        columns = tuple(self._copy.name if name == self._old.name else name for name in key.columns)
        return IndexShape(f"{key.name}_{self._copy.name}", columns, columns, unique=True)

    # --- the exchange -----------------------------------------------------------------------------------------

    def exchange(self) -> Piece:
        """The copy takes the column's place and name, in one transaction that writes no row."""
        statements = [
            self._trigger_is_gone(),
            f"DROP FUNCTION IF EXISTS {self._trigger}()",
            *(
                f"ALTER TABLE {qualified(table)} DROP CONSTRAINT {quoted(key.name)}"
                for table, key in self._references
            ),
            *([] if self._new.nullable else self._required()),
            *self._numbering(),
            f"ALTER TABLE {self._sql} DROP COLUMN {quoted(self._old.name)}",
            f"ALTER TABLE {self._sql} RENAME COLUMN {quoted(self._copy.name)} TO {quoted(self._old.name)}",
            *self._names(),
            *(
                f"ALTER TABLE {qualified(table)} ADD {_foreign_key(key, _ends(table, key)[1])} NOT VALID"
                for table, key in self._references
            ),
        ]
        touched = dict.fromkeys(
            [self._sql, *(name for table, key in self._references for name in _ends(table, key))]
        )
        where = f"attrelid = to_regclass({string(self._sql)}) AND attname = {string(self._old.name)}"
        kind = string(self._new.type.lower())
        return Piece(
            f"let the copy take the place of {self._where}",
            f"values that are no {self._old.type} fit into {self._where} from here on. It is the last of the columns then.",
            (
                call(
                    "op.execute",
                    "\n".join(literal(f"{statement}; ") for statement in statements),
                    f"done_when={literal(f'SELECT format_type(atttypid, NULL) = {kind} FROM pg_attribute WHERE {where}')}",
                    f"tables={names(list(touched))}",
                ),
                *(
                    call(
                        "op.validate_constraint",
                        literal(key.name),
                        literal(table.name),
                        option("schema", table.schema),
                    )
                    for table, key in self._references
                ),
            ),
            stage=Stage.ROWS,
            irreversible=f"{self._where} may have values by now that are no {self._old.type}",
            loses=f"the copy of {self._where} has the same values",
            is_contract=True,
        )

    def _required(self) -> tuple[str, str]:
        return (
            f"ALTER TABLE {self._sql} ALTER COLUMN {quoted(self._copy.name)} SET NOT NULL",
            f"ALTER TABLE {self._sql} DROP CONSTRAINT {self._check}",
        )

    def _numbering(self) -> Iterator[str]:
        """What gives new rows their value: a default with its sequence, or an identity that goes on counting."""
        copy = f"ALTER TABLE {self._sql} ALTER COLUMN {quoted(self._copy.name)}"
        sequence = verbs.sequence_of(self._new)
        if sequence is not None and ("sequence", sequence) not in self._others:
            owner = f"{self._sql}.{quoted(self._copy.name)}"
            yield f"ALTER SEQUENCE {sequence} AS {self._new.type.lower()} OWNED BY {owner}"
        if self._new.default is not None:
            yield f"{copy} SET DEFAULT {self._new.default}"
        if self._new.identity:
            options = dict(self._new.identity)
            always = "ALWAYS" if options.get("always") else "BY DEFAULT"
            yield f"{copy} ADD GENERATED {always} AS IDENTITY (INCREMENT {options.get('increment', 1)})"
            now, was = (
                f"pg_get_serial_sequence({string(self._sql)}, {string(name)})"
                for name in (self._copy.name, self._old.name)
            )
            yield f"SELECT setval({now}, nextval({was}))"

    def _names(self) -> Iterator[str]:
        """What lies over the copy gets the names of what has gone with the column."""
        for part, copy in self._parts:
            if isinstance(part, IndexShape):
                schema = f"{quoted(self._table.schema)}." if self._table.schema else ""
                yield f"ALTER INDEX {schema}{quoted(copy.name)} RENAME TO {quoted(part.name)}"
            else:
                constraint = f"RENAME CONSTRAINT {quoted(copy.name)} TO {quoted(part.name)}"
                yield f"ALTER TABLE {self._sql} {constraint}"
        if self._key is not None:
            using = f"PRIMARY KEY USING INDEX {quoted(self._key_index(self._key).name)}"
            yield f"ALTER TABLE {self._sql} ADD CONSTRAINT {quoted(self._key.name)} {using}"


def _references(table: TableShape, column: str, before: Shape) -> list[tuple[TableShape, ForeignKeyShape]]:
    """The foreign keys that the column is in, at either end, each with its table."""
    return [
        (other, key)
        for other in before.tables.values()
        for key in other.foreign_keys
        if (other == table and column in key.columns)
        or (
            (key.referred_schema, key.referred_table) == (table.schema, table.name)
            and column in key.referred_columns
        )
    ]


def _ends(table: TableShape, key: ForeignKeyShape) -> tuple[str, str]:
    """Both tables of a foreign key, as in SQL."""
    referred = TableShape(key.referred_table, key.referred_schema, ())
    return qualified(table), qualified(referred)


def _foreign_key(key: ForeignKeyShape, referred: str) -> str:
    columns, targets = (", ".join(map(quoted, some)) for some in (key.columns, key.referred_columns))
    return (
        f"CONSTRAINT {quoted(key.name)} FOREIGN KEY ({columns}) REFERENCES {referred} ({targets})"
        f" ON DELETE {key.on_delete} ON UPDATE {key.on_update}{key.timing}"
    )
