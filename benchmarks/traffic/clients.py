"""One client of the application, in a process of its own: SQLAlchemy on psycopg 3, and a note of every transaction.

The load is an open loop: when a transaction is due is fixed beforehand, and its latency counts from that moment, not
from when its client got round to it. A client that is stalled for a second is late for everything that was due in that
second, and all of that is seen. (A closed loop, where each client waits for its answer before it asks again, would show
one slow transaction instead of fifty: "coordinated omission".)
"""

from __future__ import annotations

import gc
import json
import random
import time
from array import array
from collections.abc import Callable, Iterator
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

APPLICATION = "live traffic"
"""The ``application_name`` of the clients' sessions."""
LONG_SECONDS = 0.08
"""How long a long transaction holds its row without doing anything."""
LONG_IDS = 20
"""Each client of long transactions has so many orders to itself, so that nobody waits for their rows."""
START_LIMIT = 60.0  # seconds: a client that does not get ready must not hang the others

# The columns by their names, as the ORM writes them: those of the release that runs while 001 is applied.
READ_ORDER = text(
    "SELECT id, mechanic_name, telegram_id, category, vin, selected_parts, is_original, photo_url, status, printed,"
    " language, created_at, updated_at FROM orders WHERE id = :id"
)
CHANGE_ORDER = text("UPDATE orders SET status = :status, updated_at = CURRENT_TIMESTAMP WHERE id = :id")
NEW_ORDER = text(
    "INSERT INTO orders (mechanic_name, telegram_id, category, vin, selected_parts, is_original, status, language)"
    " VALUES (:mechanic, :telegram, :category, :vin, :parts, false, 'новый', 'ru') RETURNING id"
)
HOLD_ORDER = text("SELECT id, status FROM orders WHERE id = :id FOR UPDATE")
STATUSES = ("новый", "в работе", "готов", "выдан")


class Kind(IntEnum):
    """What a transaction does."""

    READ = 0
    CHANGE = 1
    NEW = 2
    LONG = 3


SHARES = {Kind.READ: 5, Kind.CHANGE: 3, Kind.NEW: 2}


class Sample(NamedTuple):
    """One transaction; the times are those of ``time.monotonic()``, which all processes share."""

    kind: Kind
    due: float
    started: float
    ended: float
    failed: bool

    @property
    def latency(self) -> float:
        """Seconds from when it was due; what a long transaction waits by intention does not count."""
        return self.ended - self.due - (LONG_SECONDS if self.kind is Kind.LONG else 0)


class Brief(NamedTuple):
    """What one client is to do: ``per_second`` transactions, or long ones back to back where that is None."""

    number: int
    clients: int
    url: str
    rows: int
    per_second: float | None
    folder: Path

    @property
    def samples_file(self) -> Path:
        return self.folder / f"{self.name}.samples"

    @property
    def errors_file(self) -> Path:
        return self.folder / f"{self.name}.errors"

    @property
    def name(self) -> str:
        return f"{'long' if self.per_second is None else 'client'}-{self.number}"


def run(brief: Brief, gate: Any, ends_at: Any) -> None:
    """The life of a client's process: get ready, meet the others at ``gate``, work until what is due after ``ends_at``."""
    client = Client(brief)
    client.warm_up()
    gc.collect()
    gc.freeze()  # a search for garbage among all that was imported is a pause of its own
    gate.wait(START_LIMIT)
    client.work_back_to_back(ends_at) if brief.per_second is None else client.work_when_due(ends_at)
    client.save()


class Client:
    """One session's worth of the application."""

    def __init__(self, brief: Brief) -> None:
        self._brief = brief
        self._engine = create_engine(
            brief.url, pool_size=1, max_overflow=0, connect_args={"application_name": APPLICATION}
        )
        self._random = random.Random(brief.number)
        self._samples = array("d")
        self._errors: list[tuple[float, str]] = []
        self._actions: dict[Kind, Callable[[Connection], None]] = {
            Kind.READ: self._read,
            Kind.CHANGE: self._change,
            Kind.NEW: self._new,
            Kind.LONG: self._hold,
        }

    def warm_up(self) -> None:
        """Connect, and do each thing so often that psycopg has prepared its statements (after five times)."""
        kinds = [Kind.LONG] if self._brief.per_second is None else list(SHARES)
        for _ in range(7):
            for kind in kinds:
                self._transact(kind, time.monotonic())
        del self._samples[:]

    def work_when_due(self, ends_at: Any) -> None:
        """Transactions at even distances; the clients take turns. What is late is done at once, and none is left out."""
        assert self._brief.per_second is not None
        interval = 1 / self._brief.per_second
        kinds = self._mixed_kinds()
        due = time.monotonic() + interval * (self._brief.number + 1) / self._brief.clients
        while due < ends_at.value:
            pause = due - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            self._transact(next(kinds), due)
            due += interval

    def work_back_to_back(self, ends_at: Any) -> None:
        """One transaction after the other, as fast as they go."""
        while (now := time.monotonic()) < ends_at.value:
            self._transact(Kind.LONG, now)

    def save(self) -> None:
        """Write down what was noted."""
        with self._brief.samples_file.open("wb") as file:
            self._samples.tofile(file)
        self._brief.errors_file.write_text(json.dumps(self._errors))
        self._engine.dispose()

    def _transact(self, kind: Kind, due: float) -> None:
        started, failed = time.monotonic(), False
        try:
            with self._engine.begin() as connection:
                self._actions[kind](connection)
        except DBAPIError as error:
            failed = True
            self._errors.append((due, f"{kind.name}: {error.orig}"))
        self._samples.extend((kind, due, started, time.monotonic(), failed))

    # --- what they do -----------------------------------------------------------------------------------------

    def _read(self, connection: Connection) -> None:
        connection.execute(READ_ORDER, {"id": self._some_id()}).one()

    def _change(self, connection: Connection) -> None:
        which = {"id": self._some_id()}
        connection.execute(READ_ORDER, which).one()
        connection.execute(CHANGE_ORDER, {**which, "status": self._random.choice(STATUSES)})

    def _new(self, connection: Connection) -> None:
        values = {
            "mechanic": "Игорь Коваленко",
            "telegram": "317764902",
            "category": "Подвеска",
            "vin": f"WVWZZZ1JZXW{self._random.randrange(10**6):06}",
            "parts": '["Рычаг нижний", "Шаровая опора"]',
        }
        connection.execute(NEW_ORDER, values).scalar_one()

    def _hold(self, connection: Connection) -> None:
        which = {"id": 1 + self._brief.number * LONG_IDS + self._random.randrange(LONG_IDS)}
        status = connection.execute(HOLD_ORDER, which).one().status
        time.sleep(LONG_SECONDS)
        connection.execute(CHANGE_ORDER, {**which, "status": status})

    def _some_id(self) -> int:
        reserved = self._brief.clients * LONG_IDS
        return self._random.randrange(reserved, self._brief.rows) + 1

    def _mixed_kinds(self) -> Iterator[Kind]:
        kinds, weights = list(SHARES), list(SHARES.values())
        while True:
            yield from self._random.choices(kinds, weights, k=1000)


def samples_of(brief: Brief) -> list[Sample]:
    """What a client has noted."""
    values = array("d", brief.samples_file.read_bytes())
    fields = [iter(values)] * len(Sample._fields)
    return [
        Sample(Kind(int(kind)), due, started, ended, bool(failed))
        for kind, due, started, ended, failed in zip(*fields, strict=True)
    ]


def errors_of(brief: Brief) -> list[tuple[float, str]]:
    """When its transactions that failed were due, and why they did."""
    return [(due, message) for due, message in json.loads(brief.errors_file.read_text())]
