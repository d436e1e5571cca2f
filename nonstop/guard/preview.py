"""Keeps a script that is only looked at from reaching any database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from nonstop.errors import Interruption

_refusing: ContextVar[bool] = ContextVar("nonstop_refusing_connections", default=False)


@contextmanager
def refusing_connections() -> Iterator[None]:
    """For the length of the block, in this context, each connection attempt raises Interruption."""
    if not event.contains(Engine, "do_connect", _refuse):
        event.listen(Engine, "do_connect", _refuse)
    token = _refusing.set(True)
    try:
        yield
    finally:
        _refusing.reset(token)


def _refuse(dialect: Any, record: Any, arguments: Any, parameters: Any) -> None:
    if _refusing.get():
        raise Interruption("a connection was asked for", 1)
