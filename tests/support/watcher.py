"""Ends what a test started, even if the test run itself is killed.

A watcher is a small shell that waits for the end of a pipe. Only the process that made the watcher holds the other end, so
the pipe closes when that process closes it or dies, by whatever signal; the watcher then runs its commands. It has a session
of its own: a signal for the process group of the test run does not reach it.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence


class Watcher:
    """Runs ``commands`` in turn when :meth:`end` is called or this process is gone."""

    def __init__(self, *commands: Sequence[str]) -> None:
        script = "; ".join(["cat >/dev/null", *map(shlex.join, commands)])
        self._process = subprocess.Popen(
            ["sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def end(self) -> None:
        """Run the commands now and wait until they have ended."""
        self._process.communicate()
