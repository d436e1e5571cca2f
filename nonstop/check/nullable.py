"""Nullable at first: an INSERT that names only the old columns works (failure mode C30)."""

from __future__ import annotations

from nonstop.check.observations import Observations
from nonstop.descriptions.promises import Promise, Verdict


def prove(seen: Observations) -> Verdict:
    """Judge the INSERTs that were tried on the schema after the script."""
    evidence = tuple(seen.old_columns)
    return Verdict(Promise.NULLABLE, not any(fact.breaks for fact in evidence), evidence)
