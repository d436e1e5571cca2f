"""The terminal: tables, progress and help through rich. Imported only there, for rich takes time to load.

rich itself honours NO_COLOR and the width of the terminal.
"""

from __future__ import annotations

from collections.abc import Callable

import click
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from nonstop.descriptions.results import State, StatusResult
from nonstop.report import text

COLOURS = {
    State.APPLIED: "green",
    State.BASELINE: "green",
    State.PENDING: "yellow",
    State.RUNNING: "cyan",
}
"""Every other state is a problem: red."""


def status(result: StatusResult, program: str, redact: Callable[[str], str]) -> None:
    """Print the table of ``status``."""
    console = Console(highlight=False)
    console.print(f"Database  {escape(redact(result.database))}")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("#", "migration", "state", ""):
        table.add_column(heading)
    for row in result.migrations:
        colour = COLOURS.get(row.state, "red")
        facts = escape(redact(text.facts(row)))
        table.add_row(row.digits, escape(row.name), f"[{colour}]{row.state.value}[/]", facts)
    if result.migrations:
        console.print(table)
    for line in text.problems(result):
        console.print(f"[red]{escape(redact(line))}[/]")
    console.print(escape(text.summary(result, program)))


class Progress:
    """A line that shows which script is at work, and steps aside for everything else that is printed."""

    def __init__(self) -> None:
        self._status: Status | None = None

    def start(self, label: str) -> None:
        self._status = Status(escape(label), console=Console(highlight=False))
        self._status.start()

    def stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def step_aside(self, write: Callable[[], None]) -> None:
        """Call ``write`` while the line is not there."""
        if self._status is None:
            write()
            return
        self._status.stop()
        write()
        self._status.start()


def show_help(command: click.Command, context: click.Context) -> None:
    """Print a command's help as tables; the words are those of the plain help."""
    console = Console(highlight=False)
    console.print(
        f"[bold]Usage:[/] {escape(context.command_path)} {escape(' '.join(command.collect_usage_pieces(context)))}"
    )
    console.print(f"\n{escape((command.help or '').strip())}\n")
    if isinstance(command, click.Group):
        rows = [
            (name, command.commands[name].get_short_help_str(80)) for name in command.list_commands(context)
        ]
        _print_rows(console, "Commands", rows)
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    _print_rows(console, "Options", [record for record in records if record is not None])


def _print_rows(console: Console, title: str, rows: list[tuple[str, str]]) -> None:
    table = Table(
        box=None, pad_edge=False, show_header=False, title=title, title_justify="left", title_style="bold"
    )
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)
