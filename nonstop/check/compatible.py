"""Compatible with running code: the old release reads, inserts, updates and deletes on the new schema."""

from __future__ import annotations

from nonstop.check.observations import Observations
from nonstop.descriptions.promises import Evidence, Promise, Verdict


def prove(seen: Observations) -> Verdict:
    """Judge what the running code met on the schema after the script."""
    if seen.running_code is None:
        return Verdict(Promise.COMPATIBLE, None, reason=seen.no_code)
    evidence = tuple(seen.running_code)
    if seen.is_contract and not seen.code_is_named:
        facts = tuple(fact._replace(breaks=False) for fact in evidence)
        reason = "not claimed: which code runs when this is applied is not known; name it with --against"
        return Verdict(Promise.COMPATIBLE, None, facts, reason)
    tried = Evidence(f"{seen.tried} reads and writes were tried", facts={"tried": seen.tried})
    return Verdict(Promise.COMPATIBLE, not any(fact.breaks for fact in evidence), (*evidence, tried))
