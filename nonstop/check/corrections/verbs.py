"""What a schema consists of, as calls of ``op``: one that makes it, and one that takes it away."""

from __future__ import annotations

import re

from nonstop.check.corrections.batches import qualified, quoted
from nonstop.check.corrections.render import as_text, call, literal, names, option
from nonstop.check.reflection import mentions
from nonstop.check.shapes.index import IndexShape
from nonstop.check.shapes.shape import (
    CheckShape,
    ColumnShape,
    Constraint,
    ForeignKeyShape,
    KeyShape,
    TableShape,
)
from nonstop.databases.postgresql_statements import needs
from nonstop.descriptions.statements import Fact, Kind

SIMPLE_CAST = re.compile(
    r"('(?:[^']|'')*'|\([-+]?[\d.]+\)|[-+]?[\d.]+|NULL)::[\w\". ]+(?:\(\d+(?:,\d+)?\))?(?:\[\])?"
)
SEQUENCE = re.compile(r"nextval\('(.+?)'(?:::regclass)?\)")
SIZED = re.compile(r"(VARCHAR|NUMERIC)(?:\((\d+)(?:, (\d+))?\))?$")


class NoCorrectionError(Exception):
    """Something is in the difference that can't be said in a script."""


# --- columns -------------------------------------------------------------------------------------------------


def default_of(column: ColumnShape) -> str | None:
    """The default as a person writes it: without the cast to the column's own type."""
    if column.default is None:
        return None
    if sequence_of(column) is not None:
        return column.default.replace("::regclass", "")
    match = SIMPLE_CAST.fullmatch(column.default)
    return match[1].strip("()") if match else column.default


def sequence_of(column: ColumnShape) -> str | None:
    """The sequence that numbers the rows; None where there is none."""
    match = SEQUENCE.fullmatch(column.default or "")
    return match[1] if match else None


def differs_by_row(column: ColumnShape) -> bool:
    """Whether a new column's value would be worked out for each row that is there."""
    if column.identity or column.computed:
        return True
    if column.default is None:
        return False
    ((_, need),) = needs(f"ALTER TABLE t ADD COLUMN c text DEFAULT {default_of(column)}")
    doubts = {condition.fact for condition in need.unless}
    return need.kind is Kind.BLOCKING and (not doubts or Fact.FUNCTION_IS_NOT_VOLATILE in doubts)


def described(column: ColumnShape, *options: str) -> str:
    """``Column("note", String(200), …)`` with ``options`` only."""
    if not column.python:
        raise NoCorrectionError(f"{column.name}: SQLAlchemy does not know its type")
    return call("Column", literal(column.name), column.python, *options)


def whole(column: ColumnShape) -> str:
    """The same with everything that the column has, but for what only a new table may have."""
    default = default_of(column)
    return described(
        column,
        "" if column.nullable else "nullable=False",
        f"server_default={as_text(default)}" if default is not None else "",
    )


def add_column(table: TableShape, description: str) -> str:
    return call("op.add_column", literal(table.name), description, option("schema", table.schema))


def on_column(verb: str, table: TableShape, column: str, *more: str) -> str:
    """``op.drop_column("orders", "note")`` and its kin."""
    return call(f"op.{verb}", literal(table.name), literal(column), *more, option("schema", table.schema))


def set_default(table: TableShape, column: ColumnShape) -> str:
    return on_column("set_default", table, column.name, as_text(default_of(column) or "NULL"))


def default_before(table: TableShape, column: ColumnShape) -> str:
    """What brings a column's default back, or takes away one that it did not have."""
    has_one = column.default is not None
    return set_default(table, column) if has_one else on_column("drop_default", table, column.name)


def create_sequence(table: TableShape, column: ColumnShape) -> str:
    """The sequence behind a column that numbers its rows; it goes with the column."""
    name, owner = sequence_of(column) or "", f"{qualified(table)}.{quoted(column.name)}"
    kind = column.type.lower() if column.type in ("SMALLINT", "INTEGER", "BIGINT") else "bigint"
    return call(
        "op.execute",
        literal(f"CREATE SEQUENCE {name} AS {kind} OWNED BY {owner}"),
        f"done_when={literal(f'SELECT to_regclass({string(name)}) IS NOT NULL')}",
    )


def only_wider(before: str, after: str) -> bool:
    """Whether a change of type is noted in the catalog only: no row is written anew."""
    old, new = SIZED.match(before), SIZED.match(after)
    if old is None:
        return False
    if after == "TEXT":
        return old[1] == "VARCHAR"
    if new is None or new[1] != old[1] or old[2] is None:
        return False
    return new[2] is None or (int(new[2]) >= int(old[2]) and (new[3] or "0") == (old[3] or "0"))


def set_type(table: TableShape, column: ColumnShape) -> tuple[str, ...]:
    """A change of type by SQL, sent where it has not been made.

    A CHECK over the column would be read again for every row under the lock: in the same statement it makes place for one
    that is not validated, which is done afterwards (PostgreSQL manual, "ALTER TABLE").
    """
    checks = [check for check in table.checks if check.name and mentions(check.condition, column.name)]
    actions = [
        *(f"DROP CONSTRAINT {quoted(check.name)}" for check in checks),
        f"ALTER COLUMN {quoted(column.name)} TYPE {column.type}",
        *(
            f"ADD CONSTRAINT {quoted(check.name)} CHECK ({plain(table, check.condition)}) NOT VALID"
            for check in checks
        ),
    ]
    where = f"to_regclass({string(qualified(table))}) AND attname = {string(column.name)}"
    seen = f"SELECT format_type(atttypid, atttypmod) = {_format(column.type)} FROM pg_attribute WHERE attrelid = {where}"
    change = call(
        "op.execute",
        literal(f"ALTER TABLE {qualified(table)} {', '.join(actions)}"),
        f"done_when={literal(seen)}",
        f"tables={names([qualified(table)])}",
    )
    schema = option("schema", table.schema)
    return (
        change,
        *(
            call("op.validate_constraint", literal(check.name), literal(table.name), schema)
            for check in checks
        ),
    )


def _format(type_: str) -> str:
    shown = type_.lower().replace("varchar", "character varying").replace(", ", ",")
    return string(shown)


def string(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# --- indexes and constraints ---------------------------------------------------------------------------------


def create_index(table: TableShape, index: IndexShape) -> str:
    if index.extras:
        return index_by_sql(quoted(index.name), index.text)
    keys = ", ".join(literal(key) if key in index.names else as_text(plain(table, key)) for key in index.keys)
    return call(
        "op.create_index",
        literal(index.name),
        literal(table.name),
        f"[{keys}]",
        "unique=True" if index.unique else "",
        option("where", plain(table, index.where)),
        f"include={names(index.include)}" if index.include else "",
        option("method", index.method if index.method != "btree" else ""),
        option("schema", table.schema),
    )


def index_by_sql(name: str, text: str) -> str:
    """For a collation, an operator class and the like, which the verb has no words for, and for what is no table."""
    head, kind, rest = text.partition(" INDEX ")
    if " USING " not in rest:
        return call("op.execute", literal(f"{head}{kind}IF NOT EXISTS {rest}"))
    return call(
        "op.execute",
        literal(f"{head}{kind}CONCURRENTLY {rest}"),
        f"done_when={literal(f'SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass({string(name)})')}",
        f"undo={literal(f'DROP INDEX CONCURRENTLY IF EXISTS {name}')}",
        "in_transaction=False",
    )


def drop_index(table: TableShape, index: IndexShape) -> str:
    return call("op.drop_index", literal(index.name), literal(table.name), option("schema", table.schema))


def add_constraint(table: TableShape, constraint: Constraint) -> str:
    start = (literal(name_of(table, constraint)), literal(table.name))
    match constraint:
        case KeyShape():
            verb, rest = "add_unique", [names(constraint.columns)]
        case CheckShape():
            verb, rest = "add_check", [literal(plain(table, constraint.condition))]
        case ForeignKeyShape():
            verb, rest = "add_foreign_key", _reference(constraint)
    return call(f"op.{verb}", *start, *rest, option("schema", table.schema))


def _reference(key: ForeignKeyShape) -> list[str]:
    if key.timing:
        raise NoCorrectionError(f"{key.name} is deferrable, which the verb has no word for")
    on_delete, on_update = key.own_actions
    return [
        names(key.columns),
        literal(key.referred_table),
        names(key.referred_columns),
        option("on_delete", on_delete),
        option("on_update", on_update),
        option("referred_schema", key.referred_schema),
    ]


def add_primary_key(table: TableShape, key: KeyShape) -> str:
    name = key.name or f"{table.name}_pkey"
    return call(
        "op.add_primary_key",
        literal(name),
        literal(table.name),
        names(key.columns),
        option("schema", table.schema),
    )


def drop_constraint(table: TableShape, name: str) -> str:
    if not name:
        raise NoCorrectionError(f"a constraint of {table.display} has no name to drop it by")
    return call("op.drop_constraint", literal(name), literal(table.name), option("schema", table.schema))


def name_of(table: TableShape, constraint: Constraint) -> str:
    """Its name, or one after what it is."""
    match constraint:
        case CheckShape():
            columns = [column.name for column in table.columns if mentions(constraint.condition, column.name)]
            kind = "ck"
        case KeyShape():
            columns, kind = list(constraint.columns), "uq"
        case ForeignKeyShape():
            columns, kind = list(constraint.columns), "fk"
    return constraint.name or "_".join([kind, table.name, *columns])


def bare(sql: str) -> str:
    """Without the brackets around the whole."""
    inside = sql[1:-1]
    if not (sql.startswith("(") and sql.endswith(")")):
        return sql
    depth = 0
    for character in inside:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return sql
    return inside


def plain(table: TableShape, sql: str) -> str:
    """A condition or an expression as a person writes it: PostgreSQL shows a cast wherever it compares a VARCHAR."""
    found = bare(sql)
    for column in table.columns:
        if column.type.startswith(("VARCHAR", "TEXT")):
            name = re.escape(quoted(column.name))
            found = re.sub(rf"\({name}\)::text|(?<![\w.\"]){name}::text", quoted(column.name), found)
    found = re.sub(r"('(?:[^']|'')*')::(?:text|character varying)\b(?!\[|\()", r"\1", found)
    return bare(
        re.sub(r"\(([-\d.]+)\)::(?:numeric|double precision|bigint)|\b([\d.]+)::numeric\b", r"\1\2", found)
    )
