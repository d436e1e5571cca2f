"""Hooks on SQLAlchemy's classes and on Python's audit events, effective only in the context that runs a script."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import Pool

from nonstop.databases.base import DBAPIConnection
from nonstop.databases.wording import is_write

if TYPE_CHECKING:
    from nonstop.guard.session import Guard

CALLING_OTHERS = frozenset(
    {
        "subprocess.Popen",
        "os.system",
        "os.posix_spawn",
        "os.fork",
        "os.forkpty",
        "os.exec",
        "socket.connect",
        "sqlite3.connect",
    }
)
"""Python's audit events by which a script calls somebody who may look at the database, or change it."""

importing: ContextVar[Callable[[str], None] | None] = ContextVar("nonstop_importing", default=None)
"""Takes each statement that may write while a script, and with it the application, is imported."""
active: ContextVar[Guard | None] = ContextVar("nonstop_guard", default=None)
"""The guard of the script that runs in this context."""


@cache
def install() -> None:
    """Put the hooks in place, once per process; without an active guard they do nothing."""
    event.listen(Pool, "checkout", _on_checkout)
    event.listen(Pool, "checkin", _on_checkin)
    event.listen(Engine, "engine_connect", _on_connect)
    event.listen(Engine, "before_cursor_execute", _before, retval=True)
    event.listen(Engine, "after_cursor_execute", _after)
    event.listen(Engine, "handle_error", _on_error)
    sys.addaudithook(_on_audit)


def is_autocommit(connection: Connection) -> bool:
    """Whether each statement on this connection commits itself."""
    chosen = connection.get_execution_options().get("isolation_level")
    level = chosen or getattr(connection.dialect, "_on_connect_isolation_level", None)
    return level == "AUTOCOMMIT"


def _watching(connection: Connection) -> Guard | None:
    """The guard, where ``connection`` leads to the database that it guards."""
    guard = active.get()
    return guard if guard is not None and guard.watches(connection) else None


def _on_connect(connection: Connection) -> None:
    if (guard := _watching(connection)) is not None:
        guard.checkouts.on_connect(connection)


def _on_checkout(connection: DBAPIConnection, record: Any, proxy: Any) -> None:
    if (guard := active.get()) is not None:
        guard.checkouts.on_checkout(connection)


def _on_checkin(connection: DBAPIConnection | None, record: Any) -> None:
    if (guard := active.get()) is not None and connection is not None:
        guard.checkouts.on_checkin(connection)


def _before(
    connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> tuple[str, Any]:
    if (guard := _watching(connection)) is not None:
        statement = guard.before_statement(connection, statement)
    elif (guard := active.get()) is not None:
        guard.before_foreign_statement(statement)
    elif (note := importing.get()) is not None and is_write(statement):
        note(statement)
    return statement, parameters


def _after(
    connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> None:
    if (guard := _watching(connection)) is not None:
        guard.after_statement(connection, statement, cursor.rowcount)


def _on_error(context: Any) -> None:
    guard, connection = active.get(), context.connection
    if guard is None or context.statement is None:
        return
    if connection is None or connection.closed or guard.watches(connection):
        guard.on_error(context.connection, context.statement, context.original_exception)


def _on_audit(name: str, arguments: tuple[Any, ...]) -> None:
    if name in CALLING_OTHERS and (guard := active.get()) is not None:
        guard.before_others_look()
