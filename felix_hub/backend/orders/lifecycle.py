"""The way of an order through the workshop: новый (new) → в работе (in work) → готов (ready) → выдан (handed out)."""

from __future__ import annotations

from itertools import pairwise

STATUSES = ("новый", "в работе", "готов", "выдан")


def status_before(status: str) -> str | None:
    """The only status from which an order may move to `status`; None for the first."""
    position = STATUSES.index(status)
    return STATUSES[position - 1] if position else None


def status_after(status: str) -> str | None:
    """The only status to which an order in `status` may move; None for the last, or for one that we don't know."""
    return dict(pairwise(STATUSES)).get(status)
