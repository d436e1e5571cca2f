"""Statements that begin, end or divide a transaction, told by their text, on either database."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from nonstop.databases.wording import without_comments_before

NAME = r'(?P<name>"(?:[^"]|"")+"|\[[^\]]+\]|`[^`]+`|[^\s;"]+)'
END = r"[\s;]*$"
STARTS = re.compile(r"(commit|end|rollback|abort|savepoint|release|prepare)\b", re.IGNORECASE)


class Verb(Enum):
    """What a statement does to the transaction."""

    COMMIT = r"(commit|end)(\s+(work|transaction))?(\s+and\s+(no\s+)?chain)?"
    ROLLBACK = r"(rollback|abort)(\s+(work|transaction))?(\s+and\s+(no\s+)?chain)?"
    SAVEPOINT = rf"savepoint\s+{NAME}"
    ROLLBACK_TO = rf"rollback(\s+(work|transaction))?\s+to(\s+savepoint)?\s+{NAME}"
    RELEASE = rf"release(\s+savepoint)?\s+{NAME}"
    PREPARE = r"prepare\s+transaction\b.*"
    COMMIT_PREPARED = r"commit\s+prepared\b.*"


class TransactionControl(NamedTuple):
    """``savepoint`` is the name of one as the database reads it, empty where there is none."""

    verb: Verb
    savepoint: str


@lru_cache(maxsize=128)
def transaction_control(statement: str) -> TransactionControl | None:
    """What ``statement``, a single one, does to its transaction; None for every other statement."""
    text = without_comments_before(statement)
    if not STARTS.match(text):
        return None
    text = re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)
    for verb in Verb:
        if match := re.match(verb.value + END, text, re.IGNORECASE | re.DOTALL):
            return TransactionControl(verb, _as_read(match.groupdict().get("name", "")))
    return None


def _as_read(name: str) -> str:
    if name[:1] in ('"', "[", "`"):
        return name[1:-1].replace('""', '"')
    return name.lower()
