"""Survives a crash: killed after each statement in turn and run again, it ends where an undisturbed run ends."""

from __future__ import annotations

from collections.abc import Iterator

from nonstop.check.observations import Killed, Observations
from nonstop.descriptions.promises import Evidence, Fact, Promise, Verdict
from nonstop.descriptions.scripts import Direction


def prove(seen: Observations) -> Verdict:
    """Judge the runs that were killed."""
    if seen.apply is None:
        return Verdict(Promise.CRASH_SAFE, None, reason="could not be tried: apply fails on rows")
    broken = [
        fact
        for killed in sorted(seen.killed, key=lambda one: (one.direction, one.point))
        for fact in _astray(killed)
    ]
    return Verdict(Promise.CRASH_SAFE, not broken, (*broken, *_tried(seen)))


def _astray(killed: Killed) -> Iterator[Evidence]:
    verb, moment = (
        killed.direction.value,
        f"killed after statement {killed.point} of {killed.direction.value}()",
    )
    facts: dict[str, Fact] = {"verb": verb, "point": killed.point}
    if (failure := killed.again.failure) is not None:
        text = f"{moment}, it can't be run again: {failure.in_a_line}"
        yield Evidence(text, breaks=True, line=failure.line, facts=facts)
    elif killed.differences:
        text = f"{moment} and run again, {'; '.join(killed.differences[:3])}"
        yield Evidence(text, breaks=True, facts=facts)


def _tried(seen: Observations) -> Iterator[Evidence]:
    for direction in Direction:
        kills = sum(killed.direction is direction for killed in seen.killed)
        if kills:
            text = f"{direction.value}() was killed {kills} times, once after each statement and commit"
            yield Evidence(text, facts={"verb": direction.value, "kills": kills})
