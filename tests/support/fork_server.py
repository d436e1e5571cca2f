"""The process behind ``tests.support.forked``: imports everything once, then forks itself for each command.

Reads one JSON document a line from standard input and answers each with one line: ``start`` with the process id,
``wait`` with the exit code (negative: the signal that ended it).
"""

from __future__ import annotations

import fcntl
import json
import os
import runpy
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click
import filelock
import flask_sqlalchemy
import psycopg
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite

import nonstop.check.sql_preview
import nonstop.cli
import nonstop.execution
import nonstop.integrations.flask
from nonstop.check import disturbance
from nonstop.check.disturbance import Disturbance

PRELOADED = (click, filelock, flask_sqlalchemy, psycopg, sqlalchemy, nonstop)
LIMIT = 120  # seconds: a command that hangs is ended by SIGALRM


def serve() -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        answers.write(f"{_started(request) if request['do'] == 'start' else _ended(request)}\n")
        answers.flush()


def _started(request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(_child(request))
    return pid


def _ended(request: dict[str, Any]) -> int:
    _, status = os.waitpid(request["pid"], 0)
    return os.waitstatus_to_exitcode(status)


def _child(request: dict[str, Any]) -> int:
    """Become the command: its folder, environment, arguments and streams, as a new process would have them."""
    signal.alarm(LIMIT)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    _redirect(request["input"], request["stdout"], request["stderr"])
    _pass(request["gate"])
    if request["kill_at"] is not None:
        disturbance.install(Disturbance(kill_at=request["kill_at"]))
    try:
        return _run(request["arguments"])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        _wait_for_threads()
        sys.stdout.flush()
        sys.stderr.flush()


def _wait_for_threads() -> None:
    """As the end of an interpreter does."""
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join()


def _run(arguments: list[str]) -> int:
    program, *rest = arguments
    sys.argv = [program, *rest]
    if program == "nonstop":
        sys.path[0] = str(Path.cwd())
        return nonstop.cli.main(rest)
    sys.path[0] = str(Path(program).resolve().parent)
    runpy.run_path(program, run_name="__main__")
    return 0


def _redirect(given: str, stdout: str, stderr: str) -> None:
    written = os.open(stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(given, os.O_RDONLY), 0)
    os.dup2(written, 1)
    os.dup2(written if stderr == stdout else os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)


def _pass(gate: str | None) -> None:
    """Stand still as long as the test holds the gate, so that many start at the same moment."""
    if gate is not None:
        with Path(gate).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)


if __name__ == "__main__":
    serve()
