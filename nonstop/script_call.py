"""Calls a script's ``apply()`` or ``rollback()`` and judges what it returns."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from nonstop.errors import MigrationFailed


def call(function: Callable[[], Any], name: str, file: str) -> None:
    """Call ``function``, whose ``name`` and ``file`` are for messages, and return when the script is done.

    Done means that it returned True or None; a coroutine is run to its end first. Raises MigrationFailed for anything else:
    an object that only looks like an answer must never count as "applied".
    """
    answer = function()
    if inspect.isawaitable(answer):
        import asyncio  # not at the top: few scripts need it

        answer = asyncio.run(_result_of(answer))
    if answer is True or answer is None:
        return
    if answer is False:
        raise MigrationFailed(
            f"{file}: {name}() returned False",
            next_step="see what it printed above, correct the cause, then run again",
        )
    if inspect.isgenerator(answer) or inspect.isasyncgen(answer):
        raise MigrationFailed(
            f"{file}: {name}() contains a yield, so calling it runs none of its lines",
            next_step="remove the yield",
        )
    raise MigrationFailed(
        f"{file}: {name}() returned {_shortened(answer)}, which does not say whether it is done",
        next_step="return True when it is done and False when it could not be",
    )


async def _result_of(answer: Awaitable[Any]) -> Any:
    return await answer


def _shortened(answer: Any) -> str:
    try:
        text = repr(answer)
    except Exception:
        text = f"an object of type {type(answer).__name__}"
    return text if len(text) <= 60 else f"{text[:60]}…"
