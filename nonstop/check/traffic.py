"""Clients of the application at work while a script runs: they read and write by the models, and time each transaction."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import Column, Connection, Constraint, Engine, Table, UniqueConstraint, delete, select, update

from nonstop.check import stagehand
from nonstop.check.acts import CONSTRAINTS
from nonstop.check.rows.values import different
from nonstop.check.running_code.source import CodeSource, running_code
from nonstop.databases import open_database
from nonstop.databases.base import Database

PAUSE = 0.004
"""Seconds between two transactions of a client: a steady load, not all that the machine can do."""
MOST_ERRORS = 10
Action = Callable[[Connection, int], None]


@dataclass
class Phase:
    """``longest`` is in seconds; each error is told once."""

    transactions: int = 0
    longest: float = 0.0
    errors: dict[str, None] = field(default_factory=dict)


@dataclass
class Clients:
    """Two clients, and what they met in each phase: the last one is the one that they are in.

    A row that a constraint refuses is no error here: which rows the application writes, its models are asked elsewhere.
    """

    database: Database
    phases: list[Phase] = field(default_factory=lambda: [Phase()])
    _end: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, actions: dict[str, Action]) -> None:
        """One client that reads and one that writes, each in a thread with a connection of its own."""
        for is_reader in (True, False):
            chosen = {name: act for name, act in actions.items() if name.endswith(" is read") == is_reader}
            if chosen:
                self._threads.append(threading.Thread(target=self._serve, args=(chosen,)))
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let each finish what it is doing."""
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _serve(self, actions: dict[str, Action]) -> None:
        engine = self.database.engine()
        connection = engine.connect()
        try:
            for number in count(1):
                for name, act in actions.items():
                    self._once(connection, name, act, number)
                    if self._end.wait(PAUSE):
                        return
        finally:
            connection.close()
            engine.dispose()

    def _once(self, connection: Connection, name: str, act: Action, number: int) -> None:
        started = time.monotonic()
        try:
            with connection.begin():
                act(connection, number)
        except Exception as error:
            original = getattr(error, "orig", None) or error
            errors = self.phases[-1].errors
            if len(errors) < MOST_ERRORS and self.database.violation(original) not in CONSTRAINTS:
                errors[f"{name}: {str(original).strip().partition(chr(10))[0]}"] = None
        self.phases[-1].longest = max(self.phases[-1].longest, time.monotonic() - started)
        self.phases[-1].transactions += 1


def play(source: CodeSource, url: str) -> list[tuple[int, int, tuple[str, ...]]]:
    """An act that goes on until it is told to end, in phases. Of each: transactions, the longest in ms, and the errors."""
    stagehand.work_on(url)
    code = running_code(source)
    database = open_database(url)
    engine = database.engine()
    actions = {
        name: act
        for model in code.models
        for name, act in _actions(model.label, model.table)
        if _works(engine, act)
    }
    engine.dispose()
    clients = Clients(database)
    clients.begin(actions)
    stagehand.control.send(b"r")
    while stagehand.control.recv(1):
        clients.phases.append(Phase())
    clients.end()
    return [
        (phase.transactions, round(phase.longest * 1000), tuple(phase.errors)) for phase in clients.phases
    ]


def _works(engine: Engine, act: Action) -> bool:
    """Whether it can be done before the script begins; what can't (a view that takes no rows) proves nothing later."""
    try:
        with engine.begin() as connection:
            act(connection, 0)
    except Exception:
        return False
    return True


def _actions(label: str, table: Table) -> Iterator[tuple[str, Action]]:
    """What a client does with one table: reads a row, writes it back, adds one and removes it."""
    yield f"{label} is read", partial(_read, table)
    if table.primary_key.columns:
        if _written_back(table):
            yield f"{label} is written", partial(_write_back, table)
        yield f"{label} is added to", partial(_add_and_remove, table)


def _read(table: Table, connection: Connection, number: int) -> None:
    connection.execute(select(table).limit(1)).all()


def _first_row(table: Table, connection: Connection) -> dict[str, object]:
    """Empty where the script has left no row: what it takes away is told elsewhere."""
    query = select(table).order_by(*table.primary_key.columns).limit(1)
    found = connection.execute(query).mappings().first()
    return {column.key: found[column] for column in table.columns} if found else {}


def _write_back(table: Table, connection: Connection, number: int) -> None:
    old = _first_row(table, connection)
    if not old:
        return
    keys = list(table.primary_key.columns)
    is_row = [key == old[key.key] for key in keys]
    same = {column.key: old[column.key] for column in _written_back(table)}
    changed = connection.execute(update(table).where(*is_row).values(same))
    if changed.rowcount != 1:  # the script may have deleted it meanwhile
        assert not connection.execute(select(*keys).where(*is_row)).all(), (
            "a row that is there is not written"
        )


def _written_back(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if not column.primary_key and column.computed is None]


def _add_and_remove(table: Table, connection: Connection, number: int) -> None:
    made = _first_row(table, connection)
    if not made:
        return
    keys = list(table.primary_key.columns)
    unique = {column for index in table.indexes if index.unique for column in index.columns}
    unique |= {column for constraint in table.constraints for column in _unique_columns(constraint)}
    for column in {*keys, *unique}:
        if not column.foreign_keys or column.primary_key:
            made[column.key] = different(column.type, 1_000_000 + number % 1000)
    new = {column.key: made[column.key] for column in table.columns if column.computed is None}
    connection.execute(table.insert().values(new))
    connection.execute(delete(table).where(*(key == made[key.key] for key in keys)))


def _unique_columns(constraint: Constraint) -> list[Column[Any]]:
    return list(constraint.columns) if isinstance(constraint, UniqueConstraint) else []
