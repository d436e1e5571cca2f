"""One script, from loading its file to the row of its end. The runner strings these together."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from nonstop import scripts
from nonstop.databases.base import Database, DBAPIConnection, RunnerLock
from nonstop.descriptions.activity import Waiter
from nonstop.descriptions.history import RunIdentity
from nonstop.descriptions.operations import LockClass, current_executor
from nonstop.descriptions.results import AllowedToBlock, ScriptOutcome
from nonstop.descriptions.scripts import Direction, Script
from nonstop.errors import (
    DatabaseUnreachable,
    Interruption,
    LockNotObtained,
    MadeWay,
    MigrationFailed,
    NonstopError,
    Refused,
)
from nonstop.failure import Failure, Remains
from nonstop.guard.bare_connections import noticing_bare_connections
from nonstop.guard.connections import Connections
from nonstop.guard.environment import ClientEnvironment
from nonstop.guard.journal import Journal
from nonstop.guard.judged import Services
from nonstop.guard.lookout import GIVE_UP_AFTER, Lookout
from nonstop.guard.losses import Losses
from nonstop.guard.manners import Manners
from nonstop.guard.patience import Allowance
from nonstop.guard.plain_sql import PlainSql
from nonstop.guard.session import Guard
from nonstop.guard.stall_limit import StallLimit
from nonstop.guard.transactions import Transactions
from nonstop.guard.watchdog import Watchdog
from nonstop.ledger import Ledger
from nonstop.operations import raw_ddl
from nonstop.operations.executor import Executor
from nonstop.output import captured_output
from nonstop.script_call import call
from nonstop.script_ledger import ScriptLedger
from nonstop.stopping import Stop

if TYPE_CHECKING:
    from sqlalchemy import Engine

MOST_BROKEN_OFF = 5
"""So often a script is tried again whose own statement kept the application waiting."""


@dataclass(frozen=True)
class Surroundings:
    """What every script of a run shares. ``connection`` is the ledger's own, in autocommit mode between scripts.

    ``interrupted`` are the numbers of scripts that earlier runs have left in the middle. ``online_above`` is the size of
    a table in bytes from which plain DDL is carried out online.
    """

    database: Database
    ledger: Ledger
    connection: DBAPIConnection
    engine: Engine
    lock: RunnerLock
    stop: Stop
    identity: RunIdentity
    interrupted: frozenset[int]
    budget_ms: int
    online_above: int
    allow_blocking: str | None
    discard_data: bool
    on_output: Callable[[str], None]


def run_script(
    script: Script, direction: Direction, around: Surroundings, then: Callable[[DBAPIConnection], None]
) -> ScriptOutcome:
    """Run one script and record its end; ``then`` writes what else belongs into that same transaction.

    A script that has to make way for the application before anything of it is committed begins anew. Raises
    MigrationFailed (all undone), StoppedPartWay (something was committed), Stopped, or the error of its own that a
    script met (DefinitionConflict, UsageError …) when nothing was committed.
    """
    allowance, stall_limit = Allowance.of(around.budget_ms), StallLimit(around.budget_ms)
    give_up_at = time.monotonic() + GIVE_UP_AFTER
    broken_off = 0
    for attempt in count(1):
        may_retry = time.monotonic() < give_up_at and broken_off < MOST_BROKEN_OFF
        try:
            return ScriptRun(script, direction, around, allowance, attempt, stall_limit).run(then, may_retry)
        except MadeWay as conflict:
            broken_off += conflict.broken_off
            allowance.grow()
            # After a stall there is more to do for the application than to get one lock.
            pause_ms = around.budget_ms if conflict.broken_off else allowance.timeout_ms
        time.sleep(pause_ms / 1000 * random.uniform(0.5, 1.0))
    raise AssertionError("count() does not end")


class ScriptRun:
    """One attempt at a script in one direction."""

    def __init__(
        self, script: Script, direction: Direction, around: Surroundings, allowance: Allowance, attempt: int,
        stall_limit: StallLimit,
    ) -> None:  # fmt: skip
        self._script = script
        self._direction = direction
        self._around = around
        self._allowance = allowance
        self._stall_limit = stall_limit
        self._notes: list[str] = (
            [f"it made way for the application {attempt - 1} time(s)"] if attempt > 1 else []
        )
        self._allowed: list[AllowedToBlock] = []
        self._journal = Journal(str(script.path))
        self._ledger = ScriptLedger(
            around.ledger, around.database, around.connection, script, direction, around.identity
        )
        self._losses = Losses(
            around.database, around.database.loss_watch(around.connection, around.ledger.qualified_names), direction,
            self._discarding(), self._notes.append, self._remember_refusal,
        )  # fmt: skip
        self._connections = Connections(around.database)
        self._transactions = Transactions(
            around.database, self._connections, self._ledger.record_commit, self._losses
        )
        self._lookout = Lookout(
            around.database, around.budget_ms, allowance, self._connections.session_ids_of_this_thread, self._checkpoint,
            self._notes.append, self._journal.waited,
        )  # fmt: skip
        manners = Manners(
            around.database,
            self._lookout.wait_outside,
            self._lookout.lock_patiently,
            self._lock_timeout_ms,
            self._transactions.has_written,
            self._was_broken_off,
            attempt,
        )
        self._executor = Executor(
            around.database, around.engine, self._transactions, self._record_step, self._notes.append, self._lookout.lock_patiently,
            self._checkpoint,
        )  # fmt: skip
        self._plain_sql = PlainSql(around.database, self._transactions, manners, Services(
            self._run_online, self._run_deferred, self._executor.names_resolve_as, self._lookout.known, self._own_holders,
            around.online_above, around.allow_blocking, self._notes.append, self._allowed.append,
        ))  # fmt: skip
        self._guard = Guard(
            around.database,
            self._prepare_session,
            self._transactions,
            self._journal,
            self._checkpoint,
            self._plain_sql,
            self._losses,
        )
        self._environment = ClientEnvironment(
            around.database.client_environment(
                around.connection, around.identity.session_name, around.budget_ms, os.environ
            )
        )
        self._watchdog: Watchdog | None = None
        self._earlier: tuple[str, ...] = ()
        """What earlier runs of the script have committed that were interrupted."""
        self._started = time.monotonic()

    def run(self, then: Callable[[DBAPIConnection], None], may_retry: bool) -> ScriptOutcome:
        """As :func:`run_script`, once. Raises MadeWay where another attempt is worth it."""
        with captured_output(self._around.on_output, self._around.database.redact) as output:
            try:
                with (
                    # Threads of ours start before the guard is armed: it takes those that start later for the script's.
                    self._watched(), self._around.stop.breaking_off(self._connections.cancel),
                    self._guard.armed(), self._environment.passed_on(),
                    noticing_bare_connections(self._transactions.note_others),
                ):  # fmt: skip
                    if not self._take_up():
                        self._call()
                    self._finish(then)
            except (Exception, Interruption, KeyboardInterrupt, SystemExit) as error:
                cause = self._cause(error)
                may_retry = may_retry and not self._client_was_broken_off()
                if isinstance(cause, MadeWay) and may_retry and self._transactions.undo_everything():
                    raise cause from None
                raise self._failure(cause) from (cause if isinstance(cause, MadeWay) else error)
            finally:
                self._executor.close()
                self._lookout.close()
                self._guard.checkouts.dispose_engines(self._around.engine)
        if self._transactions.dropped_writes:
            self._notes.append(
                "a transaction that had written was rolled back by the script (a commit() forgotten?)"
            )
        waited_ms = self._say_how_long_writers_waited()
        return ScriptOutcome(
            self._script.number, self._script.label, self._direction, True, self._milliseconds(),
            self._journal.records(), output.text, tuple(self._notes), waited_ms,
            tuple(self._allowed),
        )  # fmt: skip

    # --- the story --------------------------------------------------------------------------------------------

    def _call(self) -> None:
        self._checkpoint()
        with self._guard.loading():
            module = scripts.load(self._script)
        if self._guard.changed_at_import:
            self._notes.append(
                f"the application changes the database while it is imported: {self._guard.changed_at_import}"
            )
        function = scripts.function(module, self._direction.value)
        token = current_executor.set(self._executor)
        try:
            call(function, self._direction.value, self._script.path.name)
        finally:
            current_executor.reset(token)
        self._wait_for_threads()
        if self._guard.stops.interruption or self._guard.stops.refusal:
            raise self._guard.stops.interruption or self._guard.stops.refusal  # type: ignore[misc]  # one of them is set
        if self._guard.commits.undone_by_error:
            raise Refused(
                f"refused, for the script went on after an error that has undone: {self._guard.commits.undone_by_error}",
                details=("SQLite's driver alone would have kept that.",),
                next_step="commit that before what may fail, or let the error end the script",
            )
        if (failure := self._failure_of_client()) is not None:
            raise failure  # whatever the script made of it
        if (termination := self._termination()) is not None:
            raise termination  # what it has done since that transaction was lost is not the whole

    def _wait_for_threads(self) -> None:
        """Let the script's threads end. Raises MigrationFailed where one would end only with the process."""
        self._transactions.threads.wait(self._checkpoint)
        daemons = self._transactions.threads.daemons
        if daemons and self._connections.of_other_threads():
            raise MigrationFailed(
                f"{self._script.path.name}: {self._direction.value}() returned while a thread of it works on the database:"
                f" {', '.join(daemons)}",
                next_step="join() the thread before the end",
            )

    def _take_up(self) -> bool:
        """Carry out what an earlier run had committed to; whether the script had nothing more to do by then."""
        if self._script.number not in self._around.interrupted:
            return False
        self._earlier = self._ledger.commits()
        statements, has_returned = self._ledger.deferred()
        if statements:
            self._notes.append(
                f"{len(statements)} statement(s) that an earlier run had deferred were carried out"
            )
            self._transactions.deferred.add_due(statements)
            self._run_deferred()
        return has_returned

    def _finish(self, then: Callable[[DBAPIConnection], None]) -> None:
        # The script has done all its work: a signal or the deadline stops the next one, not the noting of this one.
        self._verify_lock()
        self._guard.commits.end_open_transactions()
        if self._transactions.deferred.next_due is not None:
            self._transactions.commit_open_steps()
            self._ledger.record_returned()
            self._run_deferred()

        def record(connection: DBAPIConnection) -> None:
            with self._around.database.own_settings(connection):
                self._ledger.record_end(connection, self._milliseconds(), self._notes)
                then(connection)

        if not self._transactions.commit_end(record):
            self._ledger.in_transaction(record)

    # --- plain SQL, made online ------------------------------------------------------------------------------

    def _run_online(self, statement: str) -> None:
        with self._transactions.one_at_a_time:
            self._executor.run(raw_ddl.steps(statement, self._around.database))
        self._notes.append(f"done online: {' '.join(statement.split())}")

    def _run_deferred(self) -> None:
        """Carry out what commits have left to do. What fails is undone, and raised when the rest is done.

        A run that is killed leaves the rows of what is still to do, and the next one takes it up. What has failed leaves
        none: the script has had the error, and asks for it again.
        """
        failed: Exception | None = None
        while (statement := self._transactions.deferred.next_due) is not None:
            try:
                self._run_online(statement)
            except Exception as error:
                failed = failed or error
                ((_, need),) = self._around.database.needs_of(statement)
                if need.may_fail_on_rows and not self._executor.left_behind:
                    self._transactions.commit_left_nothing()  # it was alone in its transaction
            self._transactions.deferred.done(statement)
            if not self._executor.left_behind:
                with self._transactions.one_at_a_time:
                    self._ledger.forget_deferred(statement)
        if failed is not None:
            raise failed

    # --- the application goes first ---------------------------------------------------------------------------

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Where sessions queue for locks: a watchdog that breaks us off before others have waited too long."""
        observer = self._around.database.observer(self._around.identity.session_name)
        if observer is None:
            yield
            return
        self._watchdog = Watchdog(
            observer,
            self._around.budget_ms,
            lambda: self._connections.session_ids() - self._plain_sql.tolerated_sessions,
            self._note_waiters,
        )
        with self._watchdog:
            yield

    def _note_waiters(self, waiters: list[Waiter]) -> None:
        self._stall_limit.note(waiters, time.monotonic() * 1000)
        self._journal.blocks(waiters)

    def _lock_timeout_ms(self) -> int:
        """How long a statement may wait in the queue: once something may stay, there is no other attempt."""
        return round(
            self._allowance.timeout_ms if self._transactions.can_be_retried else self._allowance.most_ms
        )

    def _was_broken_off(self) -> bool:
        return self._watchdog is not None and bool(self._watchdog.interrupted)

    def _termination(self) -> MadeWay | None:
        return self._watchdog.termination if self._watchdog is not None else None

    def _client_was_broken_off(self) -> bool:
        """Whether another client of the script's was: what that had committed nobody knows."""
        return self._watchdog is not None and bool(self._watchdog.interrupted_clients)

    def _failure_of_client(self) -> MigrationFailed | None:
        """What there is to say where a client of the script's own was interrupted."""
        if self._watchdog is None or not self._watchdog.interrupted_clients:
            return None
        waiter = self._watchdog.interrupted_clients[0]
        return MigrationFailed(
            f"{self._script.path.name}: a client of its own (pid {waiter.blocker}) was broken off:"
            " the application waited for it",
            next_step="do it with op, or through SQLAlchemy, so that it can make way",
        )

    # --- what may be lost -------------------------------------------------------------------------------------

    def _discarding(self) -> str | None:
        """Why the script may lose data, None where it may not."""
        return scripts.discards_data(self._script) or (
            "--discard-data" if self._around.discard_data else None
        )

    def _remember_refusal(self, error: NonstopError) -> None:
        self._guard.stops.refusal = error

    def _say_how_long_writers_waited(self) -> int | None:
        """In a note where it was longer than the budget, which nothing holds where one writes at a time."""
        if not self._around.database.has_one_writer:
            return None
        waited_ms = round(self._transactions.stalls.longest * 1000)
        if waited_ms > self._around.budget_ms:
            advice = "; so had readers at its end: PRAGMA journal_mode = WAL spares them that"
            spares_readers = self._around.database.spares_readers(self._around.connection)
            self._notes.append(
                f"other writers may have waited for up to {waited_ms} ms{'' if spares_readers else advice}"
            )
        return waited_ms

    # --- what the parts call back -----------------------------------------------------------------------------

    def _own_holders(self, connection: DBAPIConnection, tables: Sequence[str], lock: LockClass) -> list[str]:
        """What other sessions of the script have sent last that keep ``connection`` from locking ``tables``."""
        session = self._around.database.session_id(connection)
        holders = self._lookout.own_holders(session, tables, lock)
        return self._connections.statements_of(holders, self._journal.place_of) if holders else []

    def _prepare_session(self, connection: DBAPIConnection) -> None:
        around = self._around
        around.database.prepare_session(connection, around.identity.session_name, around.stop.seconds_left)

    def _checkpoint(self) -> None:
        self._around.stop.checkpoint()
        self._stall_limit.check()
        self._verify_lock()
        if self._watchdog is not None and self._watchdog.error is not None:
            raise Interruption(
                f"nobody watches any longer whom we block: {self._watchdog.error}",
                DatabaseUnreachable.exit_code,
            )

    def _verify_lock(self) -> None:
        try:
            self._around.lock.verify()
        except LockNotObtained as error:
            raise Interruption(error.message, error.exit_code) from error

    def _record_step(self, description: str) -> None:
        if not self._transactions.is_undoing:  # what takes back is no progress
            self._ledger.record_step(description)

    # --- failure ----------------------------------------------------------------------------------------------

    def _cause(self, error: BaseException) -> BaseException:
        """Why the script really failed: what stopped or refused it may have come to us as another error."""
        cause = self._guard.stops.interruption or self._guard.stops.refusal or error
        if isinstance(cause, Interruption) and not isinstance(cause, MadeWay):
            return cause  # it says more than we could: who held the lock, say
        try:
            self._checkpoint()
        except Interruption as interruption:
            return interruption
        return self._termination() or self._failure_of_client() or cause

    def _failure(self, error: BaseException) -> NonstopError:
        """Undo what can be undone, note it in the ledger, and say how things stand."""
        not_undone = ""
        try:
            for connection in self._connections.of_other_threads():
                self._around.database.cancel(connection)
            self._transactions.rollback_uncommitted()
        except Exception as second:
            not_undone = str(second)
        self._executor.close()
        remains = Remains(
            tuple(self._transactions.committed),
            not self._connections.are_seen or self._client_was_broken_off(),
            self._earlier,
            self._executor.left_behind,
            not_undone,
            tuple(self._losses.told),
        )
        failure = Failure(self._script, self._direction, self._around.database, self._journal)
        told = failure.as_error(error, remains)
        self._ledger.record_failure(told)
        return told

    def _milliseconds(self) -> int:
        return round((time.monotonic() - self._started) * 1000)
