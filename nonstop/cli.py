"""The command line: the only place that prints and that chooses an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from nonstop import __version__, standard_streams
from nonstop.console import Console, Wiring
from nonstop.descriptions.scripts import Direction
from nonstop.plan import Request
from nonstop.settings import ResolveUrl

Decorator = Callable[[Any], Any]


class Number(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.4 on only
    """A migration's number, as ``3``, ``003`` or ``003_add_a_column.py``."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        digits = str(value).partition("_")[0]
        if not digits.isdigit():
            self.fail(f"{value!r} is not a migration's number", param, ctx)
        return int(digits)


NUMBER = Number()


def options(*declared: Decorator) -> Decorator:
    """Several click options as one decorator, in the order in which help shows them."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(declared):
            function = option(function)
        return function

    return decorate


COMMON = (
    click.option("--dir", "dir", metavar="FOLDER", help="The migrations folder [NONSTOP_DIR]."),
    click.option("--url", metavar="URL", help="The database [MIGRATION_DATABASE_URL, DATABASE_URL]."),
    click.option("--env-file", metavar="FILE", help="Read variables from FILE; the environment wins."),
    click.option(
        "--wait", metavar="TIME", help="Wait so long for the database to answer first [NONSTOP_WAIT]."
    ),
    click.option(
        "--json", "as_json", is_flag=True, default=None, help="One JSON document on standard output."
    ),
    click.option("-v", "--verbose", is_flag=True, default=None, help="Show tracebacks, and each statement."),
    click.option("-q", "--quiet", is_flag=True, default=None, help="Show errors only."),
)
"""Taken by the group and by every command, so that they may stand before or after its name."""
RUNNING = (
    click.option(
        "--lock-timeout", metavar="TIME", help="Wait so long for another runner, 60s [NONSTOP_LOCK_TIMEOUT]."
    ),
    click.option("--deadline", metavar="TIME", help="Stop cleanly when this has passed [NONSTOP_DEADLINE]."),
    click.option(
        "--blocking-budget",
        metavar="TIME",
        help="No query waits longer for us, 500ms [NONSTOP_BLOCKING_BUDGET].",
    ),
)
SELECTING = (
    click.option("--to", type=NUMBER, help="Up to this number (rollback: keep it, undo what came after)."),
    click.option("--steps", type=click.IntRange(min=1), help="So many scripts."),
    click.option("--only", type=NUMBER, help="This script alone."),
    click.option("--allow-edited", is_flag=True, help="Go on although applied files were changed."),
)
OUT_OF_ORDER = click.option(
    "--out-of-order", is_flag=True, help="Run pending scripts that are older than applied ones."
)
DISCARD_DATA = click.option(
    "--discard-data", is_flag=True, help="Let scripts lose data: rows, columns, tables."
)
LAST_RUN = click.option("--last-run", is_flag=True, help="What the last apply had applied.")
ALLOW_BLOCKING = click.option(
    "--allow-blocking", metavar="REASON", help="Let plain SQL block the application, and record why."
)
YES = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


class TerminalHelp(click.Command):
    """A command whose help is drawn with rich on a terminal and is plain text elsewhere."""

    def get_help(self, ctx: click.Context) -> str:
        if not sys.stdout.isatty():
            return super().get_help(ctx)
        from nonstop.report import terminal

        terminal.show_help(self, ctx)
        return ""


class TerminalHelpGroup(TerminalHelp, click.Group):
    """The same for the whole program."""

    command_class = TerminalHelp


@click.group(cls=TerminalHelpGroup, context_settings={"help_option_names": ["-h", "--help"]})
@options(*COMMON)
@click.version_option(__version__, prog_name="nonstop")
@click.pass_context
def cli(context: click.Context, /, **given: Any) -> None:
    """Database migrations that never stop the application."""
    context.obj = (context.obj or Console()).with_options(given)


def command(*declared: Decorator) -> Callable[[Callable[..., int]], click.Command]:
    """Add a command that is called with a Console, with the common options split off into it."""

    def decorate(function: Callable[..., int]) -> click.Command:
        @click.pass_context
        def call(context: click.Context, /, **given: Any) -> None:
            common = {name: given.pop(name) for name in list(given) if name in Console.OPTIONS}
            context.exit(function(context.obj.with_options(common), **given) or 0)

        call.__doc__ = function.__doc__
        return cli.command(function.__name__)(options(*declared, *COMMON)(call))

    return decorate


def request(direction: Direction, given: dict[str, Any]) -> Request:
    """The flags of SELECTING as a request. Raises click.UsageError where two of them contradict each other."""
    chosen = [name for name in ("to", "steps", "only", "last_run") if given.get(name)]
    if len(chosen) > 1:
        flags = " and ".join("--" + name.replace("_", "-") for name in chosen)
        raise click.UsageError(f"{flags} can't be combined")
    return Request(direction, **given)


@command(*SELECTING, OUT_OF_ORDER, DISCARD_DATA, ALLOW_BLOCKING, *RUNNING)
def apply(console: Console, **given: Any) -> int:
    """Run all pending migrations, in order."""
    return console.run(request(Direction.APPLY, given))


@command(*SELECTING, LAST_RUN, YES, ALLOW_BLOCKING, *RUNNING)
def rollback(console: Console, yes: bool, **given: Any) -> int:
    """Undo all applied migrations, newest first; choose fewer with a flag."""
    return console.run(request(Direction.ROLLBACK, given), ask=not yes)


@command(
    click.option("--exit-code", is_flag=True, help="End with 3 when scripts are pending, 4 on problems.")
)
def status(console: Console, exit_code: bool) -> int:
    """Show where every migration stands. Writes nothing."""
    return console.status(exit_code)


@command(
    click.argument("direction", type=click.Choice(["apply", "rollback"]), default="apply"),
    click.option("--sql", is_flag=True, help="Show the SQL, as far as it is known before a script runs."),
    *SELECTING,
    OUT_OF_ORDER,
    LAST_RUN,
)
def plan(console: Console, direction: str, sql: bool, **given: Any) -> int:
    """Show what apply (or rollback) would run. Writes nothing.

    With --sql the functions of the scripts are called in a process that can't reach the database, as check does it.
    The SQL of op is shown; where a script sends its own, the SQL ends, and the plan says so.
    """
    chosen = Direction(direction)
    if chosen is Direction.ROLLBACK and given["out_of_order"]:
        raise click.UsageError("--out-of-order belongs to apply")
    if chosen is Direction.APPLY and given["last_run"]:
        raise click.UsageError("--last-run belongs to rollback")
    return console.plan(request(chosen, given), sql)


@command(
    click.option("--all", "every", is_flag=True, help="Applied scripts too."),
    click.option("--only", type=NUMBER, help="This script alone."),
    click.option("--against", metavar="CODE", help="The code that runs now: a git ref, or a folder."),
    click.option("--models", metavar="MODULE", help="What is imported for its models, app [NONSTOP_MODELS]."),
    click.option("--with-data", is_flag=True, help="Take a sample of the database's rows along."),
    click.option(
        "--rows",
        type=click.IntRange(min=0),
        default=20_000,
        help="Rows of the tables that locks are measured on.",
    ),
    click.option(
        "--format",
        "style",
        type=click.Choice(["text", "github"]),
        default="text",
        help="Lines, or annotations.",
    ),
    click.option(
        "--blocking-budget", metavar="TIME", help="No query waits longer, 500ms [NONSTOP_BLOCKING_BUDGET]."
    ),
)
def check(console: Console, style: str, **given: Any) -> int:
    """Prove each promise of the pending scripts on a scratch database.

    Ends with 4 where a promise is broken, with the script to write instead. The database itself is only read.
    """
    if given["every"] and given["only"] is not None:
        raise click.UsageError("--all and --only can't be combined")
    return console.check(style, **given)


@command(click.argument("title"))
def new(console: Console, title: str) -> int:
    """Write the next script from a template: new "add note to orders"."""
    return console.new(title)


@command(click.argument("script"))
def renumber(console: Console, script: str) -> int:
    """Give a script that is not applied the next free number."""
    return console.renumber(script)


@command(
    click.option("--to", type=NUMBER, required=True, help="The last script that the database has."), *RUNNING
)
def baseline(console: Console, to: int) -> int:
    """Note scripts as applied without running them: the database has them already."""
    return console.baseline(to)


@command(
    click.option("--mark-applied", type=NUMBER, help="Note this script as applied; it is not run."),
    click.option("--mark-pending", type=NUMBER, help="Note this script as not applied; nothing is undone."),
    YES,
    *RUNNING,
)
def repair(console: Console, mark_applied: int | None, mark_pending: int | None, yes: bool) -> int:
    """Accept edited files, forget missing ones, or settle one script by hand. The database itself is not touched."""
    if mark_applied is not None and mark_pending is not None:
        raise click.UsageError("--mark-applied and --mark-pending can't be combined")
    return console.repair(mark_applied, mark_pending, ask=not yes)


@command(
    click.argument("run", required=False),
    click.option("-n", "--limit", type=click.IntRange(min=1), default=50, help="So many events (50)."),
)
def log(console: Console, run: str | None, limit: int) -> int:
    """Show what happened, oldest first; of one RUN, if given."""
    return console.log(run, limit)


@command(click.argument("time", default="60s"))
def wait(console: Console, time: str) -> int:
    """Wait until the database answers."""
    return console.wait(time)


def main(
    arguments: Sequence[str] | None = None,
    *,
    directory: Path | str | None = None,
    resolve_url: ResolveUrl | None = None,
    environment_file: Path | str | None = None,
    program: str | None = None,
) -> int:
    """Run the command line and return its exit code.

    ``arguments`` are those after the program's name (default: the process's). ``directory`` is the migrations folder,
    ``resolve_url`` the application's rule for database addresses, and ``environment_file`` its ``.env``.
    """
    standard_streams.make_lasting()
    given = list(sys.argv[1:] if arguments is None else arguments)
    wiring = Wiring(
        Path(directory) if directory else None,
        resolve_url,
        Path(environment_file) if environment_file else None,
        program or Path(sys.argv[0]).name.replace("__main__.py", "nonstop"),
        next((argument for argument in given if argument in cli.commands), ""),
    )
    console = Console(wiring)

    def invoke() -> int:
        # click gives an exit code back where standalone_mode is off, and lets the errors through.
        return int(cli.main(given, prog_name=wiring.program, obj=console, standalone_mode=False) or 0)

    verbose = any(argument in ("-v", "--verbose") for argument in given)
    return console.guarded(invoke, as_json="--json" in given, verbose=verbose)


def run_script(file: str, **wired: Any) -> None:
    """What a migration file calls at its end: run this one alone, then end the process.

    ``python 001_x.py`` applies, ``python 001_x.py rollback`` undoes; flags may follow, as for the full command line.
    ``wired`` is passed on to :func:`main`. Same lock, ledger, guard and exit codes as there.
    """
    path = Path(file).absolute()
    given = sys.argv[1:]
    verb, flags = (given[0], given[1:]) if given and not given[0].startswith("-") else ("apply", given)
    arguments = [verb, *flags]
    if verb in ("apply", "rollback", "plan"):
        arguments += ["--only", path.name]
    if verb == "rollback":
        arguments.append("--yes")
    wired.setdefault("directory", path.parent)
    sys.exit(main(arguments, program=path.name, **wired))
