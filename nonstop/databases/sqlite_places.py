"""Where in a transaction of SQLite the rows of each old table may be: in itself, or in what has taken one of its names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nonstop.databases.sqlite_tables import Key, Table


class Places:
    """Follows the schema statement by statement, from ``tables`` on: a table that is made where a dropped one was is another.

    ``first_names`` are what tables were called when the script began, in lower case.
    """

    def __init__(self, tables: Sequence[Table], first_names: Mapping[Key, str]) -> None:
        self._keys = {table.key: {table.key} for table in tables}
        self._names = {
            table.key: {table.name.lower(), first_names.get(table.key, table.name.lower())}
            for table in tables
        }

    def follow(self, tables: Sequence[Table]) -> None:
        """Note what ``tables`` there are behind the next statement."""
        there = {table.key: table.name.lower() for table in tables}
        by_name = {table.name.lower(): table.key for table in tables}
        for key, places in self._keys.items():
            named = {by_name[name] for name in self._names[key] if name in by_name}
            self._keys[key] = (places & there.keys()) | named
            self._names[key] |= {there[place] for place in self._keys[key]}

    def of(self, key: Key) -> set[Key] | None:
        """The tables that may have the rows of an old one; None where it was not there at the beginning."""
        return self._keys.get(key)

    def names(self, table: Table) -> set[str]:
        """What an old table, and what may have its rows, was called by now, in lower case."""
        return self._names.get(table.key, {table.name.lower()})
