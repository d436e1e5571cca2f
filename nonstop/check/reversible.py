"""Can be rolled back: apply and rollback leave schema and rows as they were, and it can be applied again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from nonstop.check.observations import Observations
from nonstop.databases.fingerprint import Fingerprint, differences
from nonstop.descriptions.promises import Evidence, Promise, Verdict

ON_A_COLUMN = re.compile(r": (constraints|indexes|triggers): ")
IRREVERSIBLE = "can't be rolled back"
"""What ``op.irreversible`` says."""


def prove(seen: Observations) -> Verdict:
    """Compare the database before with the one after the rollback, and the one after apply with that after another."""
    declared = _declared_irreversible(seen)
    if seen.is_contract and (declared or not seen.has_rollback):
        return Verdict(Promise.REVERSIBLE, None, reason=f"not claimed: {declared or 'it has no rollback()'}")
    evidence = tuple(_facts(seen))
    if not seen.has_rollback or seen.apply is not None:
        return Verdict(Promise.REVERSIBLE, not any(fact.breaks for fact in evidence), evidence)
    return Verdict(Promise.REVERSIBLE, None, reason="could not be tried: apply fails on rows")


def _declared_irreversible(seen: Observations) -> str:
    failure = seen.rollback.ran.failure if seen.rollback else None
    is_declared = failure is not None and failure.kind == "Refused" and IRREVERSIBLE in failure.message
    return failure.message if failure is not None and is_declared else ""


def _facts(seen: Observations) -> Iterator[Evidence]:
    if not seen.has_rollback:
        yield Evidence("there is no rollback()", breaks=True)
    if seen.rollback is None:
        return
    if (failure := seen.rollback.ran.failure) is not None:
        yield Evidence(f"rollback failed: {failure.in_a_line}", breaks=True, line=failure.line)
        return
    before, back = seen.before.schema, seen.rollback.moment.schema
    kept = [
        name
        for name in before.get("enums", {})
        if _only_gained(before["enums"][name], back["enums"].get(name))
    ]
    for name in kept:
        text = (
            f"after apply and rollback, the type {name} keeps its new values: PostgreSQL can't take one away"
        )
        yield Evidence(text, facts={"type": name})
    for difference in differences(_without_enums(before, kept), _without_enums(back, kept)):
        # What a contract takes away comes back without its data, which a constraint on it may ask for.
        is_expected = (
            seen.is_contract and difference.endswith(": is gone") and bool(ON_A_COLUMN.search(difference))
        )
        yield Evidence(f"after apply and rollback, {difference}", breaks=not is_expected)
    yield from _rows(seen)
    yield from _applied_again(seen)


def _only_gained(before: Any, after: Any) -> bool:
    """Whether an enumerated type has all its values, in their order, and others beside them."""
    if after is None or before == after:
        return False
    remaining = iter(after[0])
    return all(value in remaining for value in before[0])


def _without_enums(schema: Fingerprint, names: list[str]) -> Fingerprint:
    return {
        kind: {name: found for name, found in objects.items() if kind != "enums" or name not in names}
        for kind, objects in schema.items()
    }


def _rows(seen: Observations) -> Iterator[Evidence]:
    assert seen.rollback is not None
    for table, (count, checksum) in seen.before.rows.items():
        now, now_checksum = seen.rollback.moment.rows.get(table, (0, ""))
        if (count, checksum) == (now, now_checksum):
            continue
        what = f"has {now} rows instead of {count}" if now != count else "has other values than before"
        yield Evidence(
            f"after apply and rollback, {table} {what}",
            breaks=not seen.is_contract,
            facts={"table": table, "rows_before": count, "rows_now": now},
        )
    same = sum(count for count, _ in seen.before.rows.values())
    yield Evidence(f"compared: {len(seen.before.rows)} table(s) with {same} row(s)", facts={"rows": same})


def _applied_again(seen: Observations) -> Iterator[Evidence]:
    if seen.apply_back is None:
        return
    if (failure := seen.apply_back.ran.failure) is not None:
        yield Evidence(
            f"after the rollback, apply failed: {failure.in_a_line}", breaks=True, line=failure.line
        )
        return
    for difference in differences(seen.after.schema, seen.apply_back.moment.schema):
        yield Evidence(f"applied again after the rollback, {difference}", breaks=True)
    if seen.is_contract:
        return
    for table, (count, _) in seen.after.rows.items():
        now = seen.apply_back.moment.rows.get(table, (0, ""))[0]
        if now != count:  # values may differ: a default may be the time of day
            yield Evidence(
                f"applied again after the rollback, {table} has {now} rows instead of {count}", breaks=True
            )
