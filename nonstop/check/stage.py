"""The stage on which scripts are rehearsed: a process that imports everything once and forks itself for each act.

Each act (a script's apply, a probe of the application's models, traffic) has a process of its own, which may be killed,
hang or call ``exit()``. The parent's side is here; the other side is :mod:`nonstop.check.stagehand`.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from nonstop.databases.rehearsal import Ground
from nonstop.errors import NonstopError

LONGEST_ACT = 300.0
"""Seconds after which an act is ended: a script that waits for input would wait for ever."""
SERVE = """
import sys
from nonstop.check.stagehand import serve
serve(int(sys.argv[1]), bytes.fromhex(sys.argv[2]), sys.argv[3])
"""


class Ended(NamedTuple):
    """How an act ended: with an ``answer``, or with an ``error`` in words; killed where there is neither."""

    answer: Any = None
    error: str = ""
    was_killed: bool = False


def addresses_left_out(given: Mapping[str, str], kept: Mapping[str, str]) -> str:
    """The variables that named the target and are to name the scratch database, with the scheme of each:
    ``DATABASE_URL=postgresql,SHOP_DB=postgres``."""
    left_out = {
        name: value.partition("://")[0]
        for name, value in given.items()
        if name not in kept and "://" in value
    }
    own = ("NONSTOP_", "MIGRATION_DATABASE_URL", "REHEARSAL_DATABASE_URL")
    return ",".join(f"{name}={scheme}" for name, scheme in left_out.items() if not name.startswith(own))


class Running:
    """An act at work, in the process ``pid``."""

    def __init__(self, pid: int, answers: int, control: socket.socket) -> None:
        self.pid = pid
        self._answers = answers
        self._control = control

    def is_ready(self) -> bool:
        """Wait until an act that goes on until it is told (traffic) has begun; False where it has ended instead."""
        return bool(self._control.recv(1))

    def tell(self) -> None:
        """Tell such an act that its next phase begins."""
        with suppress(BrokenPipeError):  # it has ended by itself
            self._control.send(b"n")

    def finish(self) -> None:
        """Tell such an act to come to its end."""
        self._control.close()

    def wait(self, seconds: float = LONGEST_ACT) -> Ended:
        """Wait for its end."""
        received = b""
        ends_at = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, ends_at - time.monotonic()))
            if not ready:
                self.kill()
                self._close()
                return Ended(error=f"it was ended after {seconds:.0f} s")
            part = os.read(self._answers, 1 << 16)
            if not part:
                break
            received += part
        self._close()
        return pickle.loads(received) if received else Ended(was_killed=True)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def _close(self) -> None:
        self.finish()
        os.close(self._answers)


class Stage:
    """Starts acts; use it as a context manager.

    ``ground`` says how its processes are kept away from the target. ``settings`` are handed to every act.
    """

    def __init__(self, ground: Ground) -> None:
        self._socket, theirs = socket.socketpair()
        self._asking = threading.Lock()
        self._log = ground.folder / "stage.log"
        with theirs, self._log.open("ab") as log:
            bounds = pickle.dumps(ground.bounds()).hex()
            environment = ground.environment(os.environ)
            addresses = addresses_left_out(os.environ, environment)
            # What scripts import is found where this process finds it: an entry script may have put folders there.
            environment["PYTHONPATH"] = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
            self._process = subprocess.Popen(
                ground.command([sys.executable, "-P", "-c", SERVE, str(theirs.fileno()), bounds, addresses]),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=[theirs.fileno()],
            )

    def perform(self, act: Callable[..., Any], *arguments: Any) -> Ended:
        """Play one act to its end: ``act(*arguments)`` in a process of its own. It is a function of a module of ours."""
        return self.start(act, *arguments).wait()

    def start(self, act: Callable[..., Any], *arguments: Any) -> Running:
        """Begin an act and come back at once."""
        answers, their_answers = os.pipe()
        control, their_control = socket.socketpair()
        request = pickle.dumps((act, arguments))
        try:
            with self._asking:
                head = [len(request).to_bytes(8, "big")]
                socket.send_fds(self._socket, head, [their_answers, their_control.fileno()])
                self._socket.sendall(request)
                pid = int.from_bytes(self._socket.recv(8), "big")
        except OSError:
            pid = 0
        os.close(their_answers)
        their_control.close()
        if pid == 0:
            raise NonstopError(
                "the process that rehearses scripts has ended",
                details=tuple(self._last_words()),
                next_step="see above",
            )
        return Running(pid, answers, control)

    def preload(self, modules: Sequence[str], url: str = "", statements: Sequence[str] = ()) -> None:
        """Let the stage itself import what acts have loaded, and judge what they have sent: the next ones have it then."""
        from nonstop.check import stagehand

        self.start(stagehand.preload, tuple(modules), url, tuple(statements)).wait()

    def close(self) -> None:
        """End the stage; acts still at work end with it."""
        self._socket.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> list[str]:
        return self._log.read_text(errors="replace").splitlines()[-10:]

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
