"""The threads that a script starts: the guard covers them as it covers the script itself, and waits for their end."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from functools import cache, partial, wraps
from typing import TYPE_CHECKING, Any

from nonstop.errors import Interruption, UsageError
from nonstop.guard.hooks import active

if TYPE_CHECKING:
    from nonstop.guard.session import Guard

JOIN_SECONDS = 0.1
"""Between two looks at the deadline and at signals while a thread is waited for."""


class ScriptThreads:
    """The threads that one script has started; the thread that makes this object is the script's own."""

    def __init__(self) -> None:
        self._own = threading.get_ident()
        self._started: list[threading.Thread] = []

    def add(self, thread: threading.Thread) -> None:
        """Note a thread that the script starts now."""
        self._started.append(thread)

    def refuse_op(self) -> None:
        """Raise UsageError where ``op`` is called in a thread of the script's, or beside one.

        Its steps share a connection, and a transaction as long as the script does nothing else.
        """
        if threading.get_ident() != self._own or self._alive():
            raise UsageError(
                "op was called while a thread of the script is at work",
                next_step="call op before the threads start or after they have ended, in the script's own thread",
            )

    def wait(self, checkpoint: Callable[[], None]) -> None:
        """Wait for the threads' ends, as Python does when a process ends: for all but the daemons."""
        for thread in self._started:  # it grows while threads start others
            while thread.is_alive() and not thread.daemon:
                checkpoint()
                thread.join(JOIN_SECONDS)

    @property
    def daemons(self) -> list[str]:
        """Names of the daemon threads that are alive; the end of a process would end them."""
        return [thread.name for thread in self._alive() if thread.daemon]

    def _alive(self) -> list[threading.Thread]:
        return [thread for thread in self._started if thread.is_alive()]


@cache
def install() -> None:
    """Let threads that a script starts run in its context; without an active guard threads start as usual."""
    _cover_threads()
    _cover_bare_threads()


def _cover_threads() -> None:
    start = threading.Thread.start

    @wraps(start)
    def start_covered(thread: threading.Thread) -> None:
        if (guard := active.get()) is not None:
            guard.before_thread(thread)
            thread.run = partial(_run, guard, copy_context(), thread.run)  # type: ignore[method-assign]
        start(thread)

    threading.Thread.start = start_covered  # type: ignore[assignment, method-assign]


def _run(guard: Guard, context: Context, run: Callable[[], None]) -> None:
    """Run a thread. What nonstop stopped or refused in it ends the script too, as nobody hands on a thread's error."""
    with suppress(Interruption):
        guard.stops.remember(partial(context.run, run))


def _cover_bare_threads() -> None:
    """Let what calls ``_thread.start_new_thread`` get a thread with a name and an end: such a one can be waited for."""
    start = _thread.start_new_thread

    @wraps(start)
    def start_covered(function: Callable[..., object], args: Any, kwargs: Any = None, /) -> int:
        if active.get() is None:
            return start(function, args, kwargs or {})
        thread = threading.Thread(target=function, args=args, kwargs=kwargs, daemon=True)
        thread.start()
        return thread.ident or 0

    _thread.start_new_thread = start_covered
