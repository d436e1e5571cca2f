"""The names that PostgreSQL gives to what has none, so that a statement of ours can name it beforehand.

The server adds a number if the name is taken; that can't be known here.
"""

from __future__ import annotations

import json

from nonstop.databases.postgresql_reader import Reader
from nonstop.databases.postgresql_tokens import Sort, words

LONGEST_NAME = 63  # bytes
_NOT_A_COLUMN = words("""
    and any array between case cast collate current_date current_time current_timestamp current_user distinct else end
    exists false from ilike in interval is isnull like not notnull null or row similar some then to true user when
    """)


def chosen_name(table: str, addition: str, label: str) -> str:
    """``orders``, ``car_id``, ``fkey`` give ``orders_car_id_fkey``: the longer part gives way where it is too long."""
    parts = [table.encode(), addition.encode()]
    room = LONGEST_NAME - len(label.encode()) - 1 - bool(addition)
    while sum(map(len, parts)) > room:
        longer = 0 if len(parts[0]) > len(parts[1]) else 1
        parts[longer] = parts[longer][:-1]
    texts = [part.decode(errors="ignore") for part in parts]
    return "_".join(text for text in [*texts, label] if text)


def index_addition(columns: Reader) -> tuple[str, bool]:
    """What the columns of an index contribute to its name; False where an expression makes that uncertain."""
    names: list[str] = []
    is_certain = True
    for clause in columns.clauses():
        is_certain &= clause.peek().symbol != "("
        plain = name = clause.name().last or "expr"
        number = 0
        while name in names:
            number += 1
            name = f"{plain}{number}"
        names.append(name)
    return "_".join(names), is_certain


def check_addition(condition: Reader) -> tuple[str, bool]:
    """The column that a condition is about, if it is only one; False where its text does not tell what is a column."""
    columns: dict[str, None] = {}
    is_certain = True
    for token, following in zip(condition.tokens, [*condition.tokens[1:], None], strict=True):
        if token.symbol in ("::", ".") or token.word == "collate":
            is_certain = False
        if token.sort not in (Sort.WORD, Sort.QUOTED) or token.word in _NOT_A_COLUMN:
            continue
        if following is not None:  # it may be a function, or a type before its value
            is_operator = following.sort is Sort.SYMBOL and following.symbol != "("
            is_certain &= is_operator or following.word in _NOT_A_COLUMN
        columns[token.value] = None
    return (next(iter(columns)) if len(columns) == 1 else ""), is_certain


def op(verb: str, *arguments: str | list[str], schema: str | None = None) -> str:
    """The line of a script that calls this verb."""
    shown = [json.dumps(argument, ensure_ascii=False) for argument in arguments]
    shown += [f"schema={json.dumps(schema, ensure_ascii=False)}"] if schema else []
    return f"op.{verb}({', '.join(shown)})"
