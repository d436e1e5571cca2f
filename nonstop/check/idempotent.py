"""Idempotent: a second apply and a second rollback end well and change nothing."""

from __future__ import annotations

from collections.abc import Iterator

from nonstop.check.observations import Observations, Step
from nonstop.databases.fingerprint import Snapshot, differences
from nonstop.descriptions.promises import Evidence, Promise, Verdict


def prove(seen: Observations) -> Verdict:
    """Compare the database before each second call with the one after it."""
    if seen.apply is None or seen.apply_again is None:
        return Verdict(Promise.IDEMPOTENT, None, reason="could not be tried: apply fails on rows")
    evidence = [*_second("apply", seen.apply.moment, seen.apply_again)]
    if seen.rollback_again is not None and seen.rollback is not None:
        evidence += _second("rollback", seen.rollback.moment, seen.rollback_again)
    return Verdict(Promise.IDEMPOTENT, not any(fact.breaks for fact in evidence), tuple(evidence))


def _second(verb: str, before: Snapshot, step: Step) -> Iterator[Evidence]:
    if (failure := step.ran.failure) is not None:
        text = f"a second {verb}() fails: {failure.in_a_line}"
        yield Evidence(text, breaks=True, line=failure.line)
        return
    found = [
        *differences(before.schema, step.moment.schema),
        *differences(before.rows, step.moment.rows, "rows of"),
    ]
    for difference in found:
        yield Evidence(f"after a second {verb}(), {difference}", breaks=True)
    if not found:
        points = step.ran.points
        yield Evidence(
            f"a second {verb}() changes nothing", facts={"verb": verb, "statements_that_write": points}
        )
