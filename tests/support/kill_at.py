"""Ends its own process with SIGKILL at a chosen point of its work on the database.

Point 0 is the moment before the first statement, point n the one after the n-th: which is the one before the next, as
far as a database can tell. Every statement and every commit counts, whoever sends it: the script, the ledger, the
guard. Reads do not: killed beside one, the database is as it was beside its neighbours; nor do rollbacks, for a kill is
one. Works underneath SQLAlchemy, on the drivers themselves.
"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

READS = re.compile(r"\s*(SELECT|PRAGMA|SHOW|EXPLAIN)\b", re.IGNORECASE)


class Switch:
    """Counts what has been sent and kills at the chosen point."""

    def __init__(self, point: int) -> None:
        self._left = point

    def around(self, what: str, send: Callable[[], Any]) -> Any:
        """Send a statement; its end is a point."""
        if self._left == 0:
            self._kill(f"before {what}")
        result = send()
        self._left -= 1
        if self._left == 0:
            self._kill(f"after {what}")
        return result

    def _kill(self, moment: str) -> None:
        os.write(2, f"killed {' '.join(moment.split())}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)


def install(point: int) -> None:
    """From now on this process kills itself at ``point``, if it gets there."""
    switch = Switch(point)
    _on_sqlite(switch)
    _on_psycopg(switch)


def _on_sqlite(switch: Switch) -> None:
    class KillingCursor(sqlite3.Cursor):
        def execute(self, statement: str, *parameters: Any) -> Any:
            def send() -> Any:
                return super(KillingCursor, self).execute(statement, *parameters)

            return send() if READS.match(statement) else switch.around(statement, send)

    class KillingConnection(sqlite3.Connection):
        def cursor(self, factory: Any = KillingCursor) -> Any:
            return super().cursor(factory)

        def commit(self) -> None:
            send = super().commit
            switch.around("COMMIT", send) if self.in_transaction else send()

    connect = sqlite3.connect

    def connect_killing(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return connect(*arguments, **{"factory": KillingConnection, **options})

    sqlite3.connect = sqlite3.dbapi2.connect = connect_killing  # type: ignore[assignment]


def _on_psycopg(switch: Switch) -> None:
    execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit

    def killing_execute(cursor: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        statement = query.decode() if isinstance(query, bytes) else str(query)

        def send() -> Any:
            return execute(cursor, query, *arguments, **options)

        return send() if READS.match(statement) else switch.around(statement, send)

    def killing_commit(connection: Any) -> None:
        def send() -> None:
            commit(connection)

        is_idle = connection.info.transaction_status == TransactionStatus.IDLE
        send() if is_idle else switch.around("COMMIT", send)

    psycopg.Cursor.execute = killing_execute  # type: ignore[method-assign,assignment]
    psycopg.Connection.commit = killing_commit  # type: ignore[method-assign,assignment]
