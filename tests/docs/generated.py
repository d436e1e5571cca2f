"""The parts of the documentation that are made from the program itself.

They stand between ``<!-- generated: name -->`` and ``<!-- end of generated -->``; ``scripts/docs --write`` makes them anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

import click

from nonstop.cli import cli
from tests.docs import failure_modes
from tests.docs.pages import ROOT

PLACE = re.compile(
    r"(?P<begin><!-- generated: (?P<name>[\w ]+) -->\n).*?(?P<end><!-- end of generated -->)", re.DOTALL
)
IN_ORDER = (
    "apply",
    "rollback",
    "status",
    "plan",
    "check",
    "new",
    "renumber",
    "baseline",
    "repair",
    "log",
    "wait",
)
"""The commands in the order in which a newcomer meets them."""


def filled(text: str) -> str:
    """A page's text with its generated parts as they have to be."""
    return PLACE.sub(lambda place: place["begin"] + PARTS[place["name"]]() + place["end"], text)


def help_of_all_commands() -> str:
    """The help of the program and of each command, as it is printed."""
    chapters = [f"```text\n{_help()}```\n"]
    chapters += [f"## {command}\n\n```text\n{_help(command)}```\n" for command in IN_ORDER]
    return "\n" + "\n".join(chapters) + "\n"


def _help(*command: str) -> str:
    # As a process of its own: what is shown is what a user sees in a pipe, 80 columns wide.
    environment = {**os.environ, "COLUMNS": "80", "PYTHONPATH": str(ROOT)}
    shown = subprocess.check_output(
        [sys.executable, "-m", "nonstop", *command, "--help"], env=environment, encoding="utf-8"
    )
    return "\n".join(line.rstrip() for line in shown.splitlines()) + "\n"


def table_of_commands() -> str:
    """Each command with the first sentence of its help."""
    assert set(IN_ORDER) == set(cli.commands), "IN_ORDER has to name every command"
    rows = [f"| `{command}` | {_first_sentence(cli.commands[command])} |" for command in IN_ORDER]
    return "\n".join(["| command | what it does |", "|---|---|", *rows]) + "\n"


def _first_sentence(command: click.Command) -> str:
    paragraph = " ".join((command.help or "").split("\n\n")[0].split())
    return paragraph.removesuffix(".")


PARTS = {
    "help of all commands": help_of_all_commands,
    "table of commands": table_of_commands,
    "table of failure modes": failure_modes.table,
}
