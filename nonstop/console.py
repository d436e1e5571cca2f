"""What a command does with the runner: settings in, report out. Printing goes through here, passwords do not."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

import click

from nonstop import settings
from nonstop.databases import open_database
from nonstop.databases.base import Database
from nonstop.databases.url import hide_credentials
from nonstop.descriptions.results import ChangeResult, RunResult, ScriptOutcome
from nonstop.errors import NonstopError, Refused, UsageError, ValidationError
from nonstop.plan import Plan, Request
from nonstop.report import as_json, text
from nonstop.runner import Listener, Runner
from nonstop.settings import ResolveUrl, Settings

Result = TypeVar("Result")

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What moves a terminal's cursor, or sends it a command; line ends and tabs are no harm."""


class Wiring(NamedTuple):
    """What an entry script knows of its application; see :func:`nonstop.cli.main`."""

    directory: Path | None = None
    resolve_url: ResolveUrl | None = None
    environment_file: Path | None = None
    program: str = "nonstop"
    command: str = ""
    """The command as typed, for the report; empty where it could not be read."""


def runner_for(loaded: Settings, database: Database, listener: Listener) -> Runner:
    """The runner that settings describe."""
    return Runner(
        database, loaded.directory, loaded.ledger_table, loaded.ledger_schema, loaded.lock_timeout, loaded.deadline,
        round(loaded.blocking_budget * 1000), loaded.online_above, listener,
    )  # fmt: skip


@dataclass(frozen=True)
class Console:
    """One invocation of the command line. Each command's method returns the exit code."""

    OPTIONS: ClassVar[tuple[str, ...]] = (
        "dir", "url", "env_file", "wait", "as_json", "verbose", "quiet", "lock_timeout", "deadline", "blocking_budget",
        "models",
    )  # fmt: skip

    wiring: Wiring = field(default_factory=Wiring)
    options: dict[str, Any] = field(default_factory=dict)
    secrets: list[Callable[[str], str]] = field(default_factory=lambda: [hide_credentials])
    """What makes text fit to be shown; the database adds its own when its address is known."""

    def with_options(self, given: dict[str, Any]) -> Console:
        """With the options that were given (not None) put over those from before."""
        return replace(self, options={**self.options, **{k: v for k, v in given.items() if v is not None}})

    # --- commands ---------------------------------------------------------------------------------------------

    def run(self, request: Request, ask: bool = False) -> int:
        runner = self._runner(lambda planned: self._confirm_rollback(planned) if ask else None)
        result = runner.apply(request)
        self._say(result, text.run, as_json.run)
        if result.error is not None:
            self._fail(result.error, result)
            return result.error.exit_code
        return 0

    def status(self, exit_code: bool) -> int:
        result = self._runner().status()
        if self._is_on_terminal():
            from nonstop.report import terminal

            terminal.status(result, self.wiring.program, self._shown)
        else:
            self._say(result, partial(text.status, program=self.wiring.program), as_json.status)
        if not exit_code:
            return 0
        return 4 if result.problems else 3 if result.pending else 0

    def plan(self, request: Request, with_sql: bool) -> int:
        runner = self._runner()
        if with_sql:
            from nonstop.check.sql_preview import plan_with_sql

            result = plan_with_sql(runner, request, self._settings().rehearsal_url)
        else:
            result = runner.plan(request)
        self._say(result, text.plan, as_json.plan)
        return 0

    def check(self, style: str, **asked: Any) -> int:
        from nonstop.check.checking import CheckRequest, check
        from nonstop.report import check_github, check_json, check_text

        loaded = self._settings()
        runner = self._runner()
        request = CheckRequest(module=loaded.models, rehearsal_url=loaded.rehearsal_url, **asked)
        result = check(runner, request, self._note)
        verbose = bool(self.options.get("verbose"))
        as_lines = {
            "text": lambda found: check_text.lines(found, verbose),
            "github": lambda found: check_github.lines(found, Path.cwd()),
        }
        self._say(result, as_lines[style], check_json.content)
        return ValidationError.exit_code if result.is_refused else 0

    def new(self, title: str) -> int:
        from nonstop import maintenance

        return self._changed(maintenance.new(self._directory(), title))

    def renumber(self, script: str) -> int:
        from nonstop import maintenance

        runner = self._runner()
        return self._changed(maintenance.renumber(runner.folder, script, runner.database, runner.ledger()))

    def baseline(self, to: int) -> int:
        from nonstop import maintenance

        return self._changed(maintenance.baseline(self._runner(), to))

    def repair(self, mark_applied: int | None, mark_pending: int | None, ask: bool) -> int:
        from nonstop import maintenance

        def confirm(shown: ChangeResult) -> None:
            if ask and self._can_ask():
                self._print([*text.changes(shown)])
                self._ask("Change the ledger so?")

        return self._changed(
            maintenance.repair(
                self._runner(), mark_applied=mark_applied, mark_pending=mark_pending, confirm=confirm
            )
        )

    def log(self, run: str | None, limit: int) -> int:
        events = self._runner().events(limit, run)
        self._say(events, text.log, as_json.log)
        return 0

    def wait(self, time: str) -> int:
        loaded = self._settings()
        database = self._database(loaded)
        self._wait(database, settings.seconds(time))
        self._say(database.display, text.answers, as_json.answers)
        return 0

    def _changed(self, result: ChangeResult) -> int:
        self._say(result, text.changes, as_json.changes)
        return 0

    # --- putting the parts together ---------------------------------------------------------------------------

    def _runner(self, planned: Callable[[Plan], None] = lambda planned: None) -> Runner:
        loaded = self._settings()
        database = self._database(loaded)
        if loaded.wait:
            self._wait(database, loaded.wait)
        return runner_for(loaded, database, self._listener(planned))

    def _wait(self, database: Database, seconds: float) -> None:
        from nonstop import maintenance

        maintenance.wait(database, seconds, self._note)

    def _settings(self) -> Settings:
        return settings.load(
            self.options,
            directory=self.wiring.directory,
            resolve_url=self.wiring.resolve_url,
            environment_file=self.wiring.environment_file,
        )

    def _directory(self) -> Path:
        return settings.load_directory(self.options, self.wiring.directory, self.wiring.environment_file)

    def _database(self, loaded: Settings) -> Database:
        database = open_database(loaded.url)
        self.secrets.append(database.redact)
        # The application under the scripts reads this variable: both must mean the same database.
        os.environ["DATABASE_URL"] = loaded.url
        return database

    # --- printing ---------------------------------------------------------------------------------------------

    def guarded(self, call: Callable[[], int], *, as_json: bool, verbose: bool) -> int:
        """Call, and turn every error into a report and an exit code."""
        shown = self.with_options({"as_json": as_json or None})
        try:
            return call()
        except NonstopError as error:
            failure = error
        except click.exceptions.Exit as end:
            return end.exit_code
        except (click.Abort, KeyboardInterrupt):
            sys.stderr.write("Interrupted.\n")
            return 130
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else self.wiring.program
            failure = UsageError(error.format_message(), next_step=f"{path} --help")
        except Exception as error:
            failure = NonstopError(
                f"unexpected {type(error).__name__}: {error}",
                next_step="see the traceback with -v, and report it",
            )
            failure.__cause__ = error
        if verbose:
            self._show_traceback(failure)
        shown._fail(failure, None)
        return failure.exit_code

    def _fail(self, error: NonstopError, result: RunResult | None) -> None:
        if self.options.get("verbose") and result is not None:
            self._show_traceback(error)
        if self.options.get("as_json"):
            if result is None:
                self._print_document({"error": as_json.error(error)})
            return
        sys.stdout.flush()
        sys.stderr.write(self._shown("\n".join(text.failure(error, result))) + "\n")

    def _show_traceback(self, error: NonstopError) -> None:
        import traceback

        sys.stderr.write(self._shown("".join(traceback.format_exception(error))))

    def _say(
        self,
        result: Result,
        as_lines: Callable[[Result], list[str]],
        as_content: Callable[[Result], dict[str, Any]],
    ) -> None:
        if self.options.get("as_json"):
            self._print_document(as_content(result))
        elif not self.options.get("quiet"):
            self._print(as_lines(result))

    def _print(self, lines: list[str]) -> None:
        if lines:
            click.echo(self._shown("\n".join(lines)))

    def _print_document(self, content: dict[str, Any]) -> None:
        click.echo(as_json.document(self._command(), content, self._redact))

    def _note(self, line: str) -> None:
        if not self.options.get("quiet"):
            click.echo(self._shown(line), err=True)

    def _finished(self, outcome: ScriptOutcome) -> None:
        if not self.options.get("as_json") and not self.options.get("quiet"):
            self._print(text.outcome(outcome, bool(self.options.get("verbose"))))

    def _pass_on(self, output: str) -> None:
        sys.stderr.write(self._redact(output))
        sys.stderr.flush()

    def _listener(self, planned: Callable[[Plan], None]) -> Listener:
        """Lines as they come; on a terminal, also which script is at work."""
        if not self._is_on_terminal():
            return Listener(planned, finished=self._finished, output=self._pass_on, waiting=self._note)
        from nonstop.report.terminal import Progress

        progress = Progress()

        def finished(outcome: ScriptOutcome) -> None:
            progress.stop()
            self._finished(outcome)

        return Listener(
            planned,
            started=lambda script, direction: progress.start(f"{script.label}: {direction.value} …"),
            failed=progress.stop,
            finished=finished,
            output=lambda output: progress.step_aside(lambda: self._pass_on(output)),
            waiting=self._note,
        )

    def _shown(self, text: str) -> str:
        """``text`` for a report: redacted, and with control characters escaped, for it may come from a script or a database."""
        return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", self._redact(text))

    def _redact(self, text: str) -> str:
        for hide in self.secrets:
            text = hide(text)
        return text

    def _command(self) -> str:
        return self.wiring.command

    # --- asking -----------------------------------------------------------------------------------------------

    def _confirm_rollback(self, planned: Plan) -> None:
        if self._can_ask():
            labels = [f"  {script.label}" for script in planned.scripts]
            self._print([f"Will roll back {len(labels)}, newest first:", *labels])
            self._ask("Continue?")

    def _can_ask(self) -> bool:
        return not self.options.get("as_json") and sys.stdin.isatty() and sys.stdout.isatty()

    def _ask(self, question: str) -> None:
        if not click.confirm(question):
            raise Refused("not confirmed; nothing was changed", next_step="answer y, or pass --yes")

    def _is_on_terminal(self) -> bool:
        return sys.stdout.isatty() and not self.options.get("as_json") and not self.options.get("quiet")
