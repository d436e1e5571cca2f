"""Waiting for what another process does, until it does it."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

LIMIT = 30.0  # seconds: what never comes fails the test


def until(condition: Callable[[], Any]) -> None:
    """Look until ``condition`` holds, where nobody would tell us: a server, say, whose session begins to wait."""
    ends = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < ends, "it never came to that"
        time.sleep(0.01)


def until_it_waits(runner: subprocess.Popen[str]) -> None:
    """Read what a runner says until it says that it waits for another one."""
    assert runner.stderr is not None
    impatience = threading.Timer(LIMIT, runner.kill)
    impatience.start()
    try:
        assert any("another runner holds the lock" in line for line in runner.stderr), "it did not wait"
    finally:
        impatience.cancel()


def ended(runner: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code of a runner that comes to its end, and what it said."""
    stdout, stderr = runner.communicate(timeout=LIMIT)
    return runner.returncode, stdout + stderr
