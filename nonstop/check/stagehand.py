"""The other side of the stage: forks itself for each act that the parent asks for.

Requests come over a socket, each with the pipe for the act's answer and a socket that it is told through to end. When the parent is gone, so is everything here.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import pickle
import signal
import socket
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from nonstop.check.isolation import confine
from nonstop.check.stage import Ended
from nonstop.databases.rehearsal import Bounds

DIES_WITH_PARENT = 1
"""Linux's PR_SET_PDEATHSIG."""
NEEDED_SOON = (
    "alembic.operations",
    "alembic.runtime.migration",
    "sqlalchemy.orm",
    "nonstop.check.acts",
    "nonstop.databases.postgresql",
    "nonstop.databases.sqlite",
    "nonstop.execution",
    "nonstop.lock",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
)
"""Imported once, before the first act: each fork has them already."""

INSTALLED = tuple(
    {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {str(Path(__file__).parents[1])}
)
"""Folders whose modules are the same for every act, unlike the user's."""
addresses = ""
"""Where else an application may look for its address; see :func:`nonstop.check.stage.addresses_left_out`."""
imported: int
"""In an act: how many modules were there when it began. Their names would do as well, but whoever touches them all copies every
page that they are on."""
control: socket.socket
"""In an act: to say that it is ready, and readable when it has been told to come to its end."""


def serve(descriptor: int, bounds: bytes, variables: str) -> None:
    """Answer requests until the parent closes the socket. ``bounds`` (pickled) are what acts may connect to, ``variables``
    those that are to name the scratch database."""
    global addresses  # noqa: PLW0603  # the same for all acts
    addresses = variables
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the acts: the system buries them
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    with importing():
        preload(NEEDED_SOON)
    bytecode = Path.home() / "bytecode"
    stage = os.getpid()
    with socket.socket(fileno=descriptor) as requests:
        while received := socket.recv_fds(requests, 8, 2):
            head, descriptors, _, _ = received
            if not head:
                return
            request = _exactly(requests, int.from_bytes(head, "big"))
            act, arguments = pickle.loads(request)
            if act is preload:
                preload(*arguments)
                # From now on acts import little but the user's files, again and again: they are compiled once.
                sys.pycache_prefix, sys.dont_write_bytecode = str(bytecode), False
            # What is there already is never garbage: a collection in the act would copy every page of it.
            gc.freeze()
            pid = os.fork()
            if pid == 0:
                die_with(stage)
                requests.close()
                os._exit(_play(act, arguments, pickle.loads(bounds), *descriptors))
            for number in descriptors:
                os.close(number)
            requests.sendall(pid.to_bytes(8, "big"))


def preload(modules: tuple[str, ...], url: str = "", statements: tuple[str, ...] = ()) -> None:
    """Import what acts are going to need, and judge the statements that they will send to databases like the one at
    ``url``. What can't be imported here fails there, where it is told."""
    for module in modules:
        with suppress(Exception):
            importlib.import_module(module)
    if statements:
        from nonstop.databases import open_database

        open_database(url).rehearsals.read_ahead(statements)


@contextmanager
def importing() -> Iterator[None]:
    """For a block that imports: what it makes stays. To look for garbage in it again and again takes a quarter of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _exactly(requests: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        part = requests.recv(length - len(received))
        if not part:
            raise EOFError
        received += part
    return received


def die_with(parent: int) -> None:
    """Let the system end this process when ``parent`` ends, where it can; end it now if that has been faster."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(DIES_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _play(
    act: Callable[..., Any], arguments: tuple[Any, ...], bounds: Bounds, answers: int, told: int
) -> int:
    """Be the act: its answer, or its error, goes into the pipe."""
    global control, imported  # noqa: PLW0603  # one act in a process
    control = socket.socket(fileno=told)
    imported = len(sys.modules)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # scripts wait for children of theirs
    try:
        confine(bounds)
        ended = Ended(act(*arguments))
    except BaseException as error:
        traceback.print_exc()
        ended = Ended(error=f"{type(error).__name__}: {error}")
    sys.stdout.flush()
    sys.stderr.flush()
    with os.fdopen(answers, "wb") as pipe:
        pipe.write(pickle.dumps(ended))
    return 0


def work_on(url: str) -> None:
    """Let the application of this act find ``url`` where it looks for the address of its database."""
    os.environ["DATABASE_URL"] = url
    for one in filter(None, addresses.split(",")):
        name, _, scheme = one.partition("=")
        os.environ[name] = f"{scheme}://{url.partition('://')[2]}"


def learn_imports() -> list[str]:
    """The modules that this act has loaded and every act would: installed packages, Python's own, ours."""
    new = list(islice(reversed(sys.modules.items()), max(len(sys.modules) - imported, 0)))
    return [
        name
        for name, module in reversed(new)
        if (getattr(module, "__file__", None) or "").startswith(INSTALLED)
    ]
