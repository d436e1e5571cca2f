"""Whole tables, types and views as calls of ``op``."""

from __future__ import annotations

import re

from nonstop.check.corrections.batches import quoted
from nonstop.check.corrections.render import as_text, call, literal, names, option
from nonstop.check.corrections.verbs import (
    NoCorrectionError,
    create_index,
    default_of,
    described,
    plain,
    sequence_of,
    string,
)
from nonstop.check.shapes.shape import ColumnShape, ForeignKeyShape, Owner, TableShape


def create_table(table: TableShape) -> list[str]:
    """The table, then its indexes."""
    if table.is_partitioned:
        raise NoCorrectionError(f"{table.display} is partitioned")
    key = table.primary_key
    is_usual = key is None or key.name in ("", f"{table.name}_pkey")
    items = [
        _column_of_table(
            column,
            is_usual and key is not None and column.name in key.columns,
            key is not None and key.columns == (column.name,),
        )
        for column in table.columns
    ]
    if key is not None and not is_usual:
        items.append(call("PrimaryKeyConstraint", *map(literal, key.columns), option("name", key.name)))
    items += [
        call("UniqueConstraint", *map(literal, unique.columns), option("name", unique.name))
        for unique in table.uniques
    ]
    items += [
        call("CheckConstraint", literal(plain(table, check.condition)), option("name", check.name))
        for check in table.checks
    ]
    for reference in table.foreign_keys:
        target = ".".join(filter(None, [reference.referred_schema, reference.referred_table]))
        on_delete, on_update = reference.own_actions
        items.append(
            call(
                "ForeignKeyConstraint",
                names(reference.columns),
                names([f"{target}.{column}" for column in reference.referred_columns]),
                option("name", reference.name),
                option("ondelete", on_delete),
                option("onupdate", on_update),
                *_deferral(reference),
            )
        )
    made = call("op.create_table", literal(table.name), *items, option("schema", table.schema))
    return [made, *(create_index(table, index) for index in table.indexes)]


def _deferral(reference: ForeignKeyShape) -> list[str]:
    if not reference.timing:
        return []
    return ["deferrable=True", option("initially", reference.timing.rpartition(" ")[2])]


def _column_of_table(column: ColumnShape, is_key: bool, is_whole_key: bool) -> str:
    is_numbered = sequence_of(column) is not None
    is_plain_number = column.type in ("INTEGER", "BIGINT", "SMALLINT") and not column.numbers_rows
    default = None if is_numbered else default_of(column)
    identity = f"Identity(always={dict(column.identity).get('always')})" if column.identity else ""
    return described(
        column,
        "primary_key=True" if is_key else "",
        "autoincrement=False" if is_whole_key and is_plain_number else "",
        "Identity(always=False)" if is_numbered and not is_key else identity,
        f"Computed({literal(column.computed)})" if column.computed else "",
        _nullability(column, is_key),
        f"server_default={as_text(default)}" if default is not None else "",
    )


def _nullability(column: ColumnShape, is_key: bool) -> str:
    """What differs from the usual: a key has values in all rows, but on SQLite it need not; other columns need none."""
    return f"nullable={column.nullable}" if column.nullable == is_key else ""


def drop_table(table: TableShape) -> str:
    return call("op.drop_table", literal(table.name), option("schema", table.schema))


def create_enum(owner: Owner, values: tuple[str, ...]) -> str:
    name = owned(owner)
    listed = ", ".join(map(string, values))
    return call(
        "op.execute",
        literal(f"CREATE TYPE {name} AS ENUM ({listed})"),
        f"done_when={literal(f'SELECT to_regtype({string(name)}) IS NOT NULL')}",
    )


def drop_enum(owner: Owner) -> str:
    return call("op.execute", literal(f"DROP TYPE IF EXISTS {owned(owner)}"))


def create_view(owner: Owner, definition: str, alters_in_place: bool) -> str:
    """A view; SQLite keeps the whole statement, PostgreSQL the query."""
    query = definition.rstrip(";")
    if alters_in_place:
        return call("op.execute", literal(f"CREATE OR REPLACE VIEW {owned(owner)} AS {query}"))
    return call("op.execute", literal(re.sub(r"(?i)^create\s+view\s+", "CREATE VIEW IF NOT EXISTS ", query)))


def drop_view(owner: Owner) -> str:
    return call("op.execute", literal(f"DROP VIEW IF EXISTS {owned(owner)}"))


def owned(owner: Owner) -> str:
    schema, name = owner
    return f"{quoted(schema)}.{quoted(name)}" if schema else quoted(name)
