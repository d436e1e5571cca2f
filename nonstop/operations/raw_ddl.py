"""A script's own DDL in its online form, as the steps that ``op`` would make of it."""

from __future__ import annotations

from functools import partial

from nonstop.databases.base import Database
from nonstop.descriptions.operations import Step
from nonstop.descriptions.statements import Kind
from nonstop.operations import online_forms


def steps(statement: str, database: Database) -> list[Step]:
    """The steps of one CREATE or DROP INDEX CONCURRENTLY, or of an ADD CONSTRAINT that reads rows.

    They can be taken up again anywhere, and compare no definition: the statement says all that there is to know.
    """
    ((_, need),) = database.needs_of(statement)
    if need.kind is Kind.NOT_VALID:
        (constraint,) = need.added
        return online_forms.add_then_validate(
            (*need.rewritten, constraint.drop),
            f"constraint {constraint.name} of {constraint.table}",
            partial(database.constraint_state, constraint.table, constraint.name),
            need.lock,
            need.relations,
        )
    (name,) = need.creates or need.indexes
    state = partial(database.index_state, name)
    if not need.creates:
        return [online_forms.drop_concurrently(statement, name, state, need.relations)]
    return [
        *online_forms.build_concurrently(
            statement,
            f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
            name,
            f"create index {name} on {', '.join(need.relations)}",
            state,
            need.relations,
        )
    ]
