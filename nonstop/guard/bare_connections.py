"""Notices connections that a script opens beside SQLAlchemy: nobody sees what it commits there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

OPENING = {
    "psycopg": (("connect",), ("Connection", "connect"), ("AsyncConnection", "connect")),
    "psycopg2": (("connect",),),
}
"""By module, what opens a connection. Drivers written in Python are noticed by their sockets, see CALLING_OTHERS."""
ALLOWED = ("nonstop.", "sqlalchemy.")
"""Modules whose connections are seen otherwise."""


@contextmanager
def noticing_bare_connections(notice: Callable[[], None]) -> Iterator[None]:
    """Call ``notice()`` before each connection that the block opens with a driver, but not SQLAlchemy's and ours."""
    with ExitStack() as patched:
        for module, names in OPENING.items():
            if module in sys.modules:
                for path in names:
                    _patch(sys.modules[module], path, notice, patched)
        yield


def _patch(module: Any, path: tuple[str, ...], notice: Callable[[], None], patched: ExitStack) -> None:
    *parents, name = path
    owner = module
    for parent in parents:
        owner = getattr(owner, parent)
    own = getattr(owner, name)

    @wraps(own)
    def connect(*arguments: Any, **options: Any) -> Any:
        if not sys._getframe(1).f_globals.get("__name__", "").startswith(ALLOWED):
            notice()
        return own(*arguments, **options)

    is_inherited = name not in vars(owner)
    original = vars(owner).get(name)
    setattr(owner, name, connect)
    patched.callback(delattr, owner, name) if is_inherited else patched.callback(
        setattr, owner, name, original
    )
