"""A sample of the real rows for a scratch database, with all the rows that they refer to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Engine, Table
from sqlalchemy.engine import Connection

from nonstop.check import reflection
from nonstop.check.reflection import insert_as_is, is_numbered, quietly
from nonstop.check.rows.choices import Reference, Row, by_rank, references
from nonstop.databases.base import Database

TOGETHER = 200
"""So many rows are asked for, or inserted, at once."""
SNAPSHOT = "REPEATABLE READ"
"""The isolation level of a transaction that sees one moment, where it has to be asked for."""
Key = tuple[Any, ...]


def sample(
    source: Engine,
    target: Engine,
    database: Database,
    per_table: int = 100,
    ignored: frozenset[str] = frozenset(),
) -> dict[str, int]:
    """Copy rows of each table of ``source`` to ``target``, a scratch database (``database``) with the same schema.

    Up to ``per_table`` rows of each table, the first and the last ones by primary key, and whatever they refer to; none
    of the tables whose names are in ``ignored``. The source is read in one transaction that can't write. Gives the
    number of rows by table.
    """
    with quietly():
        with _reading(source) as reading:
            tables = reflection.tables(reading, database, ignored)
            found = _Sample(reading, tables, per_table)
            found.collect()
        with target.connect() as writing:
            outermost = writing.begin_nested()  # the transaction, where the driver begins none
            for key in by_rank(tables, found.references):
                _insert(writing, database, found, key)
            _close_circles(writing, found)
            outermost.commit()
            writing.commit()
    return {key: len(rows) for key, rows in found.rows.items() if rows}


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that sees one moment and, where the driver can say so, can't write."""
    with engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        if driver is not None and SNAPSHOT in engine.dialect.get_isolation_level_values(driver):
            connection.execution_options(isolation_level=SNAPSHOT, postgresql_readonly=True)
        connection.begin_nested()
        try:
            yield connection
        finally:
            connection.rollback()


class _Sample:
    """What is copied: rows by table, none twice."""

    def __init__(self, connection: Connection, tables: dict[str, Table], per_table: int) -> None:
        self._connection = connection
        self._per_table = per_table
        self.tables = tables
        self.rows: dict[str, list[Row]] = {key: [] for key in tables}
        self.references = {
            key: [one for one in references(table, [table]) if one.parent in tables]
            for key, table in tables.items()
        }
        self._seen: dict[str, set[str]] = {key: set() for key in tables}

    def collect(self) -> None:
        """Read some rows of each table, then the rows that they refer to, until none is missing."""
        new = {key: self._add(key, self._some(table)) for key, table in self.tables.items()}
        while any(new.values()):
            missing = [
                (reference, {_key(row, reference.names) for row in rows})
                for key, rows in new.items()
                for reference in self.references[key]
                if rows
            ]
            new = {key: [] for key in self.tables}
            for reference, keys in missing:
                parents = self._with(reference, [key for key in keys if None not in key])
                new[reference.parent] += self._add(reference.parent, parents)

    def _some(self, table: Table) -> list[Row]:
        keys = list(table.primary_key.columns)
        half = self._per_table // 2
        if not keys:
            return self._read(sa.select(table).limit(self._per_table))
        last = sa.select(table).order_by(*(column.desc() for column in keys)).limit(half)
        return [
            *self._read(sa.select(table).order_by(*keys).limit(self._per_table - half)),
            *self._read(last),
        ]

    def _with(self, reference: Reference, keys: list[Key]) -> list[Row]:
        """The rows of a parent that have these keys."""
        table = self.tables[reference.parent]
        columns = [table.columns[name] for name in reference.parent_names]
        present = {_key(row, reference.parent_names) for row in self.rows[reference.parent]}
        wanted = sorted((key for key in keys if key not in present), key=repr)
        found: list[Row] = []
        for start in range(0, len(wanted), TOGETHER):
            query = sa.select(table).where(_is_one_of(columns, wanted[start : start + TOGETHER]))
            found += self._read(query)
        return found

    def _read(self, query: sa.Select[Any]) -> list[Row]:
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def _add(self, key: str, rows: list[Row]) -> list[Row]:
        """Those of ``rows`` that are new."""
        names = [column.name for column in self.tables[key].primary_key.columns]
        new = []
        for row in rows:
            identity = repr(_key(row, tuple(names or row)))
            # Without a primary key two rows may well be the same; each is read once only.
            if not names or identity not in self._seen[key]:
                self._seen[key].add(identity)
                new.append(row)
        self.rows[key] += new
        return new


def _key(row: Row, names: tuple[str, ...]) -> Key:
    return tuple(row[name] for name in names)


def _is_one_of(columns: list[sa.Column[Any]], keys: list[Key]) -> ColumnElement[bool]:
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return sa.tuple_(*columns).in_(keys)


# --- writing --------------------------------------------------------------------------------------------------


def _insert(connection: Connection, database: Database, found: _Sample, key: str) -> None:
    """Insert the rows of a table, without what they refer to later tables for."""
    table, rows = found.tables[key], found.rows[key]
    if not rows:
        return
    postponed = {name for reference in _circular(found, key) for name in reference.names}
    names = [column.name for column in table.columns if column.computed is None]
    statement = insert_as_is(connection, table, names)
    parameters = [
        {f"v{index}": None if name in postponed else row[name] for index, name in enumerate(names)}
        for row in rows
    ]
    connection.execute(statement, parameters)
    preparer = connection.dialect.identifier_preparer
    for column in table.columns:
        if is_numbered(column):
            driver = connection.connection.dbapi_connection
            database.continue_counting(driver, preparer.format_table(table), column.name)


def _circular(found: _Sample, key: str) -> list[Reference]:
    """The references of a table that can't be there when its rows are inserted: to itself, and to later tables."""
    ranks = {each: rank for rank, each in enumerate(by_rank(found.tables, found.references))}
    has_key = bool(found.tables[key].primary_key.columns)
    return [
        reference
        for reference in found.references[key]
        if has_key and not reference.is_required and ranks[reference.parent] >= ranks[key]
    ]


def _close_circles(connection: Connection, found: _Sample) -> None:
    """Let rows refer to those that came later."""
    for key, table in found.tables.items():
        names = [name for reference in _circular(found, key) for name in reference.names]
        keys = [column.name for column in table.primary_key.columns]
        rows = [row for row in found.rows[key] if any(row[name] is not None for name in names)]
        if not rows:
            continue
        statement = (
            sa.update(table)
            .where(*(table.columns[name] == sa.bindparam(f"k{index}") for index, name in enumerate(keys)))
            .values({name: sa.bindparam(f"v{index}") for index, name in enumerate(names)})
        )
        parameters = [
            {f"k{index}": row[name] for index, name in enumerate(keys)}
            | {f"v{index}": row[name] for index, name in enumerate(names)}
            for row in rows
        ]
        connection.execute(statement, parameters)
