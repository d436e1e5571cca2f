"""PostgreSQL's SQL as tokens: where a statement ends, what is a word and what is inside quotes or a comment.

Only as much of the grammar as telling statements apart needs (PostgreSQL manual, "Lexical Structure"). Strings are read
as with ``standard_conforming_strings`` on.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
      (?P<space>   [ \t\r\n\f\v]+ | --[^\r\n]* )
    | (?P<comment> /\* )
    | (?P<string>  [eE]'[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*+'? | (?:[bBxXnN]|[uU]&)?'[^']*+(?:''[^']*+)*+'? )
    | (?P<dollar>  \$(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?\$ )
    | (?P<quoted>  (?:[uU]&)?"[^"]*+(?:""[^"]*+)*+"? )
    | (?P<number>  \$?\d[\w.]* )
    | (?P<word>    [A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]* )
    | (?P<symbol>  :: | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_UNICODE_ESCAPE = re.compile(r"\\(?:([0-9A-Fa-f]{4})|\+([0-9A-Fa-f]{6})|(\\))")
_TO_LOWER = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})
_NEEDS_NO_QUOTES = re.compile(r"[a-z_\x80-\U0010ffff][a-z0-9_$\x80-\U0010ffff]*")


class Sort(StrEnum):
    """What a token is. A dollar-quoted text is a STRING."""

    WORD = "word"
    QUOTED = "quoted"
    STRING = "string"
    NUMBER = "number"
    SYMBOL = "symbol"
    END = "end"


_SORTS = {sort.value: sort for sort in Sort}


class Token(NamedTuple):
    """``value`` is a word in lower case, a quoted name without its quotes, else the text itself.

    ``depth`` counts the brackets around it; a bracket itself is as deep as its surroundings.
    """

    sort: Sort
    value: str
    start: int
    end: int
    depth: int

    @property
    def word(self) -> str:
        """The word in lower case; empty for every other token, quoted names too."""
        return self.value if self.sort is Sort.WORD else ""

    @property
    def symbol(self) -> str:
        """The symbol; empty for every other token: a name in quotes may look like one."""
        return self.value if self.sort is Sort.SYMBOL else ""


@dataclass(frozen=True, slots=True)
class Name:
    """A name with its qualifiers, as the catalog has them. ``written`` is its text in the statement."""

    parts: tuple[str, ...]
    written: str = ""

    @property
    def last(self) -> str:
        return self.parts[-1] if self.parts else ""

    @property
    def schema(self) -> str | None:
        return self.parts[-2] if len(self.parts) > 1 else None

    def sibling(self, name: str) -> Name:
        """Another name in the same schema."""
        return Name((*self.parts[:-1], name), name)

    def __str__(self) -> str:
        """As ``to_regclass`` reads it."""
        return ".".join(quoted(part) for part in self.parts)


def quoted(name: str) -> str:
    """A name in quotes, if it needs them to keep its letters."""
    return name if _NEEDS_NO_QUOTES.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def words(text: str) -> frozenset[str]:
    """The words of ``text`` as a set to look in."""
    return frozenset(text.split())


def split(sql: str) -> list[str]:
    """The statements of ``sql``, each with the comments before it and without its semicolon."""
    statements, start, block, previous = [], 0, 0, ";"
    for token in tokens(sql):
        is_label = previous in ("as", ".")  # any word can be one behind AS, and a column of a table
        if token.word == "atomic" and previous == "begin":
            block += 1  # the body of a function in standard SQL has semicolons of its own
        elif block and token.word in ("case", "end") and not is_label:
            block += 1 if token.word == "case" else -1
        elif token.symbol == ";" and token.depth == 0 and not block:
            if previous != ";":
                statements.append(sql[start : token.start].strip())
            start = token.end
            previous = ";"
            continue
        previous = token.word or ("." if token.symbol == "." else "something")
    if previous != ";":
        statements.append(sql[start:].strip())
    return statements


def tokens(sql: str) -> Iterator[Token]:
    """All tokens but comments and white space. A string or comment that never ends reaches to the end."""
    position, depth = 0, 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        assert match is not None  # a symbol is any character
        sort, start, position = match.lastgroup or "", position, match.end()
        if sort == "space":
            continue
        if sort == "comment":
            position = _end_of_comment(sql, start)
            continue
        if sort == "dollar":
            closing = sql.find(match.group(), position)
            position = len(sql) if closing < 0 else closing + len(match.group())
            sort = "string"
        text = sql[start:position]
        if text in (")", "]"):
            depth = max(0, depth - 1)
        yield Token(_SORTS[sort], _value(sort, text), start, position, depth)
        if text in ("(", "["):
            depth += 1


def _end_of_comment(sql: str, start: int) -> int:
    nesting = 0
    for edge in _COMMENT_EDGE.finditer(sql, start):
        nesting += 1 if edge.group() == "/*" else -1
        if nesting == 0:
            return edge.end()
    return len(sql)


def _value(sort: str, text: str) -> str:
    if sort == "word":
        return text.translate(_TO_LOWER)
    if sort != "quoted":
        return text
    inside = text[text.index('"') + 1 :].removesuffix('"').replace('""', '"')
    return inside if text[0] == '"' else _UNICODE_ESCAPE.sub(_unescaped, inside)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if not code:
        return "\\"
    return chr(int(code, 16)) if int(code, 16) <= sys.maxunicode else match[0]
