"""Disturbs its own process at a chosen point of its work on the database: kills it, or lets a statement fail.

Point 0 is the moment before the first statement, point n the one after the n-th: which is the one before the next, as
far as a database can tell. Every statement and every commit counts, whoever sends it: the script, the ledger, the
guard; or those only that are the script's (see ``counts``). Reads do not: killed beside one, the database is as it was
beside its neighbours; nor do rollbacks, for a kill is one. Works underneath SQLAlchemy, on the drivers themselves.
"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from nonstop.databases.wording import is_write

READS = re.compile(r"\s*(SELECT|PRAGMA|SHOW|EXPLAIN)\b", re.IGNORECASE)
Counts = Callable[[str], bool]
"""Whether a statement is one of those that are counted."""


def every_statement(statement: str) -> bool:
    """Whatever is sent."""
    return True


def of_the_script(ledger_tables: frozenset[str]) -> Counts:
    """Neither the ledger's statements nor what only looks or prepares the session."""

    def counts(statement: str) -> bool:
        is_lock = statement.lstrip().startswith("LOCK ")
        return is_write(statement) and not is_lock and not any(table in statement for table in ledger_tables)

    return counts


class Disturbance:
    """Counts what is sent and acts at a point. A commit counts where its transaction has sent something that counts.

    ``kill_at`` is the point of a SIGKILL, ``fail_at`` the number of a statement (from 1) that fails instead of being sent;
    None: never. ``seen`` is how many there were, ``sent`` the statements among them.
    """

    def __init__(
        self, counts: Counts = every_statement, kill_at: int | None = None, fail_at: int | None = None
    ) -> None:
        self._counts = counts
        self._kill_at = kill_at
        self._fail_at = fail_at
        self._uncommitted: set[int] = set()
        self.seen = 0
        self.sent: list[str] = []

    def around(self, connection: Any, what: str, send: Callable[[], Any], failure: type[Exception]) -> Any:
        """Send a statement; its end is a point."""
        if READS.match(what) or not self._counts(what):
            return send()
        self.sent.append(what)
        if getattr(connection, "autocommit", False) is not True:
            self._uncommitted.add(id(connection))
        return self._count(what, send, failure)

    def around_commit(self, connection: Any, send: Callable[[], Any], failure: type[Exception]) -> Any:
        """The same for a COMMIT; one of a transaction that has sent nothing that counts is not counted."""
        if self._counts is not every_statement and id(connection) not in self._uncommitted:
            return send()
        self._uncommitted.discard(id(connection))
        return self._count("COMMIT", send, failure)

    def _count(self, what: str, send: Callable[[], Any], failure: type[Exception]) -> Any:
        if self._kill_at == 0 == self.seen:
            self._kill(f"before {what}")
        if self.seen + 1 == self._fail_at:
            self._fail_at = None
            raise failure("this failure was made by nonstop check, to see what the script makes of it")
        result = send()
        self.seen += 1
        if self.seen == self._kill_at:
            self._kill(f"after {what}")
        return result

    def _kill(self, moment: str) -> None:
        os.write(2, f"killed {' '.join(moment.split())}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)


def install(disturbance: Disturbance) -> Disturbance:
    """From now on the drivers of this process are under ``disturbance``."""
    _on_sqlite(disturbance)
    if find_spec("psycopg"):
        _on_psycopg(disturbance)
    if find_spec("psycopg2"):
        _on_psycopg2(disturbance)
    return disturbance


def _on_sqlite(disturbance: Disturbance) -> None:
    def around(cursor: Any, method: str, statement: str, *rest: Any) -> Any:
        send = getattr(super(DisturbedCursor, cursor), method)
        return disturbance.around(
            cursor.connection, statement, lambda: send(statement, *rest), sqlite3.OperationalError
        )

    class DisturbedCursor(sqlite3.Cursor):
        def execute(self, statement: str, *parameters: Any) -> Any:
            return around(self, "execute", statement, *parameters)

        def executemany(self, statement: str, *parameters: Any) -> Any:
            return around(self, "executemany", statement, *parameters)

        def executescript(self, statement: str, *parameters: Any) -> Any:
            return around(self, "executescript", statement, *parameters)

    class DisturbedConnection(sqlite3.Connection):
        def cursor(self, factory: Any = DisturbedCursor) -> Any:
            return super().cursor(factory)

        def commit(self) -> None:
            send = super().commit
            if self.in_transaction:
                disturbance.around_commit(self, send, sqlite3.OperationalError)
            else:
                send()

    connect = sqlite3.connect

    def connect_disturbed(*arguments: Any, **options: Any) -> Any:
        return connect(*arguments, **{"factory": DisturbedConnection, **options})

    sqlite3.connect = sqlite3.dbapi2.connect = connect_disturbed


def _text(query: Any, cursor: Any) -> str:
    """What is sent, as text: the drivers take bytes, and composed SQL, too."""
    if isinstance(query, bytes):
        return query.decode()
    return str(query.as_string(cursor)) if hasattr(query, "as_string") else str(query)


def _on_psycopg(disturbance: Disturbance) -> None:
    import psycopg
    from psycopg.pq import TransactionStatus

    def disturbed(send: Any) -> Any:
        def around(cursor: Any, query: Any, *arguments: Any, **options: Any) -> Any:
            return disturbance.around(
                cursor.connection,
                _text(query, cursor),
                lambda: send(cursor, query, *arguments, **options),
                psycopg.OperationalError,
            )

        return around

    commit = psycopg.Connection.commit

    def disturbed_commit(connection: Any) -> None:
        if connection.info.transaction_status == TransactionStatus.IDLE:
            commit(connection)
        else:
            disturbance.around_commit(connection, lambda: commit(connection), psycopg.OperationalError)

    psycopg.Cursor.execute = disturbed(psycopg.Cursor.execute)  # type: ignore[method-assign]
    psycopg.Cursor.executemany = disturbed(psycopg.Cursor.executemany)  # type: ignore[method-assign]
    psycopg.Connection.commit = disturbed_commit  # type: ignore[method-assign,assignment]


def _on_psycopg2(disturbance: Disturbance) -> None:
    import psycopg2
    import psycopg2.extensions

    def around(cursor: Any, method: str, query: Any, *rest: Any) -> Any:
        send = getattr(super(DisturbedCursor, cursor), method)
        return disturbance.around(
            cursor.connection, _text(query, cursor), lambda: send(query, *rest), psycopg2.OperationalError
        )

    class DisturbedCursor(psycopg2.extensions.cursor):  # type: ignore[misc]
        def execute(self, query: Any, *rest: Any) -> Any:
            return around(self, "execute", query, *rest)

        def executemany(self, query: Any, *rest: Any) -> Any:
            return around(self, "executemany", query, *rest)

    class DisturbedConnection(psycopg2.extensions.connection):  # type: ignore[misc]
        def cursor(self, *arguments: Any, **options: Any) -> Any:
            return super().cursor(*arguments, **{"cursor_factory": DisturbedCursor, **options})

        def commit(self) -> None:
            send = super().commit
            if self.status == psycopg2.extensions.STATUS_READY:
                send()
            else:
                disturbance.around_commit(self, send, psycopg2.OperationalError)

    connect = psycopg2.connect

    def connect_disturbed(*arguments: Any, **options: Any) -> Any:
        return connect(*arguments, **{"connection_factory": DisturbedConnection, **options})

    psycopg2.connect = connect_disturbed
