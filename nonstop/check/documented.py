"""Documented: it says what it does and why, prints what it does, and reports its failures."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nonstop import scripts
from nonstop.check.observations import Observations
from nonstop.descriptions.promises import Evidence, Promise, Verdict

FEWEST_WORDS = 3
"""Beyond the title ``Migration 003:`` and the words of the file's own name."""
PLACEHOLDERS = ("description of what this migration does", "say here what", "todo", "fixme")
WHY = re.compile(
    r"\b(why|because|since|so that|for|needs?|wants?|needed|ready|before|instead)\b", re.IGNORECASE
)


def prove(seen: Observations) -> Verdict:
    """Read the docstring, look at what was printed, and at what became of failures that were made."""
    evidence = (*_docstring(seen), *_printed(seen), *_failures(seen))
    return Verdict(Promise.DOCUMENTED, not any(fact.breaks for fact in evidence), evidence)


def _docstring(seen: Observations) -> Iterator[Evidence]:
    text = ast.get_docstring(scripts.parse(seen.script)) or ""
    if not text.strip():
        yield Evidence("it has no docstring that says what it does and why", breaks=True, line=1)
        return
    said = re.sub(r"^\s*migration\s*\d*\s*[:.-]?", "", text, flags=re.IGNORECASE)
    own = set(seen.script.name.lower().split("_"))
    words = [word for word in re.findall(r"\w+", said) if not word.isdigit()]
    if len(words) < FEWEST_WORDS or {word.lower() for word in words} <= own:
        yield Evidence(
            f"its docstring says no more than its title: {' '.join(text.split())!r}", breaks=True, line=1
        )
    elif any(said.strip().lower().startswith(placeholder) for placeholder in PLACEHOLDERS):
        yield Evidence(
            f"its docstring is still the template's: {' '.join(text.split())[:80]!r}", breaks=True, line=1
        )
    else:
        yield Evidence(f"says what it does: {' '.join(text.split())[:100]!r}")
        if not WHY.search(said):
            yield Evidence("does not say why: add a line that begins with 'Why:'")


def _printed(seen: Observations) -> Iterator[Evidence]:
    runs = {"apply": seen.on_schema, "rollback": seen.rollback.ran if seen.rollback else None}
    for verb, ran in runs.items():
        if ran is not None and ran.outcome is not None:
            printed = ran.outcome.output.strip()
            yield Evidence(
                f"{verb}() prints: {printed.splitlines()[0][:80]}" if printed else f"{verb}() prints nothing"
            )


def _failures(seen: Observations) -> Iterator[Evidence]:
    hidden = [fault for fault in seen.faults if fault.was_hidden]
    for fault in hidden:
        yield Evidence(
            f"when statement {fault.statement} of {fault.direction.value}() fails, it ends as if all had gone well",
            breaks=True,
            facts={"verb": fault.direction.value, "statement": fault.statement},
        )
    if seen.faults and not hidden:
        yield Evidence(
            f"reports its failures: {len(seen.faults)} were made", facts={"failures": len(seen.faults)}
        )
