"""Flask: one line at the end of ``app.py`` mounts the commands, ``/readyz``, and the hand-over of migration files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from flask import Blueprint, Flask, jsonify
from flask.typing import ResponseReturnValue

from nonstop import settings
from nonstop.cli import main, run_script
from nonstop.console import Wiring, runner_for
from nonstop.databases import open_database
from nonstop.errors import NonstopError
from nonstop.runner import Listener
from nonstop.scripts import FILE_NAME
from nonstop.settings import ResolveUrl


def mount(
    app: Flask,
    *,
    directory: Path | str,
    resolve_url: ResolveUrl | None = None,
    environment_file: Path | str | None = None,
) -> None:
    """Give ``app`` the commands ``flask migrations …`` and the route ``/readyz``.

    ``directory`` is the migrations folder, ``resolve_url`` the application's rule for database addresses. Where the
    process was started as a migration file (``python 001_x.py``), that file is handed to the runner and the process
    ends with its exit code: so a file that knows nothing of nonstop is no way around lock, ledger and guard.
    """
    folder = Path(directory).absolute()
    wiring = Wiring(
        folder, resolve_url, Path(environment_file) if environment_file else None, "flask migrations"
    )
    app.cli.add_command(_commands(wiring))
    app.register_blueprint(_readiness(wiring))
    script = _script_started_alone(folder)
    if script is not None and not _handed_over:
        _hand_over(script, app, wiring)


_handed_over: set[Path] = set()
"""The file that the runner has taken over: the applications that it makes while it runs don't hand it over again."""


def _script_started_alone(folder: Path) -> Path | None:
    """The migration file of ``folder`` that this process was started with; None if it is another program."""
    file = getattr(sys.modules["__main__"], "__file__", None)
    path = Path(file or "").absolute()
    is_migration = FILE_NAME.fullmatch(path.name) and path.parent.resolve() == folder.resolve()
    return path if is_migration else None


def _hand_over(script: Path, app: Flask, wiring: Wiring) -> None:
    """Run ``script`` under the runner, and end the process with its exit code."""
    _handed_over.add(script)
    _forget_modules_without(app)
    run_script(
        str(script),
        directory=wiring.directory,
        resolve_url=wiring.resolve_url,
        environment_file=wiring.environment_file,
    )


def _forget_modules_without(app: Flask) -> None:
    """Let a module that is still being imported be imported afresh by the script, unless it has ``app`` already.

    ``app = create_app()`` at the end of a module binds the name only when ``create_app()``, and with it ``mount()``, has
    returned: the script could not import it from what is there until then.
    """
    unfinished = {
        name: module
        for name, module in sys.modules.items()
        if name != "__main__" and getattr(getattr(module, "__spec__", None), "_initializing", False)
    }
    if not any(value is app for module in unfinished.values() for value in vars(module).values()):
        for name in unfinished:
            del sys.modules[name]


def _commands(wiring: Wiring) -> click.Command:
    """The command line as a Flask command: it takes the arguments as they are, and keeps the exit codes."""

    @click.command(
        "migrations",
        help="Database migrations: apply, rollback, status …",
        context_settings={"ignore_unknown_options": True, "help_option_names": []},
        add_help_option=False,
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    @click.pass_context
    def migrations(context: click.Context, arguments: tuple[str, ...]) -> None:
        context.exit(
            main(
                list(arguments),
                directory=wiring.directory,
                resolve_url=wiring.resolve_url,
                environment_file=wiring.environment_file,
                program=wiring.program,
            )
        )

    return migrations


def _readiness(wiring: Wiring) -> Blueprint:
    """``/readyz``: 200 when nothing is pending, 503 with the list otherwise."""
    blueprint = Blueprint("nonstop", __name__)

    @blueprint.get("/readyz")
    def readyz() -> ResponseReturnValue:
        from flask import current_app

        url: Any = current_app.config["SQLALCHEMY_DATABASE_URI"]
        address = url if isinstance(url, str) else url.render_as_string(hide_password=False)
        try:
            loaded = settings.load(
                {"url": address},
                directory=wiring.directory,
                resolve_url=wiring.resolve_url,
                environment_file=wiring.environment_file,
            )
            result = runner_for(loaded, open_database(loaded.url), Listener()).status()
            pending = [row.label for row in result.pending]
        except NonstopError as error:
            return jsonify(status="unreachable", reason=error.message), 503
        if pending:
            return jsonify(status="pending", pending=pending), 503
        return jsonify(status="ready")

    return blueprint
