"""Carries out, step by step, what a plain statement was made into: it runs long, but lets readers and writers go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from nonstop.databases.postgresql_reader import Reader
from nonstop.databases.postgresql_statements import classify
from nonstop.databases.postgresql_tokens import quoted
from nonstop.descriptions.operations import LockClass, Step
from nonstop.descriptions.statements import Kind, Need

if TYPE_CHECKING:
    from sqlalchemy import Connection

IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%(name)s)"
IS_VALIDATED = """
    SELECT convalidated FROM pg_constraint WHERE conrelid = to_regclass(%(name)s) AND conname = %(constraint)s"""


def online_steps(statement: str) -> list[Step]:
    """The steps of a CREATE or DROP INDEX CONCURRENTLY, or of an ADD CONSTRAINT. They can be taken up again anywhere."""
    need = classify(statement)
    if need.kind is Kind.NOT_VALID:
        return _add_constraint(need)
    if need.creates:
        return _create_index(statement, need)
    return [_drop_index(statement, need.indexes[0])]


def _create_index(statement: str, need: Need) -> list[Step]:
    (name,) = need.creates
    # A build that failed leaves an INVALID index, which IF NOT EXISTS would take for a good one (failure mode C2).
    drop_leftover = _step(
        f"drop what a failed build left of index {name}",
        f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
        lambda connection: _ask(connection, IS_VALID, name=name) is not False,
        need.relations,
    )
    build = _step(
        f"create index {name} on {', '.join(need.relations)}",
        statement,
        lambda connection: _ask(connection, IS_VALID, name=name) is True,
        need.relations,
        undo=drop_leftover,
    )
    return [drop_leftover, build]


def _drop_index(statement: str, name: str) -> Step:
    def is_gone(connection: Connection) -> bool:
        return _ask(connection, IS_VALID, name=name) is None

    def left_nothing(connection: Connection) -> bool:
        return _ask(connection, IS_VALID, name=name) is not False

    return replace(_step(f"drop index {name}", statement, is_gone, ()), left_nothing=left_nothing)


def _add_constraint(need: Need) -> list[Step]:
    add, validate = need.rewritten
    reader = Reader.of(validate)
    reader.accept("alter table [if exists]")
    reader.accept("[only]")
    table = str(reader.name())
    reader.accept("validate constraint")
    constraint = reader.name().last
    summary = f"add constraint {constraint} to {table}"

    def is_validated(connection: Connection) -> object:
        """None where there is no such constraint."""
        return _ask(connection, IS_VALIDATED, name=table, constraint=constraint)

    # Not valid for the old rows, it would stop every update of one that violates it (failure mode C28).
    take_back = Step(
        f"take back constraint {constraint} of {table}",
        (f"ALTER TABLE {table} DROP CONSTRAINT {quoted(constraint)}",),
        lambda connection: is_validated(connection) is not False,
        LockClass.ACCESS_EXCLUSIVE,
        relations=need.relations,
    )
    return [
        Step(
            f"{summary}, for new values",
            (add,),
            lambda connection: is_validated(connection) is not None,
            need.lock,
            relations=need.relations,
        ),
        _step(
            f"{summary}, for all values",
            validate,
            lambda connection: is_validated(connection) is True,
            need.relations,
            undo=take_back,
        ),
    ]


def _step(
    summary: str,
    statement: str,
    is_done: Callable[[Connection], bool],
    relations: tuple[str, ...],
    undo: Step | None = None,
) -> Step:
    return Step(
        summary, (statement,), is_done, LockClass.SHARE_UPDATE_EXCLUSIVE,
        in_transaction=False, relations=relations, undo=undo,
    )  # fmt: skip


def _ask(connection: Connection, query: str, **names: str) -> object:
    row = connection.exec_driver_sql(query, names).fetchone()
    return None if row is None else row[0]
