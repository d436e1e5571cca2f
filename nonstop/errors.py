"""Everything that can go wrong, as one tree. Each error knows its exit code and the next step to take.

NonstopError
├── UsageError              2   a flag, a setting, a file name or an address that cannot work
│   └── PermissionMissing   2   the database's role may not do what is needed
├── ValidationError         4   the scripts and the ledger do not fit together
│   └── DefinitionConflict  4   an object exists already, with another definition
├── LockNotObtained         5   another runner holds the lock
├── DatabaseUnreachable     6   no connection
├── MigrationFailed         1   a script failed and everything it did was undone
├── Stopped                 *   a signal, the deadline or a lost lock ended the run cleanly
├── StoppedPartWay          7   a script stopped after some of it had been committed
└── Refused                 8   not confirmed, no way back, or data would be lost

Interruption (a BaseException) travels through a script that must stop: no ``except Exception`` can swallow it.
├── MadeWay: the application goes first; the script is tried again
└── StalledTooOften: the application has waited for the script too often; it is not tried again
"""

from __future__ import annotations


class NonstopError(Exception):
    """Base of all errors that a user can meet.

    ``message`` says what happened, ``details`` are further lines (a statement, a position, the server's hint), and
    ``next_step`` is the sentence or the command that helps.
    """

    exit_code = 1

    def __init__(self, message: str, *, details: tuple[str, ...] = (), next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.next_step = next_step


class UsageError(NonstopError):
    """A flag, a setting, a file name or an address that cannot work."""

    exit_code = 2


class PermissionMissing(UsageError):
    """The role that we connect as lacks a right."""


class ValidationError(NonstopError):
    """The scripts and the ledger do not fit together; nothing was run."""

    exit_code = 4


class DefinitionConflict(ValidationError):
    """An object that a script wants to create exists already and differs from what the script describes."""


class LockNotObtained(NonstopError):
    """Another runner held the lock for longer than ``--lock-timeout``, or ours was lost."""

    exit_code = 5


class DatabaseUnreachable(NonstopError):
    """No connection to the database."""

    exit_code = 6


class MigrationFailed(NonstopError):
    """A script failed, and all that it did was undone."""

    exit_code = 1


class Stopped(NonstopError):
    """The run was ended from outside between two statements, and the script at work was undone.

    Its exit code is the Interruption's: 130 or 143 for a signal, 5 for a lost lock, 1 for the deadline.
    """

    def __init__(
        self, interruption: Interruption, *, details: tuple[str, ...] = (), next_step: str = ""
    ) -> None:
        super().__init__(f"stopped: {interruption.reason}", details=details, next_step=next_step)
        self.exit_code = interruption.exit_code


class StoppedPartWay(NonstopError):
    """A script stopped after a part of it had been committed."""

    exit_code = 7


class Refused(NonstopError):
    """A person has to decide first: not confirmed, no way back, or data would be lost."""

    exit_code = 8


class Interruption(BaseException):
    """Stops a script between two statements: a signal, a deadline, or a lost lock.

    ``exit_code`` is what the process ends with when everything could be undone. ``next_step`` is what helps; where it
    is empty, another run does.
    """

    next_step = ""

    def __init__(self, reason: str, exit_code: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.exit_code = exit_code


class MadeWay(Interruption):
    """A statement got no lock within the blocking budget, or was broken off because the application waited for it.

    The script as a whole is tried again, if nothing of it was committed. ``broken_off`` tells the second case: it
    will happen again if the statement itself takes longer than the budget.
    """

    def __init__(self, reason: str, *, broken_off: bool = False, next_step: str = "") -> None:
        super().__init__(reason, LockNotObtained.exit_code)
        self.broken_off = broken_off
        self.next_step = next_step


class StalledTooOften(Interruption):
    """The application has waited for a script again and again, for as long in all as it may."""

    next_step = (
        "commit before the script computes or waits, and do what takes long with op or in batches;"
        " or allow longer waits with --blocking-budget"
    )

    def __init__(self, reason: str) -> None:
        super().__init__(reason, LockNotObtained.exit_code)
