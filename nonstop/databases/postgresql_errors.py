"""Errors of PostgreSQL, in the words of nonstop: what happened, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nonstop.databases.base import LockConflict
from nonstop.errors import DatabaseUnreachable, LockNotObtained, NonstopError, PermissionMissing

if TYPE_CHECKING:
    from nonstop.databases.base import Database

LOCK_CONFLICTS = {
    "55P03": LockConflict.NOT_AVAILABLE,
    "57014": LockConflict.CANCELLED,
    "40P01": LockConflict.DEADLOCK,
}
"""By SQLSTATE: lock_not_available, query_canceled, deadlock_detected."""


def sqlstate(error: BaseException) -> str:
    """The five characters of an error's SQLSTATE, from either driver; empty where it has none."""
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""


def is_disconnect(error: BaseException) -> bool:
    """Whether the server has ended the session: admin_shutdown, or no SQLSTATE because the connection is gone."""
    is_gone = type(error).__name__ in ("OperationalError", "InterfaceError") and not sqlstate(error)
    return is_gone or sqlstate(error) == "57P01"


def translated(error: Exception, database: Database) -> NonstopError | None:
    """The error of ours that says the same; None where there is none."""
    match sqlstate(error):
        case "42501":
            return PermissionMissing(
                f"the role {database.url.username or 'of this connection'} may not do this: {first_line(error)}",
                next_step="grant it the right, or connect as the owner (MIGRATION_DATABASE_URL)",
            )
        case "25006":
            return PermissionMissing(
                f"{database.display} can't be written: {first_line(error)}",
                next_step="this is a standby, or read-only: connect to the primary",
            )
        case "57P01" | "57P02" | "57P03" | "08006" | "08003":
            return unreachable(error, database)
    return None


def unreachable(error: Exception, database: Database) -> DatabaseUnreachable:
    """The error of a connection that is not to be had, or was lost."""
    reason = " ".join(str(error).split())
    if "password authentication failed" in reason or "no password supplied" in reason:
        next_step = "check the user and the password in DATABASE_URL (a '%' in it is written %25, a '@' %40)"
    elif 'database "' in reason and "does not exist" in reason:
        next_step = f"create it (createdb {database.url.database}), or correct the name in DATABASE_URL"
    elif 'role "' in reason and "does not exist" in reason:
        next_step = "create the role, or correct the user in DATABASE_URL"
    elif "connect" in reason or "resolve" in reason:
        next_step = "check that the server runs and that DATABASE_URL is right, or wait for it with --wait"
    else:
        next_step = "check DATABASE_URL and the rights of its role"
    return DatabaseUnreachable(
        f"no connection to {database.display}: {database.redact(reason)}", next_step=next_step
    )


def lost_lock(error: Exception) -> LockNotObtained:
    """The error of a runner whose lock went with its connection."""
    return LockNotObtained(
        f"the connection that holds the runner's lock was lost: {first_line(error)}",
        next_step="see where things stand with status, then run again",
    )


def described(error: BaseException) -> list[str]:
    """What the server said, a line for each part."""
    lines = [f"{type(error).__name__} ({sqlstate(error) or 'no SQLSTATE'}): {first_line(error)}"]
    diagnostic = getattr(error, "diag", None)
    for label, field in (("DETAIL", "message_detail"), ("HINT", "message_hint"), ("WHERE", "context")):
        text = getattr(diagnostic, field, None)
        if text:
            lines.append(f"{label}: {text}")
    return lines


def first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
