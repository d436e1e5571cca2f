"""Statements that read and change rows: SELECT, INSERT, UPDATE, DELETE, MERGE, COPY…"""

from __future__ import annotations

from nonstop.databases.postgresql_functions import HARMLESS, calls
from nonstop.databases.postgresql_reader import Reader
from nonstop.descriptions.statements import Kind, Need


def rows(reader: Reader) -> Need:
    """Harmless, unless it calls a function that is not known to be. SELECT INTO makes a table."""
    reader.position = 0
    loses_data = any(_deletes_all(reader, index) for index in range(len(reader.tokens)))
    unknown = [name for name in calls(reader) if name not in HARMLESS]
    if unknown:
        reason = f"calls {', '.join(dict.fromkeys(unknown))}, which may do anything"
        return Need(Kind.UNKNOWN, loses_data=loses_data, reason=reason)
    creates, is_temporary = _selected_into(reader)
    kind = Kind.BRIEF if creates else Kind.READS
    return Need(kind, creates=creates, temporary=is_temporary, loses_data=loses_data)


def _deletes_all(reader: Reader, index: int) -> bool:
    """Whether a DELETE FROM without WHERE begins here."""
    if reader.tokens[index].word != "delete" or [
        token.word for token in reader.tokens[index + 1 : index + 2]
    ] != ["from"]:
        return False
    depth = reader.tokens[index].depth
    for token in reader.tokens[index + 2 :]:
        if token.depth < depth:
            break
        if token.depth == depth and token.word == "where":
            return False
    return True


def _selected_into(reader: Reader) -> tuple[tuple[str, ...], bool]:
    """The table that SELECT … INTO makes, and whether it is temporary."""
    position = reader.position
    try:
        if reader.peek().word not in ("select", "with") or not reader.seek("into"):
            return (), False
        if reader.tokens[reader.position - 2].word in ("insert", "merge"):
            return (), False
        is_temporary = reader.peek().word in ("temp", "temporary")
        reader.accept("[temp|temporary|unlogged]")
        reader.accept("[table]")
        return (str(reader.name()),), is_temporary
    finally:
        reader.position = position
