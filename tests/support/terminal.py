"""The real command line on a terminal of its own: it sees a pty on all three streams."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path
from struct import pack
from termios import TIOCSWINSZ

from tests.support.commands import LIMIT, clean_environment


@dataclass(frozen=True)
class Seen:
    """How a command ended, and all that stood on the terminal, with its colours and what was typed."""

    returncode: int
    screen: str


def on_terminal(
    *arguments: str | Path,
    home: Path,
    answers: tuple[tuple[str, str], ...] = (),
    columns: int = 160,
    **variables: str,
) -> Seen:
    """Run ``nonstop`` on a terminal. ``answers`` are pairs: what has to appear, and what is then typed."""
    leader, follower = pty.openpty()
    ioctl(follower, TIOCSWINSZ, pack("HHHH", 40, columns, 0, 0))
    environment = clean_environment(home, **{"TERM": "xterm-256color", **variables})
    process = subprocess.Popen(
        [sys.executable, "-m", "nonstop", *map(str, arguments)],
        env=environment,
        cwd=home,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    try:
        return _converse(process, leader, list(answers))
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def _converse(process: subprocess.Popen[bytes], leader: int, answers: list[tuple[str, str]]) -> Seen:
    screen, ends_at = b"", time.monotonic() + LIMIT
    while time.monotonic() < ends_at:
        if not select.select([leader], [], [], 1.0)[0]:
            continue
        try:
            chunk = os.read(leader, 4096)
        except OSError:  # the last program on it has ended
            chunk = b""
        if not chunk:
            assert not answers, f"never asked: {answers}\n{screen.decode()}"
            return Seen(process.wait(), screen.decode())
        screen += chunk
        if answers and answers[0][0] in screen.decode(errors="ignore"):
            os.write(leader, answers.pop(0)[1].encode())
    raise AssertionError(f"the command hangs; on its terminal:\n{screen.decode()}")
