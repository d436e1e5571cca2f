"""The commands around a run: new, renumber, baseline, repair, wait."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from string import Template

from nonstop import plan, scripts
from nonstop.databases.base import Database, DBAPIConnection
from nonstop.descriptions.history import RunIdentity, Subject
from nonstop.descriptions.results import Change, ChangeResult
from nonstop.descriptions.scripts import Script
from nonstop.errors import DatabaseUnreachable, UsageError, ValidationError
from nonstop.ledger import Ledger
from nonstop.runner import Runner, new_identity

TEMPLATE = Template('''#!/usr/bin/env python3
"""
Migration $digits: $title

Why: say here what this is for.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from app import app, db

from nonstop import op, run_script


def apply():
    """Apply the migration"""
    with app.app_context():
        # op.add_column("orders", Column("note", String(200)))
        return True


def rollback():
    """Rollback the migration"""
    with app.app_context():
        # op.drop_column("orders", "note")
        return True


if __name__ == "__main__":
    run_script(__file__)
''')


def new(folder: Path, title: str) -> ChangeResult:
    """Write the next script from the template. Raises UsageError for a title that gives no name."""
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    if not name:
        raise UsageError(f"{title!r} gives no file name", next_step='use letters: new "add note to orders"')
    while True:
        digits = _next_digits(folder)
        path = folder / f"{digits}_{name}.py"
        try:
            # "x": two developers' tools that race for the same name can't overwrite each other.
            with path.open("x", encoding="utf-8") as file:
                file.write(TEMPLATE.substitute(digits=digits, title=_in_a_docstring(title)))
            return ChangeResult("new", (Change(path.name, f"created in {folder}"),))
        except FileExistsError:
            continue
        except OSError as error:
            raise UsageError(
                f"{path} can't be written: {error.strerror}", next_step="check the folder"
            ) from error


def _in_a_docstring(title: str) -> str:
    """``title`` on one line that ends no docstring and escapes nothing."""
    return " ".join(title.split()).replace("\\", "/").replace('"', "'")


def renumber(folder: Path, name: str, database: Database, ledger: Ledger) -> ChangeResult:
    """Give a script that is not applied the next free number. Raises ValidationError for one that is applied."""
    script = _named(folder, name)
    with closing(database.connect_reading()) as connection:
        state = ledger.read(connection)
    row = state.applied.get(script.number)
    if row is not None and row.name == script.name:
        raise ValidationError(
            f"{script.label} is applied: its number is its identity in the ledger",
            next_step="renumber the other script, which is not applied",
        )
    target = folder / f"{_next_digits(folder)}_{script.name}.py"
    with target.open("xb") as file:  # unlike a rename, this fails where the name is taken
        file.write(script.path.read_bytes())
    shutil.copymode(script.path, target)
    script.path.unlink()
    notes = (f"its text still says {script.digits} here and there",) if script.digits in script.text else ()
    return ChangeResult("renumber", (Change(script.path.name, f"is now {target.name}"),), notes=notes)


def _named(folder: Path, name: str) -> Script:
    """The script that ``name`` means: a file name, a label, or a number that only one script has."""
    wanted = Path(name).name.removesuffix(".py")
    found = [
        s for s in scripts.find(folder).scripts if wanted == s.label or wanted in (s.digits, str(s.number))
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            f"there is no script {name} in {folder}", next_step="name its file, as status shows it"
        )
    files = ", ".join(script.path.name for script in found)
    raise UsageError(f"{name} could be any of {files}", next_step="name the file")


def _next_digits(folder: Path) -> str:
    """The number after the last one, as wide as that is written; clear of files that don't parse, too."""
    found = scripts.find(folder)
    last = max(found.scripts, key=lambda script: script.number, default=None)
    highest = max([last.number if last else 0, *(problem.number or 0 for problem in found.problems)])
    return str(highest + 1).zfill(len(last.digits) if last else 3)


@dataclass(frozen=True)
class _Action:
    """One change of the ledger: how it is described, which script it concerns, and what it does."""

    change: Change
    subject: Subject
    act: Callable[[Ledger, DBAPIConnection, RunIdentity], None]


def baseline(runner: Runner, to: int) -> ChangeResult:
    """Note every script up to ``to`` as applied, without running it: the database has it already."""

    def choose(facts: plan.Facts) -> list[_Action]:
        plan.script_with(to, facts)
        return [
            _note_applied(script, "noted as applied, not run")
            for script in facts.pending
            if script.number <= to
        ]

    return _change(runner, "baseline", choose, lambda shown: None)


def repair(
    runner: Runner,
    *,
    mark_applied: int | None = None,
    mark_pending: int | None = None,
    confirm: Callable[[ChangeResult], None] = lambda shown: None,
) -> ChangeResult:
    """Bring the ledger back in line with the files, or settle one script by hand.

    Without marks: edited files are accepted as they are, and rows whose file is gone are forgotten. ``confirm`` sees
    what will be done before it is, and may raise Refused. The events stay, and get one more for each change.
    """

    def choose(facts: plan.Facts) -> list[_Action]:
        if mark_applied is not None:
            action = f"marked as applied, not run{_left_undone(facts, mark_applied)}"
            return [_note_applied(plan.script_with(mark_applied, facts), action)]
        if mark_pending is not None:
            return [_forget(plan.script_with(mark_pending, facts), "marked as pending")]
        return _realign(facts)

    return _change(runner, "repair", choose, confirm)


def _change(
    runner: Runner,
    command: str,
    choose: Callable[[plan.Facts], list[_Action]],
    confirm: Callable[[ChangeResult], None],
) -> ChangeResult:
    """Under the lock: choose from the facts, let the user see it, write everything in one transaction."""
    identity = new_identity()
    with runner.locked(identity) as (_, _, connection):
        actions = choose(runner.facts(connection))
        changes = tuple(action.change for action in actions)
        if actions:
            confirm(ChangeResult(command, changes, done=False))
            ledger = runner.ledger()
            with runner.writing(ledger, connection):
                for action in actions:
                    action.act(ledger, connection, identity)
                    ledger.record_event(connection, command, action.subject, identity, action.change.action)
    return ChangeResult(command, changes)


def _left_undone(facts: plan.Facts, number: int) -> str:
    """What belongs to the commits of an interrupted script, and will not come any more."""
    interrupted = facts.ledger.interrupted.get(number)
    return f"; left undone: {', '.join(interrupted.deferred)}" if interrupted and interrupted.deferred else ""


def _note_applied(script: Script, action: str) -> _Action:
    def act(ledger: Ledger, connection: DBAPIConnection, identity: RunIdentity) -> None:
        ledger.forget(connection, script.number)
        ledger.record_baseline(connection, script, identity)

    return _Action(Change(script.label, action), script, act)


def _forget(row: Subject, action: str) -> _Action:
    def act(ledger: Ledger, connection: DBAPIConnection, identity: RunIdentity) -> None:
        ledger.forget(connection, row.number)

    return _Action(Change(row.label, f"{action}; the database itself was not touched"), row, act)


def _accept(script: Script) -> _Action:
    def act(ledger: Ledger, connection: DBAPIConnection, identity: RunIdentity) -> None:
        ledger.restamp(connection, script)

    return _Action(Change(script.label, "accepted as it is now"), script, act)


def _realign(facts: plan.Facts) -> list[_Action]:
    """Accept every file that differs from what was applied, and forget every row without a file."""
    actions = [_forget(row, "its file is gone: forgotten") for row in facts.without_file]
    for number, row in facts.ledger.applied.items():
        script = facts.scripts.get(number)
        if script is not None and (script.checksum, script.name) != (row.checksum, row.name):
            actions.append(_accept(script))
    return actions


def wait(database: Database, timeout: float, on_wait: Callable[[str], None] = lambda line: None) -> None:
    """Return as soon as the database answers. Raises DatabaseUnreachable after ``timeout`` seconds.

    A wrong password or a missing database may still come (a container that is starting), so that is waited for too.
    """
    ends_at = time.monotonic() + timeout
    said = False
    while True:
        try:
            database.connect_reading().close()
            return
        except DatabaseUnreachable as error:
            if timeout and not said:
                on_wait(f"{error.message}; waiting up to {timeout:g} s")
                said = True
            if time.monotonic() >= ends_at:
                raise
        time.sleep(min(0.25, max(0.0, ends_at - time.monotonic())))
