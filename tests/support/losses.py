"""Scripts that lose data, or seem to: what they work on, how they are written, and how they end."""

from __future__ import annotations

from fnmatch import fnmatchcase

from nonstop.descriptions.results import RunResult
from nonstop.descriptions.scripts import Direction
from nonstop.errors import Refused
from nonstop.plan import Request
from tests.support.operations import Trial

SHOP = (
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, plate VARCHAR(20), remark TEXT, empty TEXT)",
    "INSERT INTO orders (id, plate, remark) VALUES (1, 'a', 'x'), (2, 'b', NULL), (3, NULL, NULL)",
    "CREATE TABLE parts (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id) ON DELETE CASCADE)",
    "INSERT INTO parts VALUES (1, 1), (2, 1)",
    "CREATE TABLE drafts (id INTEGER PRIMARY KEY, note TEXT)",
)
AUTOCOMMIT = ".execution_options(isolation_level='AUTOCOMMIT')"


def sending(*statements: str, options: str = "") -> str:
    """The lines that send statements in one transaction of the script's own."""
    lines = [f"with engine.connect(){options} as connection:"]
    lines += [f"    connection.execute(text({statement!r}))" for statement in statements]
    return "\n".join([*lines, "    connection.commit()"])


def refused(trial: Trial, *losses: str) -> None:
    """The next apply is refused for ``losses``, and changes nothing. A ``*`` in them is an estimate of the server's."""
    before = trial.look()
    error = trial.failure()
    assert isinstance(error, Refused), (error.message, error.details)
    assert fnmatchcase(error.message, f"this would lose data: {'; '.join(losses)}"), error.message
    assert "State: 001_x was undone completely." in error.details
    assert "discards_data" in error.next_step
    assert "--discard-data" in error.next_step
    assert trial.look() == before


def doubtful(trial: Trial, reason: str) -> None:
    """The next apply is refused because nobody can tell what is lost, and changes nothing."""
    before = trial.look()
    error = trial.failure()
    assert isinstance(error, Refused), (error.message, error.details)
    assert "this may lose data" in error.message
    assert reason in error.message
    assert trial.look() == before


def passes(trial: Trial) -> tuple[str, ...]:
    """The next apply passes; its notes come back."""
    (outcome,) = trial.apply().outcomes
    return outcome.notes


def discarding(trial: Trial) -> RunResult:
    """Apply with ``--discard-data``."""
    result = trial.runner.apply(Request(Direction.APPLY, discard_data=True))
    assert result.error is None, (result.error.message, result.error.details)
    return result
