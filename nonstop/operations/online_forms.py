"""The online forms of DDL, as steps: the same for the verbs of ``op`` and for a script's own SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from nonstop.descriptions.operations import LockClass, Step

State = Callable[[Connection], bool | None]
"""Asks the catalog about an index or a constraint: True where it is valid, False where it is not, None where there is none."""


def build_concurrently(
    statement: str, drop: str, name: str, summary: str, state: State, relations: Sequence[str]
) -> tuple[Step, Step]:
    """Two steps: drop what a failed build left of the index ``name``, then build it with ``statement``.

    A concurrent build that fails leaves an INVALID index, which slows every write and which IF NOT EXISTS would
    take for a good one (PostgreSQL manual, CREATE INDEX, "Building Indexes Concurrently"; failure mode C2).
    """
    drop_leftover = _beside_writers(
        f"drop what a failed build left of index {name}", drop, lambda c: state(c) is not False, relations
    )
    build = _beside_writers(summary, statement, lambda c: state(c) is True, relations)
    return drop_leftover, replace(build, undo=drop_leftover)


def drop_concurrently(statement: str, name: str, state: State, relations: Sequence[str]) -> Step:
    """One step. A drop that is cut off leaves the index INVALID, which no query uses anymore (failure mode C6)."""
    drop = _beside_writers(f"drop index {name}", statement, lambda c: state(c) is None, relations)
    return replace(drop, left_nothing=lambda c: state(c) is not False)


def add_then_validate(
    statements: Sequence[str], what: str, state: State, lock: LockClass, relations: Sequence[str]
) -> list[Step]:
    """Two steps: a short lock to add the constraint NOT VALID, then a scan that blocks nobody.

    ``statements`` add, validate and drop it; ``what`` is like ``constraint c of orders``. A validation that fails takes the
    constraint back: not valid for the old rows, it would stop every update of one that violates it (failure mode C28).
    """
    add, validate, drop = statements
    take_back = Step(
        f"take back {what}",
        (drop,),
        lambda c: state(c) is not False,
        LockClass.ACCESS_EXCLUSIVE,
        relations=tuple(relations),
    )
    return [
        Step(
            f"add {what}, for new values",
            (add,),
            lambda c: state(c) is not None,
            lock,
            relations=tuple(relations),
        ),
        replace(
            _beside_writers(f"add {what}, for all values", validate, lambda c: state(c) is True, relations),
            undo=take_back,
        ),
    ]


def _beside_writers(
    summary: str, statement: str, is_done: Callable[[Connection], bool], relations: Sequence[str]
) -> Step:
    """A step that runs long, outside transactions, and lets readers and writers go on."""
    return Step(
        summary, (statement,), is_done, LockClass.SHARE_UPDATE_EXCLUSIVE,
        in_transaction=False, relations=tuple(relations),
    )  # fmt: skip
