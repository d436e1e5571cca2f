"""What is played on the stage: each function here runs in a process of its own, on one scratch database."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from nonstop.check import disturbance, stagehand
from nonstop.check.disturbance import Disturbance
from nonstop.check.isolation import attempts
from nonstop.databases import open_database
from nonstop.databases.base import Database, Violation
from nonstop.descriptions.results import ScriptOutcome
from nonstop.descriptions.scripts import Direction
from nonstop.errors import MadeWay, NonstopError
from nonstop.plan import Request
from nonstop.runner import Listener, Runner

CONSTRAINTS = (Violation.NOT_NULL, Violation.UNIQUE, Violation.CHECK, Violation.FOREIGN_KEY)
WHY_ALLOWED = "this is a rehearsal"


class Setting(NamedTuple):
    """What all acts of a check share: where the scripts are and what the ledger is called; ``deadline`` is seconds."""

    folder: Path
    ledger_table: str
    ledger_schema: str | None
    budget_ms: int
    deadline: float

    @property
    def own_prefix(self) -> str:
        """How the names of the ledger's tables begin."""
        return f"{self.ledger_table}_"


class Failure(NamedTuple):
    """An error of nonstop's as plain values; ``line`` is the script's, 0 where it is not known. ``is_of_rows``: a constraint
    has refused rows; ``made_way``: the application, or what stood for it, was kept waiting for too long."""

    kind: str
    message: str
    details: tuple[str, ...]
    next_step: str
    exit_code: int
    line: int
    is_of_rows: bool = False
    made_way: bool = False

    @property
    def in_a_line(self) -> str:
        """What failed, with what the server said of it."""
        told = [detail for detail in self.details if not detail.startswith(("at ", "State:", "statement "))]
        return "; ".join([self.message, *told[:2]])


class Ran(NamedTuple):
    """How one script ran. ``points`` are its statements and commits; ``imports`` the installed modules that it loaded;
    ``attempts`` tell where it tried to reach something else than its scratch database; ``unguarded`` are statements that it
    sent on connections of its own, which the guard does not see."""

    outcome: ScriptOutcome | None
    failure: Failure | None
    points: int
    imports: tuple[str, ...] = ()
    attempts: tuple[str, ...] = ()
    unguarded: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        return self.failure is None


def run(
    setting: Setting, url: str, number: int, direction: Direction,
    kill_at: int | None = None, fail_at: int | None = None, is_alone: bool = True,
) -> Ran:  # fmt: skip
    """Run one script alone under the runner, as in production but for what it is allowed: to block, and to lose data.

    ``is_alone``: there is no traffic beside it.
    """
    stagehand.work_on(url)
    database = open_database(url).rehearsals.stand_in(is_alone)
    runner = Runner(
        database, setting.folder, setting.ledger_table, setting.ledger_schema, 30.0, setting.deadline,
        setting.budget_ms, online_above=0, listener=Listener(),
    )  # fmt: skip
    counts = disturbance.of_the_script(runner.ledger().table_names)
    disturbed = disturbance.install(Disturbance(counts, kill_at, fail_at))
    request = Request(
        direction, only=number, allow_edited=True, allow_blocking=WHY_ALLOWED, discard_data=True
    )
    try:
        result = runner.apply(request)
    except NonstopError as error:
        return Ran(None, _failure(error, database), disturbed.seen, attempts=_attempts(setting))
    outcome = result.outcomes[0] if result.outcomes else None
    failure = None if result.error is None else _failure(result.error, database)
    return Ran(
        outcome, failure, disturbed.seen, tuple(stagehand.learn_imports()), _attempts(setting),
        _unguarded(disturbed.sent, outcome),
    )  # fmt: skip


def try_out(setting: Setting, url: str, number: int) -> Ran:
    """Apply a script with each of its statements committed by itself: what can't be done in one transaction can be seen so."""
    from sqlalchemy import Connection, Engine, event

    @event.listens_for(Engine, "engine_connect")
    def commit_each_statement(connection: Connection) -> None:
        connection.execution_options(isolation_level="AUTOCOMMIT")

    return run(setting, url, number, Direction.APPLY)


def _unguarded(sent: list[str], outcome: ScriptOutcome | None) -> tuple[str, ...]:
    """What went to the database and not through the guard, as far as the run came to its end."""
    if outcome is None:
        return ()
    known = {" ".join(text.split()) for record in outcome.statements for text in (record.sql, record.sent)}
    return tuple(text for text in dict.fromkeys(sent) if " ".join(text.split()) not in known)


def _attempts(setting: Setting) -> tuple[str, ...]:
    """What was tried in this process, in words, with the script's line where it is known."""
    told = []
    for attempt in attempts():
        own = [(file, line) for file, line in attempt.stack if Path(file).parent == setting.folder]
        at = f" (line {own[0][1]})" if own else ""
        told.append(f"it tried to reach {attempt.address} by {attempt.by}{at}")
    return tuple(dict.fromkeys(told))


def _failure(error: NonstopError, database: Database) -> Failure:
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    return Failure(
        type(error).__name__, error.message, error.details, error.next_step, error.exit_code, _line(error.details),
        any(database.violation(cause) in CONSTRAINTS for cause in causes),
        any(isinstance(cause, MadeWay) for cause in causes),
    )  # fmt: skip


def _line(details: tuple[str, ...]) -> int:
    """The line in ``at /a/b.py:12 in apply()``."""
    for detail in details:
        if detail.startswith("at "):
            digits = detail.rpartition(":")[2].split(" ")[0]
            return int(digits) if digits.isdigit() else 0
    return 0
