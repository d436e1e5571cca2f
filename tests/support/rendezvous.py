"""A meeting point between a test and a script that runs in another process: no sleeping, no guessing."""

from __future__ import annotations

import os
import select
from pathlib import Path

LIMIT = 60  # seconds: a script that never arrives fails the test


class Rendezvous:
    """Two FIFOs: on one the script says that it has arrived, on the other the test lets it go on.

    ``line`` is what the script has to run at the meeting point. A script that is not let go stays there for ever.
    """

    def __init__(self, folder: Path) -> None:
        self._arrived, self._go_on = folder / "arrived", folder / "go-on"
        for fifo in (self._arrived, self._go_on):
            os.mkfifo(fifo)
        # Open for both directions, which never blocks, and keeps what one side writes until the other one reads.
        self._arrivals = os.open(self._arrived, os.O_RDWR)
        self._permissions = os.open(self._go_on, os.O_RDWR)

    @property
    def line(self) -> str:
        """Python for the script, on one line: say that we are here, then wait for the test."""
        return (
            f"os.write(os.open({str(self._arrived)!r}, os.O_WRONLY), b'.');"
            f" os.read(os.open({str(self._go_on)!r}, os.O_RDONLY), 1)"
        )

    def wait(self) -> None:
        """Wait until a script has arrived."""
        ready, _, _ = select.select([self._arrivals], [], [], LIMIT)
        assert ready, "the script never came to the meeting point"
        os.read(self._arrivals, 1)

    def let_go(self) -> None:
        """Let one script go on: the one that waits, or the next to arrive."""
        os.write(self._permissions, b".")

    def close(self) -> None:
        for descriptor in (self._arrivals, self._permissions):
            os.close(descriptor)
