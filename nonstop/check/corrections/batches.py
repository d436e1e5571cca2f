"""Changes of many rows as loops over the table's key, a thousand rows to a transaction."""

from __future__ import annotations

import re
from textwrap import indent
from typing import NamedTuple

from sqlalchemy.dialects.postgresql.base import PGDialect

from nonstop.check.corrections import render
from nonstop.check.shapes.shape import TableShape
from nonstop.databases.postgresql_reader import Reader
from nonstop.databases.postgresql_tokens import Sort, Token

_quote = PGDialect().identifier_preparer.quote  # type: ignore[no-untyped-call]
BATCH = 1000
RANGE = re.compile(r" AND [\w.\"]+ ?[<>]=? ?(?:%\(\w+\)s|%s|:\w+|\?|\$\d+)(?:::[\w ]+?)?(?= AND |$)")
AND = re.compile(r"^ AND ")
LOOP = '''\
def {function}():
    """{does}, a thousand rows at a time; each batch is committed, so that nobody waits for long."""
    first_keys = {first}
    next_keys = {following}
    change = {change}
    batch = {{}}
    while True:
        with {engine}.begin() as connection:
            keys = connection.execute(next_keys if batch else first_keys, batch).all()
            if not keys:
                return
            batch = {batch}
            connection.execute(change, batch)'''


class RowStatement(NamedTuple):
    """An UPDATE or DELETE taken apart. ``head`` is its text before WHERE, ``alias`` what its rows go by in it."""

    verb: str
    schema: str | None
    table: str
    alias: str
    head: str
    condition: str
    columns: tuple[str, ...] = ()
    is_joined: bool = False


def quoted(name: str) -> str:
    return str(_quote(name))


def qualified(table: TableShape) -> str:
    """A table's name as it stands in SQL."""
    return f"{quoted(table.schema)}.{quoted(table.name)}" if table.schema else quoted(table.name)


def fill(table: TableShape, column: str, expression: str) -> tuple[str, str]:
    """The name and the code of a function that gives a column its value in the rows that have none."""
    head = f"UPDATE {qualified(table)} SET {quoted(column)} = {expression}"
    statement = RowStatement("update", table.schema, table.name, "", head, f"{quoted(column)} IS NULL")
    return loop(f"fill {table.display}.{column}", table, statement)


def loop(does: str, table: TableShape, statement: RowStatement) -> tuple[str, str]:
    """The name and the code of a function that carries out ``statement`` in batches. The table must have a key."""
    parameters = [f"_{render.slug(column)}" if len(table.key) > 1 else "" for column in table.key]
    keys = ", ".join(map(quoted, table.key))
    rows = statement.alias or qualified(table)
    prefix = f"{rows}." if statement.is_joined else ""

    def compare(prefix: str, operator: str, which: str) -> str:
        columns = ", ".join(prefix + quoted(column) for column in table.key)
        values = ", ".join(f":{which}{parameter}" for parameter in parameters)
        return (
            f"{columns} {operator} {values}" if len(table.key) == 1 else f"({columns}) {operator} ({values})"
        )

    select, order = f"SELECT {keys} FROM {qualified(table)}", f"ORDER BY {keys} LIMIT {BATCH}"
    conditions = [compare(prefix, ">=", "first"), compare(prefix, "<=", "last")]
    if statement.condition:
        conditions.append(in_brackets(render.escaped(statement.condition)))
    items = [
        f'"{which}{parameter}": keys[{row}][{place}]'
        for which, row in (("first", 0), ("last", -1))
        for place, parameter in enumerate(parameters)
    ]
    function = render.slug(does)
    code = LOOP.format(
        function=function,
        does=does[:1].upper() + does[1:],
        engine=render.ENGINE,
        first=_text(f"{select} {order}"),
        following=_text(f"{select} WHERE {compare('', '>', 'last')} {order}"),
        change=_text(f"{render.escaped(statement.head)} WHERE {' AND '.join(conditions)}"),
        batch="{" + ", ".join(items) + "}" if len(items) == 2 else _block(items),
    )
    return function, code


def _text(sql: str) -> str:
    """SQL whose parameters are ours, inside a function."""
    return indent(render.call("text", render.literal(sql)), "    ").lstrip()


def _block(items: list[str]) -> str:
    return "{\n" + indent(",\n".join(items), " " * 16) + ",\n" + " " * 12 + "}"


def in_brackets(condition: str) -> str:
    reader = Reader.of(condition)
    needs_them = any(token.word == "or" and token.depth == 0 for token in reader.tokens)
    return f"({condition})" if needs_them else condition


def parsed(sql: str) -> RowStatement | None:
    """The statement taken apart; None for another one, and where its values came as parameters or it is nested."""
    reader = Reader.of(sql)
    found = None
    if reader.accept("update [only]"):
        found = _update(reader)
    elif reader.accept("delete from [only]"):
        found = _delete(reader)
    if found is not None:
        # What a loop of the script's own has sent: its range is not ours.
        found = found._replace(condition=AND.sub("", RANGE.sub("", f" AND {found.condition}")))
        for part in (found.head, found.condition):
            if _has_parameters(part, Reader.of(part).tokens):
                return None
    return found


class InsertedRows(NamedTuple):
    """An INSERT of values, as they stand in it."""

    schema: str | None
    table: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def inserted(sql: str) -> InsertedRows | None:
    """An ``INSERT INTO t (…) VALUES (…), (…)``, or ``SELECT`` of plain values, taken apart; None for another statement, and
    for one with parameters."""
    reader = Reader.of(sql)
    if _has_parameters(sql, reader.tokens) or not reader.accept("insert into"):
        return None
    name = reader.name()
    columns = tuple(column.last for column in reader.brackets().names())
    if not columns:
        return None
    if reader.accept("select"):
        rows = [_selected(reader)]
    elif reader.accept("values"):
        rows = [tuple(value.source() for value in reader.brackets().clauses())]
        while reader.peek().symbol == ",":
            reader.position += 1
            rows.append(tuple(value.source() for value in reader.brackets().clauses()))
    else:
        return None
    fits = all(len(row) == len(columns) and "default" not in map(str.lower, row) for row in rows)
    return InsertedRows(name.schema, name.last, columns, tuple(rows)) if fits else None


def _selected(reader: Reader) -> tuple[str, ...]:
    """The values of a SELECT that reads no table in its list; empty for another one."""
    if reader.has("from"):
        return ()
    ends_at = next((token.start for token in reader.rest.tokens if token.word == "where"), reader.end)
    listed = [token for token in reader.rest.tokens if token.start < ends_at]
    return tuple(value.source() for value in Reader(reader.text, listed).clauses())


def _update(reader: Reader) -> RowStatement | None:
    name, alias = reader.name(), _alias(reader, "set")
    if not name.last or not reader.accept("set"):
        return None
    columns = _assigned(reader)
    head, condition, is_joined = _taken_apart(reader, "from")
    return RowStatement("update", name.schema, name.last, alias, head, condition, columns, is_joined)


def _delete(reader: Reader) -> RowStatement | None:
    name, alias = reader.name(), _alias(reader, "using", "where", "returning")
    if not name.last:
        return None
    head, condition, is_joined = _taken_apart(reader, "using")
    return RowStatement("delete", name.schema, name.last, alias, head, condition, (), is_joined)


def _alias(reader: Reader, *following: str) -> str:
    if reader.accept("as") or (
        reader.peek().sort in (Sort.WORD, Sort.QUOTED) and reader.peek().word not in following
    ):
        return reader.name().written
    return ""


def _assigned(reader: Reader) -> tuple[str, ...]:
    """The columns that come before a ``=`` in the clauses of SET."""
    found = []
    for clause in reader.rest.clauses():
        listed = clause.brackets().names() if clause.peek().symbol == "(" else [clause.name()]
        if clause.peek().symbol == "=":
            found += [name.last for name in listed]
    return tuple(found)


def _taken_apart(reader: Reader, join: str) -> tuple[str, str, bool]:
    """What comes before WHERE, what comes after it (without RETURNING), and whether other tables take part."""
    is_joined = reader.has(join)
    where = next((t for t in reader.rest.tokens if t.depth == 0 and t.word == "where"), None)
    returning = next((t for t in reader.rest.tokens if t.depth == 0 and t.word == "returning"), None)
    end = returning.start if returning else reader.end
    head = [token for token in reader.tokens if token.start < (where.start if where else end)]
    condition = [token for token in reader.tokens if where and where.end <= token.start < end]
    return _tidy(reader.text, head), _tidy(reader.text, condition), is_joined


def _tidy(text: str, tokens: list[Token]) -> str:
    """The text of ``tokens`` on one line, without comments; strings stay as they are."""
    pieces, end = [], tokens[0].start if tokens else 0
    for token in tokens:
        pieces += [" "] * (token.start > end) + [text[token.start : token.end]]
        end = token.end
    return "".join(pieces)


def _has_parameters(sql: str, tokens: list[Token]) -> bool:
    for index, token in enumerate(tokens):
        following = sql[token.end : token.end + 1]
        if token.symbol == "?" or (token.sort is Sort.NUMBER and token.value.startswith("$")):
            return True
        if token.symbol == "%" and following in ("s", "("):
            return True
        if token.symbol == ":" and index + 1 < len(tokens) and tokens[index + 1].sort is Sort.WORD:
            return True
    return False
