"""What scripts print goes to standard error, and into the result; standard output belongs to the report."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress


class Captured(io.TextIOBase):
    """A text stream that passes everything on as it comes, and keeps it."""

    def __init__(self, pass_on: Callable[[str], None]) -> None:
        self._pass_on = pass_on
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._parts.append(text)
        self._pass_on(text)
        return len(text)


@contextmanager
def captured_output(pass_on: Callable[[str], None]) -> Iterator[Captured]:
    """Give ``pass_on`` what the block prints, and keep it in ``.text`` of the value.

    File descriptor 1 leads to standard error meanwhile, so that a child process or a C library can't write into
    the report either.
    """
    captured = Captured(pass_on)
    sys.stdout.flush()
    saved = _point_stdout_at_stderr()
    try:
        with redirect_stdout(captured):
            yield captured
    finally:
        if saved is not None:
            os.dup2(saved, 1)
            os.close(saved)


def _point_stdout_at_stderr() -> int | None:
    """Redirect descriptor 1 and return a copy of what it was; None where there are no such descriptors."""
    with suppress(OSError):
        saved = os.dup(1)
        os.dup2(2, 1)
        return saved
    return None
