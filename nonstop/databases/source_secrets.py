"""Masks the passwords that stand in a script, for the copy of it that the ledger keeps. What is left is a program still."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable, Iterator
from typing import NamedTuple

NAMES_A_PASSWORD = re.compile(r"\w*(password|passwd|secret)\w*['\"]?", re.IGNORECASE)
LITERAL = re.compile(
    r"(?P<opening>[a-z]*(?P<quote>'''|\"\"\"|'|\"))(?P<inside>.*)(?P=quote)", re.IGNORECASE | re.DOTALL
)
TEXT = {"STRING", "FSTRING_MIDDLE"}
ASSIGNS = {"=", ":"}


class _Literal(NamedTuple):
    token: tokenize.TokenInfo
    is_password: bool
    """Whether it is given to what is called a password."""


def masked_source(source: str, redact: Callable[[str], str]) -> str:
    """``source`` with the secrets in its string literals replaced by ``***``.

    These are what ``redact`` masks, and whole literals that are assigned to a name, a keyword or a key such as
    ``password``. A text that is no Python is redacted as it is.
    """
    try:
        literals = list(_literals(source))
    except (tokenize.TokenError, SyntaxError):
        return redact(source)
    lines = source.splitlines(keepends=True)
    for token, is_password in reversed(literals):
        (first, start), (last, end) = token.start, token.end
        before, behind = lines[first - 1][:start], lines[last - 1][end:]
        text = "".join(lines[first - 1 : last])[len(before) :]
        text = text[: len(text) - len(behind)]
        lines[first - 1 : last] = [before + _masked(text, is_password, redact) + behind]
    return "".join(lines)


def _masked(text: str, is_password: bool, redact: Callable[[str], str]) -> str:
    found = LITERAL.fullmatch(text)
    if is_password and found is not None and found["inside"]:
        return f"{found['opening']}***{found['quote']}"
    return redact(text)


def _literals(source: str) -> Iterator[_Literal]:
    before = [""] * 4
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        name = tokenize.tok_name[token.type]
        if name in TEXT:
            yield _Literal(token, _is_password(before))
        if name not in ("NL", "COMMENT"):
            before = [*before[1:], token.string]


def _is_password(before: list[str]) -> bool:
    """Whether a literal behind these tokens is given to a password: ``password =``, ``"password":``, ``password: str =``."""
    target, colon, named, sign = before
    is_given = sign in ASSIGNS and NAMES_A_PASSWORD.fullmatch(named.lstrip("'\"")) is not None
    return is_given or (
        (colon, sign) == (":", "=") and NAMES_A_PASSWORD.fullmatch(target.lstrip("'\"")) is not None
    )
