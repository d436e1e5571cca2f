"""Standard output and error that outlast their readers: a full disk or a closed pipe never reaches a script, nor the exit code."""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO


class LastingOutput(io.RawIOBase):
    """Writes to a file descriptor, and to nowhere from the first error on."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Any, /) -> int:
        content = memoryview(data).cast("B")
        written = 0
        while written < len(content):
            try:
                written += os.write(self._descriptor, content[written:])
            except OSError:
                _lead_nowhere(self._descriptor)
        return len(content)


def make_lasting() -> None:
    """Let ``sys.stdout`` and ``sys.stderr`` outlast their readers; streams that somebody has replaced are left alone.

    What is closed leads nowhere: otherwise the next file that is opened, a database say, would get the output.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            _lead_nowhere(descriptor)
    sys.stdout = _lasting(sys.stdout, 1)
    sys.stderr = _lasting(sys.stderr, 2)


def _lasting(stream: TextIO | None, descriptor: int) -> TextIO:
    if stream is None:
        return _text(descriptor, "utf-8", "backslashreplace", is_line_buffered=True)
    if not isinstance(stream, io.TextIOWrapper) or isinstance(_raw(stream), LastingOutput):
        return stream
    if stream.fileno() != descriptor:
        return stream
    return _text(descriptor, stream.encoding, stream.errors or "strict", stream.line_buffering)


def _raw(stream: io.TextIOWrapper) -> object:
    return getattr(stream.buffer, "raw", None)


def _text(descriptor: int, encoding: str, errors: str, is_line_buffered: bool) -> TextIO:
    buffer = io.BufferedWriter(LastingOutput(descriptor))
    return io.TextIOWrapper(buffer, encoding, errors, line_buffering=is_line_buffered)


def _lead_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != descriptor:
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
