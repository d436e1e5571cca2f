"""Variables for those whom the guard's hooks do not reach: a script's own driver connections and child processes.

The environment is the whole process's, and a connection remembers for life what it was opened with. So SQLAlchemy's
connections, the application's threads' among them, are opened without these variables: the guard prepares those that
the script has checked out, and the others are none of its business.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

_in_force: ClientEnvironment | None = None


class ClientEnvironment:
    """Environment variables that are set for the length of a block."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._before = {name: os.environ.get(name) for name in variables}
        self._connecting = threading.RLock()
        self._shielded: list[Any] = []

    @contextmanager
    def passed_on(self) -> Iterator[None]:
        """Set the variables; afterwards each is as it was, unless the script has given it a value of its own."""
        global _in_force  # noqa: PLW0603  # the environment itself is global
        if not self._variables:
            yield
            return
        _install()
        outer, _in_force = _in_force, self
        os.environ.update(self._variables)
        try:
            yield
        finally:
            _in_force = outer
            self._put_back()
            for dialect in self._shielded:
                del dialect.connect

    @contextmanager
    def withheld(self) -> Iterator[None]:
        """For a moment, as if the variables had never been set."""
        with self._connecting:
            now = self._put_back()
            try:
                yield
            finally:
                os.environ.update(now)

    def shield(self, dialect: Any) -> None:
        """Let ``dialect`` connect without the variables."""
        if dialect in self._shielded:
            return
        connect = dialect.connect

        def without_variables(*arguments: Any, **options: Any) -> Any:
            with self.withheld():
                return connect(*arguments, **options)

        dialect.connect = without_variables
        self._shielded.append(dialect)

    def _put_back(self) -> dict[str, str]:
        """Undo what is still ours; it comes back."""
        ours = {name: value for name, value in self._variables.items() if os.environ.get(name) == value}
        for name in ours:
            before = self._before[name]
            if before is None:
                del os.environ[name]
            else:
                os.environ[name] = before
        return ours


@cache
def _install() -> None:
    event.listen(Engine, "do_connect", _before_connect)


def _before_connect(dialect: Any, record: Any, arguments: Any, parameters: Any) -> None:
    if _in_force is not None:
        _in_force.shield(dialect)
