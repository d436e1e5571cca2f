"""What one table of an SQLite file loses by a transaction: itself, rows, or columns with values."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nonstop.databases.sqlite_places import Places
from nonstop.databases.sqlite_tables import Key, Table, Values, columns, rows, values
from nonstop.descriptions.losses import Loss

WITHOUT_QUOTES = str.maketrans("", "", "\"'`[]")


class Compared(NamedTuple):
    """The file as ``others`` and as the transaction of ``ours`` see it, and what the latter may have done.

    ``places`` is None where it was not seen statement by statement how the schema has changed.
    ``drops`` are its statements that drop something, in lower case; None where not all of them were seen.
    ``made_columns`` are those of the script's own, by table, in lower case; what a comparison finds is added.
    """

    others: sqlite3.Connection
    ours: sqlite3.Connection
    by_key: dict[Key, Table]
    by_name: dict[str, Table]
    places: Places | None
    drops: Sequence[str] | None
    may_delete: bool
    made_columns: set[tuple[Key, str]]

    def may_drop(self, table: Table) -> bool:
        """Whether ``table`` may have been dropped, or one of its columns: then another one may be in its place."""
        if self.drops is None:
            return True
        names = self.places.names(table) if self.places is not None else {table.name.lower()}
        bare = {name.translate(WITHOUT_QUOTES) for name in names}
        return any(name in text.translate(WITHOUT_QUOTES) for text in self.drops for name in bare)


def lost(table: Table, first_name: str, compared: Compared) -> list[Loss]:
    """What of ``table`` is there no longer: neither in itself, nor in what has its name, or ``first_name``.

    Where more than one may have taken its place, the one counts that has everything.
    """
    places = dict.fromkeys(place for place in _places(table, first_name, compared) if place is not None)
    if not places:
        return [Loss(table.name, "row", rows(compared.others, table.name))]
    found = [list(_missing(table, place, compared)) for place in places]
    return min(found, key=lambda losses: any(loss.is_real for loss in losses))


def _places(table: Table, first_name: str, compared: Compared) -> Iterator[Table | None]:
    itself = compared.by_key.get(table.key)
    if itself is not None and itself.name.lower() == table.name.lower():
        yield itself
        return
    yield compared.by_name.get(table.name.lower())
    yield compared.by_name.get(first_name)
    keys = compared.places.of(table.key) if compared.places is not None else None
    if keys is not None:
        yield from (compared.by_key.get(key) for key in sorted(keys))
    # A new table may be where a dropped one was: the definition tells.
    elif itself is not None and (itself.body == table.body or not compared.may_drop(table)):
        yield itself


def _missing(table: Table, place: Table, compared: Compared) -> Iterator[Loss]:
    is_itself = place.key == table.key
    if is_itself and place.body == table.body and not (compared.may_delete or compared.may_drop(table)):
        return
    before = rows(compared.others, table.name)
    missing = (before or 0) - (rows(compared.ours, place.name) or 0)
    if missing > 0:
        yield Loss(table.name, "row", missing)
    if is_itself and not compared.may_drop(table):
        _note_new_columns(table, place, compared)
    else:
        yield from _missing_values(table, place, compared, has_all_rows=missing <= 0)


def _note_new_columns(table: Table, place: Table, compared: Compared) -> None:
    """ALTER TABLE puts new columns behind the others."""
    old = columns(compared.others, table.name)
    new = columns(compared.ours, place.name)
    compared.made_columns.update((place.key, name.lower()) for name in new[len(old) :])
    for was, now in zip(old, new, strict=False):
        if was.lower() != now.lower():
            _rename(compared, place.key, was.lower(), now.lower())


def _rename(compared: Compared, key: Key, was: str, now: str) -> None:
    if (key, was) in compared.made_columns:
        compared.made_columns.add((key, now))
    else:
        compared.made_columns.discard((key, now))


def _missing_values(table: Table, place: Table, compared: Compared, has_all_rows: bool) -> Iterator[Loss]:
    """Columns that are gone, or have lost values; one that is not there under its name may have another one."""
    before, after = values(compared.others, table.name), values(compared.ours, place.name)
    new = {name: found for name, found in after.items() if name not in before}
    if place.key == table.key and len(after) >= len(before):
        compared.made_columns.update((place.key, name) for name in list(after)[len(before) :] if name in new)
    names = {name.lower(): name for name in columns(compared.others, table.name)}
    for column, was in before.items():
        if (table.key, column) in compared.made_columns:
            continue
        subject = f"{table.name}.{names[column]}"
        if column not in after:
            successor = next((name for name, now in new.items() if now.keep(was)), None)
            if successor is None:
                yield Loss(subject, "value", was.number)
            else:
                del new[successor]
        elif has_all_rows:
            yield from _fewer(subject, was, after[column], is_rebuilt=place.key != table.key)


def _fewer(subject: str, was: Values, now: Values, is_rebuilt: bool) -> Iterator[Loss]:
    if now.number < was.number:
        yield Loss(subject, "value", was.number - now.number)
    elif not now.keep(was) or (is_rebuilt and None not in (was.total, now.total) and was.total != now.total):
        yield Loss(subject, "value", was.number)
