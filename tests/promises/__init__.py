"""What nonstop promises, and the quick tests that hold it. ``python -m tests.promises`` prints the list.

It fails where a promise has no test in the quick tier: such a test must not be marked ``thorough``.
"""

from __future__ import annotations

from tests.promises import check, exit_codes, failure_modes, interruptions, operations, reliability_page
from tests.promises import refusals_of_databases as databases
from tests.promises import refusals_of_scripts as scripts
from tests.promises import refusals_while_running as running
from tests.promises.promise import Promise

GROUPS: dict[str, tuple[Promise, ...]] = {
    "Failure modes on a busy PostgreSQL": failure_modes.PROMISES,
    "The promises of check": check.PROMISES,
    "The verbs of op": operations.PROMISES,
    "Exit codes": exit_codes.PROMISES,
    "Refused: usage, scripts and history": scripts.PROMISES,
    "Refused: databases, roles and applications": databases.PROMISES,
    "Refused: while a script runs": running.PROMISES,
    "Kills, and several runners": interruptions.PROMISES,
    "Rows of docs/reliability.md": reliability_page.PROMISES,
}
PROMISES: tuple[Promise, ...] = tuple(promise for group in GROUPS.values() for promise in group)
