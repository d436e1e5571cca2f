"""Reads and changes the text of a CREATE TABLE, which is where SQLite keeps what a table is.

The text is never written anew: a change touches the words that it is about and leaves every other character, so that
nothing that we know nothing of can get lost (a collation, a generated column, a conflict clause, a comment).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)|(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])"""
    r"""|(?P<word>[\w$]+(?:\.\d+)?)|(?P<other>.)""",
    re.DOTALL,
)
TABLE_CONSTRAINTS = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}
CLAUSES = {
    "CONSTRAINT",
    "PRIMARY",
    "NOT",
    "NULL",
    "UNIQUE",
    "CHECK",
    "DEFAULT",
    "COLLATE",
    "REFERENCES",
    "GENERATED",
    "AS",
}
CONTINUED_BY = {("NOT", "NULL"), ("SET", "NULL"), ("SET", "DEFAULT"), ("ALWAYS", "AS")}
"""Pairs whose second word begins no clause of its own."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or everything between brackets with the brackets. ``start`` and ``end`` are places in the text."""

    text: str
    start: int
    end: int

    @property
    def keyword(self) -> str:
        return self.text.upper()

    @property
    def name(self) -> str:
        """The name that it writes, without quotes."""
        return unquoted(self.text)


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a column's or table's definition, such as ``CONSTRAINT c CHECK (a > 0)``; ``kind`` is CHECK."""

    tokens: tuple[Token, ...]

    @property
    def label(self) -> str:
        """The name that CONSTRAINT gives it; empty without one."""
        return self.tokens[1].name if self.tokens[0].keyword == "CONSTRAINT" else ""

    @property
    def body(self) -> tuple[Token, ...]:
        return self.tokens[2:] if self.label else self.tokens

    @property
    def kind(self) -> str:
        return self.body[0].keyword if self.body else ""


@dataclass(frozen=True, slots=True)
class Item:
    """What stands between two commas: a column with its clauses, or one constraint of the table (no ``column``)."""

    start: int
    end: int
    column: str
    clauses: tuple[Clause, ...]
    last: int
    """Where its last word ends; behind it there may be a comment."""


class TableText:
    """The text of one CREATE TABLE. Each change gives a new one."""

    def __init__(self, text: str) -> None:
        self.text = text
        outer = list(_tokens(text))
        self._body = next(token for token in outer if token.text.startswith("("))
        self.has_rowid = not any(token.keyword == "WITHOUT" for token in outer)
        self.items = list(self._items())

    # --- reading ----------------------------------------------------------------------------------------------

    def constraints(self) -> Iterator[tuple[Item, Clause]]:
        """Each clause that has a name."""
        for item in self.items:
            yield from ((item, clause) for clause in item.clauses if clause.label)

    def find(self, name: str) -> tuple[Item, Clause] | None:
        """The constraint of that name."""
        return next(((item, c) for item, c in self.constraints() if c.label.lower() == name.lower()), None)

    # --- changing ---------------------------------------------------------------------------------------------

    def renamed(self, quoted_name: str) -> TableText:
        return TableText(f"CREATE TABLE {quoted_name} {self.text[self._body.start :]}")

    def with_clause(self, column: str, clause: str) -> TableText:
        """The column with a further clause."""
        return self._replaced(self._column(column).last, self._column(column).last, f" {clause}")

    def without_clause(self, column: str, kind: str) -> TableText:
        """The column without its clause that begins with ``kind`` (DEFAULT, NOT)."""
        for clause in self._column(column).clauses:
            if clause.kind == kind:
                return self._without(clause)
        return self

    def with_column(self, definition: str) -> TableText:
        """A further column, behind the others and before the table's constraints."""
        last = [item for item in self.items if item.column][-1].last
        return self._replaced(last, last, f", {definition}")

    def with_constraint(self, definition: str) -> TableText:
        return self._replaced(self.items[-1].last, self.items[-1].last, f", {definition}")

    def without_constraint(self, name: str) -> TableText:
        found = self.find(name)
        if found is None:
            return self
        item, clause = found
        if item.column or len(item.clauses) > 1:  # SQLite does not insist on commas between constraints
            return self._without(clause)
        # A constraint of the table goes with the comma before it: at least one column comes first.
        return self._replaced(item.start - 1, item.last, "")

    # --- details ----------------------------------------------------------------------------------------------

    def _column(self, name: str) -> Item:
        return next(item for item in self.items if item.column.lower() == name.lower())

    def _without(self, clause: Clause) -> TableText:
        return self._replaced(clause.tokens[0].start, clause.tokens[-1].end, "")

    def _replaced(self, start: int, end: int, new: str) -> TableText:
        return TableText(self.text[:start] + new + self.text[end:])

    def _items(self) -> Iterator[Item]:
        start = self._body.start + 1
        inside = list(_tokens(self.text, start, self._body.end - 1))
        commas = [token for token in inside if token.text == ","]
        for end in [*(comma.start for comma in commas), self._body.end - 1]:
            tokens = [token for token in inside if start <= token.start < end]
            is_constraint = tokens[0].keyword in TABLE_CONSTRAINTS
            clauses = _clauses(tokens, TABLE_CONSTRAINTS) if is_constraint else _clauses(tokens[1:], CLAUSES)
            yield Item(start, end, "" if is_constraint else tokens[0].name, clauses, tokens[-1].end)
            start = end + 1


def unquoted(word: str) -> str:
    if word[:1] in "\"'`":
        return word[1:-1].replace(word[0] * 2, word[0])
    return word[1:-1] if word.startswith("[") else word


def _tokens(text: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """The words of a part of the text; what stands in brackets is one word."""
    depth, opened = 0, 0
    for match in TOKEN.finditer(text, start, len(text) if end is None else end):
        if match["space"]:
            continue
        if match.group() == "(":
            depth, opened = depth + 1, opened if depth else match.start()
        if not depth:
            yield Token(match.group(), match.start(), match.end())
        if match.group() == ")":
            depth -= 1
            if not depth:
                yield Token(text[opened : match.end()], opened, match.end())


def _clauses(tokens: list[Token], beginnings: set[str]) -> tuple[Clause, ...]:
    groups: list[list[Token]] = []
    for position, token in enumerate(tokens):
        if token.keyword in beginnings and not _continues(groups[-1] if groups else [], tokens, position):
            groups.append([])
        if groups:  # before the first clause stands the type
            groups[-1].append(token)
    return tuple(Clause(tuple(group)) for group in groups)


def _continues(group: list[Token], tokens: list[Token], position: int) -> bool:
    """Whether the word at ``position``, which could begin a clause, belongs to the one before it."""
    if not group:
        return False
    if group[0].keyword == "CONSTRAINT" and len(group) <= 2:
        return True
    before, word = group[-1].keyword, tokens[position].keyword
    following = tokens[position + 1].keyword if position + 1 < len(tokens) else ""
    return before == "DEFAULT" or (before, word) in CONTINUED_BY or (word, following) == ("NOT", "DEFERRABLE")
