"""Statements that change many rows, made into pieces that change a thousand at a time."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from nonstop.check.corrections import batches
from nonstop.check.corrections.batches import RowStatement
from nonstop.check.corrections.pieces import Piece, Stage, no_key
from nonstop.check.corrections.render import call, literal
from nonstop.check.shapes.shape import Shape, TableShape
from nonstop.databases.postgresql_reader import Reader

MOST_ROWS = 50
"""More than that are no matter of a script."""
Filling = Mapping[tuple[str | None, str, str], tuple[tuple[str, str], ...]]
"""For a new column (schema, table, column) the functions that fill it."""


def read(sql: str) -> RowStatement | None:
    """The statement taken apart; TRUNCATE is a DELETE of everything. None for what can't be done in batches."""
    reader = Reader.of(sql)
    if reader.accept("truncate [table]"):
        reader.accept("[only]")
        table = reader.name().written
        return batches.parsed(f"DELETE FROM {table}")
    return batches.parsed(sql)


def insertion(sql: str, shape: Shape) -> Piece | None:
    """Rows that are given one by one, each inserted where it is not there yet; None for another statement."""
    found = batches.inserted(sql)
    table = shape.tables.get((found.schema, found.table)) if found else None
    if found is None or table is None or len(found.rows) > MOST_ROWS:
        return None
    names, there, back = [batches.quoted(column) for column in found.columns], [], []
    known = [place for place, column in enumerate(found.columns) if column in table.key]
    known = known if len(known) == len(table.key) > 0 else list(range(len(names)))
    for values in found.rows:
        same = " AND ".join(
            f"{names[place]} IS NULL"
            if values[place].upper() == "NULL"
            else f"{names[place]} = {values[place]}"
            for place in known
        )
        name, columns = batches.qualified(table), ", ".join(names)
        missing = f"NOT EXISTS (SELECT 1 FROM {name} WHERE {same})"
        insert = f"INSERT INTO {name} ({columns}) SELECT {', '.join(values)} WHERE {missing}"
        there.append(call("op.execute", literal(insert)))
        back.append(call("op.execute", literal(f"DELETE FROM {name} WHERE {same}")))
    return Piece(
        f"insert {len(found.rows)} rows into {table.display}",
        f"the next release finds them in {table.display}.",
        tuple(there),
        tuple(back),
    )


def filling(statements: Sequence[RowStatement | None], before: Shape, after: Shape) -> Filling:
    """The UPDATEs that give new columns their values, as functions."""
    found: defaultdict[tuple[str | None, str, str], tuple[tuple[str, str], ...]] = defaultdict(tuple)
    for statement in statements:
        if statement is None or not (table := _table(statement, before)) or not table.key:
            continue
        if fills_new_columns(statement, before):
            column = statement.columns[0]
            owner = f"{statement.alias or batches.qualified(table)}." if statement.is_joined else ""
            empty = f"{owner}{batches.quoted(column)} IS NULL"
            conditions = [batches.in_brackets(statement.condition)] if statement.condition else []
            condition = " AND ".join(conditions + [empty] * (empty not in statement.condition))
            does = f"fill {table.display}.{column}"
            function = batches.loop(does, table, statement._replace(condition=condition))
            found[table.schema, table.name, column] += (function,)
    return found


def fills_new_columns(statement: RowStatement, before: Shape) -> bool:
    """Whether it is an UPDATE of nothing but columns that the script itself has added."""
    table = _table(statement, before)
    is_update = statement.verb == "update" and bool(statement.columns)
    return is_update and table is not None and not any(map(table.column, statement.columns))


def pieces(statements: Sequence[RowStatement | None], before: Shape, already: Filling) -> list[Piece]:
    """A piece for each statement that changes or deletes rows that were there before the script."""
    found = []
    for statement in statements:
        table = _table(statement, before) if statement is not None else None
        if statement is None or table is None:
            continue
        if table.key and (fills_new_columns(statement, before) or set(statement.columns) & set(table.key)):
            continue
        found.append(_deletion(statement, table) if statement.verb == "delete" else _update(statement, table))
    return found


def _deletion(statement: RowStatement, table: TableShape) -> Piece:
    lines, functions = _lines(f"delete from {table.display}", statement, table)
    what = f"rows of {table.display}" + (f" where {statement.condition}" if statement.condition else "")
    return Piece(
        f"delete {what}",
        f"nobody needs these {table.display} any longer.",
        lines,
        stage=Stage.ROWS,
        functions=functions,
        irreversible=f"the {what} are deleted",
        loses=f"nobody needs these rows of {table.display} any longer",
        is_contract=True,
    )


def _update(statement: RowStatement, table: TableShape) -> Piece:
    columns = ", ".join(statement.columns) or "rows"
    lines, functions = _lines(f"update {table.display} {columns}", statement, table)
    return Piece(
        f"update {columns} of {table.display}",
        f"the next release reads other values in {columns}.",
        lines,
        stage=Stage.ROWS,
        functions=functions,
        note=_once(statement),
        irreversible=f"the former values of {columns} are overwritten",
        is_contract=True,
    )


def _once(statement: RowStatement) -> str:
    """A warning, where a value is made of its former self."""
    _, _, assigned = statement.head.partition(" = ")
    grows = [name for name in statement.columns if re.search(rf"\b{re.escape(name)}\b", assigned)]
    if not grows:
        return ""
    return (
        f"Run it once: {', '.join(grows)} is made of its former value, and nothing tells which rows are done."
    )


def _lines(does: str, statement: RowStatement, table: TableShape) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if table.key:
        name, code = batches.loop(does, table, statement)
        return (f"{name}()",), (code,)
    where = f" WHERE {statement.condition}" if statement.condition else ""
    return (no_key(table), call("op.execute", literal(statement.head + where))), ()


def _table(statement: RowStatement, shape: Shape) -> TableShape | None:
    """The table as it was before; a name without a schema may be that of the only one that has it."""
    owner = (statement.schema, statement.table)
    if owner in shape.tables:
        return shape.tables[owner]
    named = [table for (_, name), table in shape.tables.items() if name == statement.table]
    return named[0] if len(named) == 1 else None
