"""What the words of a statement tell by themselves, on either database."""

from __future__ import annotations

import re
from functools import lru_cache

WRITES_NOTHING = frozenset(
    {"select", "explain", "values", "show", "pragma", "table", "set", "reset"}
    | {"begin", "start", "commit", "end", "rollback", "savepoint", "release", "abort", "unlisten"}
)

ON_ROWS = frozenset({"select", "values", "with", "insert", "update", "delete"})
ASKS = frozenset({"select", "explain", "values", "show", "table", "with"})
STAYS = re.compile(
    r"\bfor\s+(no\s+key\s+|key\s+)?(update|share)\b|\bset_config\b|advisory|\bpg_export_snapshot\b",
    re.IGNORECASE,
)
"""What a query leaves behind: until its transaction ends, or for the session."""
INTO = re.compile(r"\binto\b", re.IGNORECASE)
ASKING_PRAGMA = re.compile(
    r"\bpragma\s+(\w+\.)?(table_|index_|foreign_key_(list|check)|database_list|integrity_check)",
    re.IGNORECASE,
)


@lru_cache(maxsize=256)
def is_write(statement: str) -> bool:
    """Whether a statement may write, by its first word (comments skipped). In doubt, yes."""
    text = without_comments_before(statement)
    first = _first_word(text)
    if first == "with":
        lowered = text.lower()
        return any(word in lowered for word in ("insert", "update", "delete", "merge"))
    if first == "select" and INTO.search(text):  # SELECT ... INTO makes a table
        return True
    return first not in WRITES_NOTHING


@lru_cache(maxsize=256)
def works_on_rows(statement: str) -> bool:
    """Whether ``statement`` is a single one that reads or changes rows, by its first word. In doubt, no."""
    if ";" in statement.rstrip("; \t\r\n"):
        return False
    first = first_word(statement)
    return first in ON_ROWS and not (first in ("select", "with") and INTO.search(statement))


@lru_cache(maxsize=256)
def only_asks(statement: str) -> bool:
    """Whether a statement leaves nothing behind at all: no lock, no setting, no savepoint. In doubt, no."""
    if is_write(statement) or STAYS.search(statement) or ";" in statement.rstrip("; \t\r\n"):
        return False
    first = first_word(statement)
    return first in ASKS or (first == "pragma" and bool(ASKING_PRAGMA.search(statement)))


def without_comments_before(statement: str) -> str:
    """The text from its first word on."""
    text = statement.lstrip(" \t\r\n(;")
    while text.startswith(("--", "/*")):
        text = text.partition("\n")[2] if text.startswith("--") else text[_end_of_comment(text) :]
        text = text.lstrip(" \t\r\n(;")
    return text


def _end_of_comment(text: str) -> int:
    """Where the comment ends that ``text`` begins with. Comments nest (PostgreSQL manual, "Comments")."""
    depth = 0
    for mark in re.finditer(r"/\*|\*/", text):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(text)


@lru_cache(maxsize=256)
def one_line(text: str, longest: int = 200) -> str:
    """``text`` for people: on one line, and no longer than ``longest`` characters."""
    return " ".join(text.split())[:longest]


def first_word(statement: str) -> str:
    """The first word behind comments, in lower case."""
    return _first_word(without_comments_before(statement))


def _first_word(text: str) -> str:
    found = re.match(r"\w+", text)
    return found[0].lower() if found else "select"
