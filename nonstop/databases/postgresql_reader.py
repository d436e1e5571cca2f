"""Reads the tokens of a statement one after the other, as a grammar does."""

from __future__ import annotations

import re
from functools import lru_cache

from nonstop.databases.postgresql_tokens import Name, Sort, Token, tokens


class Reader:
    """Walks through the tokens of one statement, or of a part of it."""

    def __init__(self, text: str, parts: list[Token]) -> None:
        self.text = text
        self.tokens = parts
        self.position = 0
        self._depth = parts[0].depth if parts else 0

    @classmethod
    def of(cls, statement: str) -> Reader:
        """The whole statement, without the semicolon at its end."""
        parts = list(tokens(statement))
        while parts and parts[-1].symbol == ";":
            parts.pop()
        return cls(statement, parts)

    def peek(self, ahead: int = 0) -> Token:
        """The next token, or the one ``ahead`` of it; an END where there is none."""
        index = self.position + ahead
        if index < len(self.tokens):
            return self.tokens[index]
        return Token(Sort.END, "", self.end, self.end, self._depth)

    @property
    def end(self) -> int:
        """Where the last token ends in the text; comments after it don't count."""
        return self.tokens[-1].end if self.tokens else 0

    @property
    def rest(self) -> Reader:
        """What has not been read yet."""
        return Reader(self.text, self.tokens[self.position :])

    def accept(self, pattern: str) -> bool:
        """Step over the words of ``pattern`` if they come next: ``create [or replace] view|rule``."""
        position = self.position
        for choices, is_optional in _pattern(pattern):
            length = next((len(words) for words in choices if self._comes(words, position)), None)
            if length is None and not is_optional:
                return False
            position += length or 0
        self.position = position
        return True

    def _comes(self, words: tuple[str, ...], position: int) -> bool:
        return [token.word for token in self.tokens[position : position + len(words)]] == list(words)

    def has(self, words: str) -> bool:
        """Whether these words come somewhere, outside brackets."""
        wanted = tuple(words.split())
        return any(
            token.depth <= self._depth and self._comes(wanted, index)
            for index, token in enumerate(self.tokens[self.position :], self.position)
        )

    def seek(self, *words: str) -> bool:
        """Step behind the first of ``words`` that comes outside brackets; stay where none does."""
        for index in range(self.position, len(self.tokens)):
            token = self.tokens[index]
            if token.depth <= self._depth and token.word in words:
                self.position = index + 1
                return True
        return False

    def name(self) -> Name:
        """The name that comes next; an empty one if none does."""
        parts: list[str] = []
        start = end = self.peek().start
        while self.peek().sort in (Sort.WORD, Sort.QUOTED):
            parts.append(self.peek().value)
            end = self.peek().end
            self.position += 1
            if self.peek().symbol != ".":
                break
            self.position += 1
        if self.peek().symbol == "*":  # a table with its children, in the old way
            self.position += 1
        return Name(tuple(parts), self.text[start:end])

    def names(self) -> list[Name]:
        """The list of names that comes next."""
        found = [self.name()]
        while self.peek().symbol == ",":
            self.position += 1
            self.accept("[only]")
            found.append(self.name())
        return [name for name in found if name.parts]

    def brackets(self) -> Reader:
        """Step over the brackets that come next; what is in them comes back, empty if none come."""
        opening = self.peek()
        if opening.symbol not in ("(", "["):
            return Reader(self.text, [])
        start = self.position + 1
        self.position = start
        while self.peek().sort is not Sort.END and self.peek().depth > opening.depth:
            self.position += 1
        inside = self.tokens[start : self.position]
        self.position += 1
        return Reader(self.text, inside)

    def clauses(self) -> list[Reader]:
        """What comes, taken apart at its commas."""
        found: list[list[Token]] = [[]]
        for token in self.tokens[self.position :]:
            if token.symbol == "," and token.depth <= self._depth:
                found.append([])
            else:
                found[-1].append(token)
        return [Reader(self.text, part) for part in found if part]

    def source(self) -> str:
        """The text of what comes."""
        return self.text[self.peek().start : self.end]


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> tuple[tuple[tuple[tuple[str, ...], ...], bool], ...]:
    pieces = re.findall(r"\[[^\]]*\]|\S+", pattern)
    return tuple(
        (tuple(tuple(words.split()) for words in piece.strip("[]").split("|")), piece[0] == "[")
        for piece in pieces
    )
