"""What scripts print goes to standard error, and into the result; standard output belongs to the report."""

from __future__ import annotations

import io
import os
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from io import TextIOWrapper
from typing import Any, TextIO


class Captured(io.RawIOBase):
    """Passes on what is printed as it comes, and keeps it in ``text``.

    It is the bottom of a whole text stream, so that what scripts do to the usual one (``sys.stdout.buffer``,
    ``reconfigure``, handing it to a child process) works here too.
    """

    def __init__(self, pass_on: Callable[[str], None]) -> None:
        self._pass_on = pass_on
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1

    def write(self, data: Any, /) -> int:
        content = bytes(data)
        text = self._decoder.decode(content)
        if text:
            self._parts.append(text)
            self._pass_on(text)
        return len(content)

    def close(self) -> None:
        """Stays open: a stream that a script put over this one closes it when it goes."""


class Masked(io.RawIOBase):
    """Passes on what is written to ``stream``, masked: warnings, and what logging writes to standard error."""

    def __init__(self, stream: TextIO, mask: Callable[[str], str]) -> None:
        self._stream = stream
        self._mask = mask
        self._decoder = getincrementaldecoder("utf-8")("replace")

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def write(self, data: Any, /) -> int:
        content = bytes(data)
        if text := self._decoder.decode(content):
            self._stream.write(self._mask(text))
            self._stream.flush()
        return len(content)

    def close(self) -> None:
        """Stays open, as what it writes to."""


@contextmanager
def captured_output(pass_on: Callable[[str], None], mask: Callable[[str], str] = str) -> Iterator[Captured]:
    """Give ``pass_on`` what the block prints, and keep it in ``.text`` of the value.

    What the block writes to ``sys.stderr`` is masked by ``mask`` and stays there. File descriptor 1 leads to standard error meanwhile, so that a child process or a C library can't write into
    the report either.
    """
    captured = Captured(pass_on)
    sys.stdout.flush()
    errors = None if sys.stderr is None else _text(Masked(sys.stderr, mask))
    saved = _point_stdout_at_stderr()
    try:
        with redirect_stdout(_text(captured)), redirect_stderr(errors):
            yield captured
    finally:
        if saved is not None:
            os.dup2(saved, 1)
            os.close(saved)


def _text(raw: io.RawIOBase) -> TextIOWrapper:
    return TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)  # type: ignore[arg-type]


def _point_stdout_at_stderr() -> int | None:
    """Redirect descriptor 1 and return a copy of what it was; None where there are no such descriptors."""
    with suppress(OSError):
        saved = os.dup(1)
        os.dup2(2, 1)
        return saved
    return None
