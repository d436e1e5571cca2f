"""What a script's other clients of libpq get through the environment: ``psycopg.connect``, ``psql``, a child process.

libpq reads PGOPTIONS and PGAPPNAME where the client itself names no ``options`` and no ``application_name``
(PostgreSQL manual, "Environment Variables"). So their sessions are bounded, and found by their name.
"""

from __future__ import annotations

from collections.abc import Mapping

from nonstop.databases.postgresql_session import CHECK_CLIENT_EVERY, LONGEST_IDLE

CLIENT_OF = " client of "
LEDGER_CHARACTERS = 24
"""So many of the ledger's name: PostgreSQL cuts an application_name off at 63."""


def client_of(ledger: str) -> str:
    """What follows ``CLIENT_OF`` in the names of the clients of any script under the ledger called ``ledger``."""
    return ledger[:LEDGER_CHARACTERS]


def client_name(owner: str, ledger: str) -> str:
    """The application_name of the clients that a script of ``owner`` has, under the ledger called ``ledger``."""
    return f"{owner}{CLIENT_OF}{client_of(ledger)}"


def variables(owner: str, ledger: str, budget_ms: int, given: Mapping[str, str]) -> dict[str, str]:
    """What to set, over what is ``given``. Options that are given already come last, so they win.

    ``lock_timeout`` is the whole budget: a client's statements are sent without a look before, so this is the bound of
    their waiting in a queue that holds even where no watchdog does. The budget is also the time after which a build
    with CONCURRENTLY gives up that has to wait for an old transaction: such a client sets its own.
    """
    limits = {
        "lock_timeout": f"{budget_ms}ms",
        "client_connection_check_interval": CHECK_CLIENT_EVERY,
        "idle_in_transaction_session_timeout": LONGEST_IDLE,
        "statement_timeout": "24h",
    }
    ours = " ".join(f"-c {name}={value}" for name, value in limits.items())
    return {
        "PGOPTIONS": f"{ours} {given.get('PGOPTIONS', '')}".rstrip(),
        "PGAPPNAME": client_name(owner, ledger),
    }
