"""Results on a terminal: rich tables. Imported only there, for rich takes time to load."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.markup import escape
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
    """Print the table of ``status``. rich honours NO_COLOR and the width of the terminal."""
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
