"""Does what running code does with its tables, in a transaction that is undone, and says what no longer works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine, Table
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session, undefer

from nonstop.check.reflection import quietly, raise_if_lost, reason_of, undone
from nonstop.check.running_code.models import Model, RunningCode
from nonstop.check.running_code.probe_results import (
    DELETE,
    DELETE_NEW,
    INSERT,
    INSERT_ALIKE,
    INSERT_REQUIRED,
    INSERT_VALUE,
    READ,
    REWRITE,
    UPDATE,
    Failure,
    ProbeResult,
)
from nonstop.check.running_code.probe_rows import SAMPLE, Field, Row, Subject, parents, tables_of
from nonstop.databases.base import Database, Violation

LONGEST_SHOWN = 40


def probe(code: RunningCode, engine: Engine, database: Database) -> ProbeResult:
    """Read, insert, update and delete with every model of ``code``; nothing of it is kept.

    Values come from the models and from the rows that are there, so two databases with the same rows get the same ones.
    """
    tried = 0
    failures: list[Failure] = []
    with quietly(), undone(engine) as connection:
        for model in code.models:
            one = _ModelProbe(model, connection, database)
            one.run()
            tried += one.tried
            failures += one.failures
    different = dict.fromkeys(failures)
    return ProbeResult(
        tried,
        tuple(failure for failure in different if not failure.is_incidental),
        tuple(failure for failure in different if failure.is_incidental),
    )


class _ModelProbe:
    """One model at work. Each action has a savepoint, which is rolled back whatever comes out."""

    def __init__(self, model: Model, connection: Connection, database: Database) -> None:
        self.model = model
        self.connection = connection
        self.database = database
        self.subject = Subject(model)
        self.tried = 0
        self.failures: list[Failure] = []

    def run(self) -> None:
        rows: list[Row] = []
        is_readable = self._try(READ, lambda: rows.extend(self._select()))
        self._note_other_types(rows)
        alike = rows if is_readable else [self._column_by_column()]
        first, second = self.subject.twins(alike, parents(self.connection, self.subject))
        required = self.subject.required(first)
        self._try(INSERT_REQUIRED, lambda: self._insert(required))
        if self._try(INSERT, lambda: self._insert(first)):
            # Where an ordinary row fails, others tell nothing new.
            self._try(INSERT_ALIKE, lambda: self._insert(first, second))
            self._insert_edges(first)
        existing = alike[0] if alike else {}
        self._update(existing, second)
        self._rewrite(rows)
        self._try(DELETE_NEW, lambda: self._delete_new(first))
        self._try(DELETE, lambda: self._delete(existing))

    # --- actions ------------------------------------------------------------------------------------------

    def _column_by_column(self) -> Row:
        """What can be read of rows that the code can't read as a whole."""
        row: Row = {}
        for field in self.subject.fields:
            query = sa.select(field.column).where(field.column.is_not(None)).limit(1)
            self._error(lambda key=field.key, query=query: row.update({key: self.connection.scalar(query)}))  # type: ignore[misc]
        return row

    def _select(self) -> list[Row]:
        fields, keys = self.subject.fields, self.subject.key_columns
        if self.model.mapped is None:
            query = sa.select(*(field.column for field in fields)).order_by(*keys).limit(SAMPLE)
            return [
                dict(zip((field.key for field in fields), row, strict=True))
                for row in self.connection.execute(query)
            ]
        entities = sa.select(self.model.mapped).options(undefer("*")).order_by(*keys).limit(SAMPLE)
        with self._session() as session:
            found = session.scalars(entities).unique().all()
            return [{field.key: getattr(one, field.key) for field in fields} for one in found]

    def _note_other_types(self, rows: list[Row]) -> None:
        """Note each column whose values are not what the code expects: a number that comes as a text, say."""
        for field in self.subject.fields:
            try:
                expected = field.column.type.python_type
            except NotImplementedError:
                continue
            found = [row[field.key] for row in rows if row.get(field.key) is not None]
            other = next((value for value in found if not isinstance(value, expected)), None)
            if other is not None:
                name = field.column.name
                message = f"{name} is read as {type(other).__name__}, not as {expected.__name__}"
                who, table = self.model.label, self.model.table.key
                self.failures.append(
                    Failure(who, table, name, READ, "another type", Violation.BAD_VALUE, message)
                )

    def _insert(self, *rows: Row) -> None:
        if self.model.mapped is None:
            self.connection.execute(sa.insert(self.model.table), list(rows))
            return
        statement = sa.insert(self.model.mapped).execution_options(render_nulls=True)
        with self._session() as session:
            session.execute(statement, list(rows))

    def _insert_edges(self, row: Row) -> None:
        """Insert every value at an edge: as many as possible in one row, and one by one where that fails."""
        for group in self.subject.edges():
            changed = row | {field.key: value for field, value in group}
            self.tried += len(group)
            error = self._error(lambda changed=changed: self._insert(changed))  # type: ignore[misc]
            if error is not None and not self._insert_one_by_one(row, group):
                self._note(INSERT_VALUE, error)

    def _insert_one_by_one(self, row: Row, group: list[tuple[Field, Any]]) -> bool:
        """Whether one of the values alone is to blame."""
        is_found = False
        for field, value in group:
            error = self._error(lambda field=field, value=value: self._insert(row | {field.key: value}))  # type: ignore[misc]
            if error is not None:
                self._note(INSERT_VALUE, error, field.column.name, value)
                is_found = True
        return is_found

    def _update(self, existing: Row, new: Row) -> None:
        """Write other values into every column but those of the key; one by one where that fails."""
        fields = [field for field in self.subject.written if not field.column.primary_key]
        self.tried += len(fields)
        for table in tables_of(fields):
            own = [field for field in fields if field.column.table is table]
            whole = self._error(lambda table=table, own=own: self._update_row(table, own, existing, new))  # type: ignore[misc]
            if whole is None:
                continue
            is_found = False
            for field in own:
                error = self._error(
                    lambda table=table, field=field: self._update_row(table, [field], existing, new)  # type: ignore[misc]
                )
                if error is not None:
                    self._note(UPDATE, error, field.column.name)
                    is_found = True
            if not is_found:
                self._note(UPDATE, whole)

    def _update_row(self, table: Table, fields: list[Field], existing: Row, new: Row) -> None:
        statement = sa.update(table).where(self._is_row(table, existing))
        self.connection.execute(statement.values({field.column: new[field.key] for field in fields}))

    def _rewrite(self, rows: list[Row]) -> None:
        """Write rows back as they are, all at once; one by one where that fails."""
        fields = [field for field in self.subject.written if not field.column.primary_key]
        for table in tables_of(fields):
            own = [field for field in fields if field.column.table is table]
            if not rows or not self._keys(table):
                continue
            keys = self._keys(table)
            statement = (
                sa.update(table)
                .where(*(field.column == sa.bindparam(f"key_{n}") for n, field in enumerate(keys)))
                .values({field.column: sa.bindparam(f"value_{n}") for n, field in enumerate(own)})
            )
            parameters = [
                {f"key_{n}": row[field.key] for n, field in enumerate(keys)}
                | {f"value_{n}": row[field.key] for n, field in enumerate(own)}
                for row in rows
            ]
            self.tried += len(rows)
            if self._error(lambda s=statement, p=parameters: self.connection.execute(s, p)) is not None:  # type: ignore[misc]
                for one in parameters:
                    error = self._error(lambda s=statement, one=one: self.connection.execute(s, one))  # type: ignore[misc]
                    if error is not None:
                        self._note(REWRITE, error)

    def _delete_new(self, row: Row) -> None:
        table = self.model.table
        own = {field.column: row[field.key] for field in self.subject.written if field.column.table is table}
        made = self.connection.execute(sa.insert(table).values(own))
        key = made.inserted_primary_key or ()
        same = [column == value for column, value in zip(self.subject.key_columns, key, strict=False)]
        self.connection.execute(sa.delete(table).where(*(same or [sa.false()])))

    def _delete(self, existing: Row) -> None:
        keys = self._keys(self.model.table)
        if self.model.mapped is None or not existing or not keys:
            self.connection.execute(
                sa.delete(self.model.table).where(self._is_row(self.model.table, existing))
            )
            return
        # As the application does it: the ORM goes after what its relationships say.
        with self._session() as session:
            one = session.scalars(
                sa.select(self.model.mapped).where(self._is_row(self.model.table, existing))
            ).unique()
            for instance in one.all():
                session.delete(instance)
            session.flush()

    # --- details ------------------------------------------------------------------------------------------

    def _session(self) -> Session:
        return Session(self.connection, join_transaction_mode="rollback_only", autoflush=False)

    def _keys(self, table: Table) -> list[Field]:
        """The fields of the primary key, where the code knows all of it."""
        wanted = list(table.primary_key.columns)
        found = [
            field._replace(column=column)
            for column in wanted
            for field in self.subject.fields
            if column in (field.column, *field.others)
        ]
        return found if len(found) == len(wanted) else []

    def _is_row(self, table: Table, row: Row) -> sa.ColumnElement[bool]:
        keys = self._keys(table)
        if not keys or any(row.get(field.key) is None for field in keys):
            return sa.false()
        return sa.and_(*(field.column == row[field.key] for field in keys))

    def _try(self, action: str, work: Callable[[], object]) -> bool:
        self.tried += 1
        error = self._error(work)
        if error is not None:
            self._note(action, error)
        return error is None

    def _error(self, work: Callable[[], object]) -> Exception | None:
        """What is wrong with ``work``; what it did is undone."""
        savepoint = self.connection.begin_nested()
        try:
            work()
        except Exception as error:
            raise_if_lost(error)
            return error
        finally:
            if savepoint.is_active:
                savepoint.rollback()
        return None

    def _note(self, action: str, error: Exception, column: str = "", value: object = None) -> None:
        cause = getattr(error, "orig", None) or error
        text = "" if value is None else repr(value)
        self.failures.append(
            Failure(
                self.model.label,
                self.model.table.key,
                self.database.violated_column(error) or column,
                action,
                getattr(cause, "sqlstate", None)
                or getattr(cause, "sqlite_errorname", None)
                or type(cause).__name__,
                self.database.violation(error),
                reason_of(error),
                text
                if len(text) <= LONGEST_SHOWN
                else f"{text[:LONGEST_SHOWN]}… ({len(str(value))} characters)",
            )
        )
