"""One shell in which the commands of a page are typed, and the wording in which their output is compared."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Timer

from nonstop.databases.url import DatabaseUrl
from tests.docs.pages import ROOT
from tests.support.commands import clean_environment

WRITTEN_URL = "postgresql://user:password@localhost:5432/felix_hub"
"""How the pages write the address of a PostgreSQL database; the tests put the address of a real one in its place."""
WRITTEN_DISPLAY = "postgresql://user@localhost:5432/felix_hub"
WRITTEN_HOME = "/home/mechanic"
WRITTEN_USER = "mechanic"
WRITTEN_HOST = "workshop"
LIMIT = 120.0  # seconds for one command
END = "\x1e"  # comes out after each command, with its exit code

CLONED = ("nonstop", "felix_hub", "scripts", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".env", "*.db", "*.db-*", "*.db.*")


def clone(target: Path) -> Path:
    """A copy of this checkout as a new clone has it, with a ready ``.venv`` in which nothing needs installing."""
    target.mkdir(parents=True)
    for name in CLONED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=LEFT_OUT)
        elif source.exists():
            shutil.copy2(source, target / name)
    make_commands(target / ".venv" / "bin")
    # What scripts/setup leaves behind when it has done its work.
    (target / ".venv" / "made-for").write_text(f"{target}\n")
    wanted = subprocess.check_output(["cksum"], input=(target / "pyproject.toml").read_bytes()).decode()
    for extra in ("flask", "test"):
        (target / ".venv" / f"has-{extra}").write_text(wanted)
    return target


def make_commands(folder: Path) -> Path:
    """``python``, ``nonstop`` and ``flask`` of the environment that the tests run in."""
    folder.mkdir(parents=True)
    for command, arguments in (("python", ""), ("nonstop", "-m nonstop"), ("flask", "-m flask")):
        path = folder / command
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        path.chmod(0o755)
    return folder


class Session:
    """A shell in ``place`` ("a clone" or "an empty folder"). Close it at the end.

    ``postgres_url`` is called when a command names a PostgreSQL database for the first time.
    """

    def __init__(self, home: Path, place: str, postgres_url: Callable[[], str]) -> None:
        self.home = home
        self._postgres_url = postgres_url
        self._database: DatabaseUrl | None = None
        home.mkdir(parents=True, exist_ok=True)
        if place == "a clone":
            self.folder = clone(home / "nonstop")
            commands, code = self.folder / ".venv" / "bin", self.folder
        else:
            self.folder = home / "workshop"
            self.folder.mkdir()
            commands, code = make_commands(home / ".commands"), ROOT
        self._environment = clean_environment(home, LOGNAME=WRITTEN_USER, PYTHONPATH=str(code))
        self._environment["PATH"] = f"{commands}:{self._environment['PATH']}"
        self._last_code = 0
        self._shell = subprocess.Popen(
            ["/bin/sh"],
            env=self._environment,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def type(self, command: str) -> tuple[int, str]:
        """Type a command; its exit code and its output, both streams as a terminal shows them, in the pages' wording."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        # The braces keep cd and export in this shell; $? is what the command before ended with.
        self._shell.stdin.write(
            f"(exit {self._last_code})\n{{ {self._real(command)}\n}} </dev/null\nprintf '{END}%s\\n' \"$?\"\n"
        )
        self._shell.stdin.flush()
        limit = Timer(LIMIT, self._shell.kill)
        limit.start()
        lines = []
        for line in self._shell.stdout:
            before, end, code = line.partition(END)
            lines.append(before)
            if end:
                self._last_code = int(code)
                break
        else:
            raise AssertionError(f"the shell ended, or hung, at: {command}\n{''.join(lines)}")
        limit.cancel()
        return self._last_code, self._written("".join(lines))

    def run_block(self, code: str) -> tuple[int, str]:
        """Run a block as a script of its own, at the top of the folder; stops at the first failure."""
        done = subprocess.run(
            ["/bin/sh", "-e", "-c", self._real(code)],
            env=self._environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=LIMIT,
        )
        return done.returncode, self._written(done.stdout)

    def write(self, path: str, code: tuple[str, ...]) -> None:
        """Make a file, in the folder that the shell is in."""
        _, here = self.type("pwd")
        target = Path(here.strip().replace(WRITTEN_HOME, str(self.home)), path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(code) + "\n", encoding="utf-8")

    def close(self) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        self._shell.kill()
        self._shell.wait()
        assert self._shell.stdout is not None
        self._shell.stdout.close()

    def _real(self, command: str) -> str:
        for scheme in ("postgresql://", "postgres://"):
            written = scheme + WRITTEN_URL.removeprefix("postgresql://")
            if written in command:
                real = self._postgres_url()
                self._database = DatabaseUrl.parse(real)
                command = command.replace(written, scheme + real.removeprefix("postgresql://"))
        return command

    def _written(self, output: str) -> str:
        output = output.replace(str(self.home), WRITTEN_HOME)
        for before in ("@", '"host": "'):
            output = output.replace(before + socket.gethostname(), before + WRITTEN_HOST)
        if self._database is not None:
            output = output.replace(self._database.display, WRITTEN_DISPLAY)
            output = output.replace(self._database.database, "felix_hub")
            output = output.replace(f"{self._database.host}:{self._database.port}", "localhost:5432")
        return output


VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(\+00:00)?"), "TIME"),
    (re.compile(r"\b\d{8}-\d{6}-[0-9a-f]{4}\b"), "RUN"),
    (re.compile(r"sha256:[0-9a-f]{64}"), "CHECKSUM"),
    (re.compile(r"\b\d+ min (?=\d+ s\b)"), ""),
    (re.compile(r"\bin (\d+ ms|[\d.]+ s)(?=[.,]|$)"), "in DURATION"),
    (re.compile(r"(?<=  )(\d+ ms|[\d.]+ s)(?=  |$)"), "DURATION"),
    (re.compile(r'(?<="duration_ms": )\d+'), "MILLISECONDS"),
    (re.compile(r'(?<="writers_waited_ms": )\d+'), "MILLISECONDS"),
    (re.compile(r"^Rehearsal .*"), "Rehearsal"),  # the place depends on what the machine has
    (re.compile(r"\b\d+ transactions of\b"), "N transactions of"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s)\b"), "DURATION"),
    (re.compile(r"\bpid \d+"), "pid N"),
    (re.compile(r"^.*\bKilled\b.*$"), "Killed"),  # shells differ in how they tell it
    (re.compile(r"[ \t]+"), " "),
)
"""What differs from run to run, and a word for it. Columns may be wider: a duration has more digits some days."""


SAMPLED = re.compile(r"^ *also: (apply|rollback): [A-Z ]+ on \S+, waited for \d+ ms, held for about ")
"""Locks that were sampled: one that is gone between two looks is not among them."""


def comparable(line: str) -> str:
    """A line of output without what differs from run to run."""
    for pattern, word in VOLATILE:
        line = pattern.sub(word, line.rstrip())
    return line


def matches(written: tuple[str, ...], output: str) -> bool:
    """Whether the output is what a page says; a line ``…`` there stands for any lines."""
    return _matches(
        _comparable("\n".join(written)),
        _comparable(output),
    )


def _comparable(text: str) -> list[str]:
    return [comparable(line) for line in text.rstrip().splitlines() if not SAMPLED.match(line)]


def _matches(written: list[str], lines: list[str]) -> bool:
    if "…" not in written:
        return written == lines
    at = written.index("…")
    before, after = written[:at], written[at + 1 :]
    if lines[:at] != before:
        return False
    return any(_matches(after, lines[start:]) for start in range(at, len(lines) + 1))
