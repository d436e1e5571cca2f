"""apply, rollback, status and plan as stories. Results are values; nothing here prints or exits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nonstop import __version__, plan, scripts
from nonstop.databases.base import Database, DBAPIConnection, RunnerLock
from nonstop.databases.source_secrets import masked_source
from nonstop.descriptions.history import Event, LedgerState, RunIdentity
from nonstop.descriptions.results import (
    MigrationStatus,
    PlannedScript,
    PlanResult,
    RunResult,
    State,
    StatusResult,
)
from nonstop.descriptions.scripts import Direction, Edit, Script
from nonstop.errors import Interruption, NonstopError, Stopped
from nonstop.ledger import Ledger
from nonstop.plan import Facts, Plan, Request

if TYPE_CHECKING:
    from nonstop.descriptions.results import ScriptOutcome
    from nonstop.execution import Surroundings
    from nonstop.stopping import Stop


class Listener(NamedTuple):
    """Who wants to hear of a run while it goes on. Each gets text or a value; the defaults ignore it."""

    planned: Callable[[Plan], None] = lambda plan: None
    """What is going to run, before it does; it may raise Refused."""
    started: Callable[[Script, Direction], None] = lambda script, direction: None
    failed: Callable[[], None] = lambda: None
    finished: Callable[[ScriptOutcome], None] = lambda outcome: None
    output: Callable[[str], None] = lambda text: None
    waiting: Callable[[str], None] = lambda line: None


@dataclass(frozen=True)
class Runner:
    """Migrations of one folder on one database. ``lock_timeout`` and ``deadline`` are seconds.

    ``blocking_budget_ms`` is how long a query of the application may wait for us. On tables of more than ``online_above``
    bytes plain DDL is carried out online; on smaller ones it is sent as it is written.
    """

    database: Database
    folder: Path
    ledger_table: str = "nonstop"
    ledger_schema: str | None = None
    lock_timeout: float = 60.0
    deadline: float | None = None
    blocking_budget_ms: int = 500
    online_above: int = 10 * 1024 * 1024
    listener: Listener = field(default_factory=Listener)

    # --- reading ----------------------------------------------------------------------------------------------

    def status(self) -> StatusResult:
        """Where every migration stands. Writes nothing, takes no lock."""
        with closing(self.database.connect_reading()) as connection:
            facts = self.facts(connection)
        rows = plan.review(facts)
        if facts.ledger.interrupted:
            rows = self._mark_running(rows)
        return StatusResult(self.database.display, rows, plan.problems(facts))

    def _mark_running(self, rows: tuple[MigrationStatus, ...]) -> tuple[MigrationStatus, ...]:
        """A script that was started and not ended is running, as long as somebody holds the lock."""
        lock = self.database.lock(self.ledger_table, "nonstop status")
        try:
            holder = lock.holder()
        finally:
            lock.release()
        if not holder:
            return rows
        return tuple(
            row._replace(state=State.RUNNING, note=holder) if row.state is State.INTERRUPTED else row
            for row in rows
        )

    def events(self, limit: int, run_id: str | None = None) -> list[Event]:
        """The last ``limit`` events of the ledger, oldest first."""
        with closing(self.database.connect_reading()) as connection:
            return self.ledger().events(connection, limit, run_id)

    def planned(self, request: Request) -> Plan:
        """What ``request`` would run. Raises what planning refuses; writes nothing, takes no lock."""
        with closing(self.database.connect_reading()) as connection:
            return self._plan(request, self.facts(connection))

    def plan(self, request: Request) -> PlanResult:
        """The plan as a result."""
        planned = self.planned(request)
        shown = tuple(
            PlannedScript(script.number, script.label, request.direction) for script in planned.scripts
        )
        return PlanResult(self.database.display, request.direction, shown, planned.notes)

    # --- running ----------------------------------------------------------------------------------------------

    def apply(self, request: Request) -> RunResult:
        """Run what is pending. With nothing to do this only reads."""
        return self._run(request)

    def rollback(self, request: Request) -> RunResult:
        """Undo what is applied, newest first. With nothing to do this only reads."""
        return self._run(request)

    def _run(self, request: Request) -> RunResult:
        """Look without the lock; where there is work, take the lock and look again, for another may have done it."""
        started = time.monotonic()
        self.database.recover()
        planned = self.planned(request)
        run_id = ""
        outcomes: list[ScriptOutcome] = []
        error: NonstopError | None = None
        if planned.scripts:
            self.listener.planned(planned)
            identity = new_identity()
            run_id = identity.run_id
            with self.locked(identity) as (lock, stop, connection):
                facts = self.facts(connection)
                planned = self._plan(request, facts)
                error = self._execute(planned, request, (lock, stop, connection), identity, facts, outcomes)
        done = {outcome.number for outcome in outcomes if outcome.succeeded}
        return RunResult(
            self.database.display,
            request.direction,
            run_id,
            tuple(outcomes),
            tuple(script.label for script in planned.scripts if script.number not in done),
            planned.notes,
            round((time.monotonic() - started) * 1000),
            error=error,
        )

    @contextmanager
    def locked(self, identity: RunIdentity) -> Iterator[tuple[RunnerLock, Stop, DBAPIConnection]]:
        """The lock, the signals, and a connection for the ledger, whose schema is settled."""
        from nonstop.lock import hold
        from nonstop.stopping import Stop

        stop = Stop(self.deadline)
        owner = identity.session_name
        with stop.listening():
            try:
                with (
                    hold(
                        self.database, self.ledger_table, owner, self.lock_timeout,
                        self.listener.waiting, stop.checkpoint,
                    ) as lock,
                    closing(self.database.connect()) as connection,
                ):  # fmt: skip
                    # The ledger's session carries the run's mark too: its last commit can't race with a successor.
                    self.database.prepare_session(connection, owner, stop.seconds_left)
                    yield lock, stop, connection
            except Interruption as interruption:
                raise Stopped(interruption, details=("State: nothing was started.",)) from None

    def _execute(
        self,
        planned: Plan,
        request: Request,
        held: tuple[RunnerLock, Stop, DBAPIConnection],
        identity: RunIdentity,
        facts: Facts,
        outcomes: list[ScriptOutcome],
    ) -> NonstopError | None:
        """Run the scripts of a plan in order; the first failure stops the run and is returned."""
        if not planned.scripts:
            return None
        from nonstop.execution import Surroundings

        lock, stop, connection = held
        ledger = self.ledger()
        passed_over = self._passed_over(facts, planned, request)
        with self.writing(ledger, connection):
            for script in passed_over:
                ledger.record_event(
                    connection, "left out", script, identity, f"{request.only:03d} was run alone"
                )
            ledger.record_start(connection, planned.scripts[0], planned.direction, identity)
        engine = self.database.engine()
        try:
            return self._run_each(planned, Surroundings(
                self.database, ledger, connection, engine, lock, stop, identity, frozenset(facts.ledger.interrupted),
                self.blocking_budget_ms, self.online_above, request.allow_blocking, request.discard_data, self.listener.output,
            ), outcomes)  # fmt: skip
        finally:
            engine.dispose()

    def _run_each(
        self, planned: Plan, around: Surroundings, outcomes: list[ScriptOutcome]
    ) -> NonstopError | None:
        from nonstop.execution import run_script

        for script, following in zip(planned.scripts, (*planned.scripts[1:], None), strict=True):

            def then(connection: DBAPIConnection, following: Script | None = following) -> None:
                # The start of the next script goes with the end of this one: one commit for each script.
                if following is not None:
                    around.ledger.record_start(connection, following, planned.direction, around.identity)

            self.listener.started(script, planned.direction)
            try:
                outcome = run_script(script, planned.direction, around, then)
            except NonstopError as error:
                self.listener.failed()
                return error
            outcomes.append(outcome)
            self.listener.finished(outcome)
        return None

    def _passed_over(self, facts: Facts, planned: Plan, request: Request) -> list[Script]:
        """Scripts that one applied alone leaves behind: a later apply takes them up without complaint."""
        if request.only is None or planned.direction is Direction.ROLLBACK:
            return []
        known = facts.ledger.left_out
        return [s for s in facts.pending if s.number < request.only and s.number not in known]

    @contextmanager
    def writing(self, ledger: Ledger, connection: DBAPIConnection) -> Iterator[None]:
        """One transaction on the ledger, whose tables exist by then. The database's errors come as ours."""
        from nonstop.script_ledger import transaction

        try:
            ledger.locate(connection)
            with transaction(self.database, connection):
                ledger.create(connection)
                yield
        except NonstopError:
            raise
        except Exception as error:
            raise self.database.translate(error) or error from error

    # --- what all of them look at -----------------------------------------------------------------------------

    def ledger(self) -> Ledger:
        """The ledger of this runner's settings."""
        return Ledger(self.database, self.ledger_table, self.ledger_schema)

    def facts(self, connection: DBAPIConnection) -> Facts:
        """The folder and the ledger as they are now. Ends the transaction that it reads in: no snapshot stays open."""
        ledger = self.ledger()
        folder = scripts.find(self.folder)
        state = ledger.read(connection)
        edits = self._edits(ledger, connection, folder.scripts, state)
        connection.rollback()
        return Facts(
            folder,
            state,
            edits,
            examine=scripts.examine,
            can_roll_back=scripts.can_roll_back,
            depends_on=scripts.depends_on,
        )

    def _edits(
        self, ledger: Ledger, connection: DBAPIConnection, found: tuple[Script, ...], state: LedgerState
    ) -> dict[int, Edit]:
        """Which applied files differ from what was applied, and how; only those sources are fetched."""
        edited = [
            script
            for script in found
            if script.number in state.applied and state.applied[script.number].checksum != script.checksum
        ]
        sources = ledger.sources(connection, [script.number for script in edited])
        redact = self.database.redact  # applied sources are kept so
        return {
            script.number: scripts.compare(sources[script.number], masked_source(script.text, redact))
            for script in edited
        }

    def _plan(self, request: Request, facts: Facts) -> Plan:
        if request.direction is Direction.APPLY:
            return plan.plan_apply(request, facts)
        return plan.plan_rollback(request, facts)


def new_identity() -> RunIdentity:
    """Who runs this, under a new run id (the time and four random digits)."""
    import getpass
    import secrets
    import socket

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        user = "unknown"
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return RunIdentity(f"{now}-{secrets.token_hex(2)}", user, socket.gethostname(), __version__)
