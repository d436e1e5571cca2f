"""An application that goes on using ``orders`` while something else happens to the database.

Threads that read, insert and update through SQLAlchemy, each with a connection of its own, and keep books of what they
have committed: afterwards the table has to hold just that.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, create_engine, text

from tests.support.stage import closing_engine
from tests.support.waiting import until

ROWS = 2000
FIRST_NEW = 1_000_000
PAUSE = 0.003
"""Seconds between two transactions of a client: a steady load, not all that the machine can do."""
READ = text("SELECT id, customer_id, status, amount FROM orders WHERE id = :id")
INSERT = text(
    "INSERT INTO orders (id, customer_id, status, amount, note) VALUES (:id, :customer, 'sent', :id, :note)"
)
UPDATE = text("UPDATE orders SET amount = amount + 1, status = 'paid' WHERE id = :id")
ORDERS = (
    "CREATE TABLE orders (id INTEGER NOT NULL, customer_id INTEGER, status VARCHAR(20) DEFAULT 'new',"
    " amount INTEGER NOT NULL, note TEXT, unused INTEGER, CONSTRAINT positive CHECK (amount > 0))"
)
FILL = (
    f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})"
    " INSERT INTO orders (id, customer_id, amount, note) SELECT i, 1 + i % 3, i, 'note ' || i FROM n"
)
TABLES = [
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL)",
    ORDERS,
    "CREATE INDEX by_amount ON orders (amount)",
    "CREATE TABLE spare (id INTEGER NOT NULL PRIMARY KEY)",
    "INSERT INTO customers VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    FILL,
]


@dataclass
class Traffic:
    """``errors`` is what clients met; ``done`` counts transactions by client; the rest is what they have written."""

    url: str
    engine: Engine
    errors: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    inserted: list[int] = field(default_factory=list)
    raised: Counter[int] = field(default_factory=Counter)

    @property
    def clients(self) -> dict[str, Callable[[Connection, int], None]]:
        return {
            "reader": self._read,
            "slow reader": self._read_slowly,
            "inserter": self._insert,
            "updater": self._update,
        }

    def expected(self) -> dict[int, int]:
        """The amount of each order."""
        return {
            **{number: number + self.raised[number] for number in range(1, ROWS + 1)},
            **{number: number for number in self.inserted},
        }

    def found(self) -> dict[int, int]:
        """The same as the table has it."""
        with closing_engine(self.url) as engine, engine.connect() as connection:
            return dict(tuple(row) for row in connection.execute(text("SELECT id, amount FROM orders")))

    def serve(self, name: str, client: Callable[[Connection, int], None], end: threading.Event) -> None:
        """One client, until the end; its first error is its last deed."""
        number = 0
        try:
            while not end.is_set():
                number += 1
                with self.engine.begin() as connection:
                    client(connection, number)
                self._keep_books(name, number)
                end.wait(PAUSE)
        except Exception as error:
            self.errors.append(f"{name}: {error}")

    def _keep_books(self, name: str, number: int) -> None:
        """Only now it is committed."""
        if name == "inserter":
            self.inserted.append(FIRST_NEW + number)
        if name == "updater":
            self.raised[1 + number % ROWS] += 1
        self.done[name] += 1

    # --- what clients do --------------------------------------------------------------------------------------

    def _read(self, connection: Connection, number: int) -> None:
        assert connection.execute(READ, {"id": 1 + number * 7 % ROWS}).one()

    def _read_slowly(self, connection: Connection, number: int) -> None:
        self._read(connection, number)
        threading.Event().wait(0.02)
        self._read(connection, number + 1)

    def _insert(self, connection: Connection, number: int) -> None:
        connection.execute(INSERT, {"id": FIRST_NEW + number, "customer": 1 + number % 3, "note": "ünï ☕"})

    def _update(self, connection: Connection, number: int) -> None:
        assert connection.execute(UPDATE, {"id": 1 + number % ROWS}).rowcount == 1


@contextmanager
def traffic(url: str, patience_ms: int) -> Iterator[Traffic]:
    """Clients at work for the length of the block; on PostgreSQL none of them waits longer for a lock than ``patience_ms``."""
    options = {"options": f"-c lock_timeout={patience_ms}"} if url.startswith("postgres") else {"timeout": 60}
    address = url.replace("postgresql://", "postgresql+psycopg://", 1)
    load = Traffic(url, create_engine(address, connect_args=options, pool_size=8))
    end = threading.Event()
    threads = [threading.Thread(target=load.serve, args=(*client, end)) for client in load.clients.items()]
    for thread in threads:
        thread.start()
    try:
        until(lambda: load.errors or len(load.done) == len(threads))
        yield load
    finally:
        end.set()
        for thread in threads:
            thread.join()
        load.engine.dispose()
