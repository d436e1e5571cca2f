"""Statements that change many rows, made into pieces that change a thousand at a time."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from nonstop.check.corrections import batches, verbs
from nonstop.check.corrections.batches import RowStatement
from nonstop.check.corrections.pieces import Piece, Stage, add_unless_there, no_key
from nonstop.check.corrections.references import references_to
from nonstop.check.corrections.render import call, literal, slug
from nonstop.check.shapes.difference import parents_first
from nonstop.check.shapes.shape import ColumnShape, Shape, TableShape
from nonstop.databases.postgresql_columns import Column
from nonstop.databases.postgresql_reader import Reader
from nonstop.databases.postgresql_tokens import Name

MOST_ROWS = 50
"""More than that are no matter of a script."""
SET = re.compile(r"\sset\s", re.IGNORECASE)
CONSTANT = re.compile(r"(?:'(?:[^']|'')*'|[-+]?[\d.]+|null|true|false)(?:::[\w ]+)?", re.IGNORECASE)
"""A value by which a row can be found again, unlike ``now()``."""
Filling = Mapping[tuple[str | None, str, str], tuple[tuple[str, str], ...]]
"""For a new column (schema, table, column) the functions that fill it."""


def read(sql: str, before: Shape) -> list[RowStatement]:
    """The statement taken apart; TRUNCATE is a DELETE of everything from each of its tables. Nothing for what can't be done in
    batches."""
    reader, texts = Reader.of(sql), [sql]
    if reader.accept("truncate [table] [only]"):
        emptied = _emptied(reader.names(), before, cascades=reader.has("cascade"))
        texts = [f"DELETE FROM {batches.qualified(table)}" for table in emptied]
    return [one for text in texts if (one := batches.parsed(text))]


def _emptied(named: Sequence[Name], before: Shape, cascades: bool) -> list[TableShape]:
    """The tables that a TRUNCATE empties, each before those that its rows refer to."""
    tables = [table for name in named if (table := before.table_called(name.schema, name.last))]
    for table in tables if cascades else ():  # which grows meanwhile
        referring = [reference.table for reference in references_to(table, before)]
        tables += [one for one in dict.fromkeys(referring) if one not in tables]
    return parents_first(tables)[::-1]


def default_for_a_while(sql: str, after: Shape) -> RowStatement | None:
    """An ADD COLUMN whose default is gone when the script ends, as the UPDATE that it was to the rows which were there."""
    reader = Reader.of(sql)
    if not reader.accept("alter table [if exists] [only]"):
        return None
    owner = reader.name()
    if not reader.accept("add [column] [if not exists]"):
        return None
    column = Column.read(reader)
    default, table = column.clauses.get("default"), after.tables.get((owner.schema, owner.last))
    kept = table.column(column.name) if table else None
    if default is None or kept is None or kept.default is not None:
        return None
    head = f"UPDATE {owner.written} SET {column.written} = {default.source()}"
    condition = f"{column.written} IS NULL"
    return RowStatement("update", owner.schema, owner.last, "", head, condition, (column.name,))


def insertion(sql: str, before: Shape, after: Shape) -> Piece | None:
    """Rows that are given one by one, each inserted where it is not there yet; None for another statement."""
    found = batches.inserted(sql)
    table = after.table_called(found.schema, found.table) if found else None
    if found is None or table is None or len(found.rows) > MOST_ROWS:
        return None
    constant = [
        place
        for place in range(len(found.columns))
        if all(CONSTANT.fullmatch(values[place]) for values in found.rows)
    ]
    of_key = [place for place in constant if found.columns[place] in table.key]
    known = of_key if len(of_key) == len(table.key) > 0 else constant
    if not known:
        return None
    is_new = before.table_called(found.schema, found.table) is None  # then it goes, and its rows with it
    names, there, back = [batches.quoted(column) for column in found.columns], [], []
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
        () if is_new else tuple(back),
    )


def filling(statements: Sequence[RowStatement], before: Shape, after: Shape) -> Filling:
    """The UPDATEs that give values to new columns, and to those that become required, as functions.

    A column of a table without a key has none, but is there.
    """
    found: defaultdict[tuple[str | None, str, str], tuple[tuple[str, str], ...]] = defaultdict(tuple)
    for statement in statements:
        table = before.table_called(statement.schema, statement.table)
        if table is None:
            continue
        is_new = fills_new_columns(statement, before)
        columns = statement.columns[:1] if is_new else _required(statement, table, after)
        for column in columns:
            key = table.schema, table.name, column
            already = found[key]
            found[key] = (*already, _fill_empty(statement, table, column, len(already))) if table.key else ()
    return found


def _required(statement: RowStatement, table: TableShape, after: Shape) -> list[str]:
    """Those of the columns which an UPDATE sets that have to be there afterwards, and had not before."""
    now = after.tables.get((table.schema, table.name))
    return [
        name
        for name in statement.columns
        if now and (was := table.column(name)) and (becomes := now.column(name))
        if was.nullable and not becomes.nullable
    ]


def _fill_empty(statement: RowStatement, table: TableShape, column: str, already: int) -> tuple[str, str]:
    """The name and the code of a function that does what an UPDATE does, where the column has no value yet."""
    owner = f"{statement.alias or batches.qualified(table)}." if statement.is_joined else ""
    empty = f"{owner}{batches.quoted(column)} IS NULL"
    conditions = [batches.in_brackets(statement.condition)] if statement.condition else []
    condition = " AND ".join(conditions + [empty] * (empty not in statement.condition))
    does = f"fill {table.display}.{column}" + f"_{already + 1}" * bool(already)
    return batches.loop(does, table, statement._replace(condition=condition))


def fills_new_columns(statement: RowStatement, before: Shape) -> bool:
    """Whether it is an UPDATE of nothing but columns that the script itself has added."""
    table = before.table_called(statement.schema, statement.table)
    is_update = statement.verb == "update" and bool(statement.columns)
    return is_update and table is not None and not any(map(table.column, statement.columns))


def pieces(statements: Sequence[RowStatement], before: Shape) -> list[Piece]:
    """A piece for each statement that changes or deletes rows that were there before the script."""
    found: list[Piece] = []
    met: Counter[object] = Counter()
    for statement in statements:
        table = before.table_called(statement.schema, statement.table)
        if table is None or changes_key(statement, table):
            continue
        if table.key and fills_new_columns(statement, before):
            continue
        same = statement.verb, table.display, statement.columns
        met[same] += 1
        number = f"_{met[same]}" if met[same] > 1 else ""
        if statement.verb == "delete":
            found.append(_deletion(statement, table, number))
        elif _made_of_itself(statement):
            found += _marked_update(statement, table, number)
        else:
            found.append(_update(statement, table, number))
    return found


def _deletion(statement: RowStatement, table: TableShape, number: str) -> Piece:
    """``number`` tells it from others of the same kind on the same table."""
    lines, functions = _lines(f"delete from {table.display}{number}", statement, table)
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


def _update(statement: RowStatement, table: TableShape, number: str) -> Piece:
    columns = ", ".join(statement.columns) or "rows"
    lines, functions = _lines(f"update {table.display} {columns}{number}", statement, table)
    return Piece(
        f"update {columns} of {table.display}",
        f"the next release reads other values in {columns}.",
        lines,
        stage=Stage.ROWS,
        functions=functions,
        irreversible=f"the former values of {columns} are overwritten",
        is_contract=True,
    )


def _made_of_itself(statement: RowStatement) -> bool:
    """Whether a value is made of its former self, or of another that changes: a second run would do it twice."""
    _, assigned = SET.split(statement.head, maxsplit=1)
    return any(len(re.findall(rf"\b{re.escape(name)}\b", assigned)) > 1 for name in statement.columns)


def _marked_update(statement: RowStatement, table: TableShape, number: str) -> list[Piece]:
    """A column tells which rows are done, from before the first of them until after the last. New rows are done."""
    marker = ColumnShape(slug(f"{'_'.join(statement.columns)}_is_updated{number}"), "BOOLEAN", "Boolean")
    of_new_rows = replace(marker, default="TRUE")
    where, name = f"{table.display}.{marker.name}", batches.quoted(marker.name)
    owner = f"{statement.alias or batches.qualified(table)}." if statement.is_joined else ""
    condition = " AND ".join(
        [batches.in_brackets(statement.condition)] * bool(statement.condition) + [f"{owner}{name} IS NULL"]
    )
    head = SET.sub(f" SET {name} = TRUE, ", statement.head, count=1)
    drop = verbs.on_column("drop_column", table, marker.name)
    add = Piece(
        f"add {where}",
        f"{', '.join(statement.columns)} is made of its former value: {marker.name} tells which rows are done, so that"
        " none is changed twice.",
        (add_unless_there(table, marker), verbs.set_default(table, of_new_rows)),
        (drop,),
    )
    take_away = Piece(
        f"drop {where}",
        "all rows are done.",
        (drop,),
        (verbs.add_column(table, verbs.whole(of_new_rows)),),
        Stage.WHEN_UNUSED,
        loses=f"{marker.name} only told which rows had been updated",
        is_contract=True,
    )
    return [add, _update(statement._replace(head=head, condition=condition), table, number), take_away]


def _lines(does: str, statement: RowStatement, table: TableShape) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if table.key:
        name, code = batches.loop(does, table, statement)
        return (f"{name}()",), (code,)
    where = f" WHERE {statement.condition}" if statement.condition else ""
    return (no_key(table), call("op.execute", literal(statement.head + where))), ()


def changes_key(statement: RowStatement, table: TableShape) -> bool:
    """Whether it gives rows another key: what names them in a batch may not change meanwhile."""
    return bool(set(statement.columns) & set(table.key))
