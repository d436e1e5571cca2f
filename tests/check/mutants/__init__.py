"""Mutants of two good scripts: each breaks one promise, and only that one.

What they change is in tables that the running code does not map, so that no broken promise implies another; the mutants
of ``compatible with running code`` alone change what it maps.
"""

from tests.check.mutants.making import BASES, Mutant
from tests.check.mutants.of_the_schema import ADDITIVE, COMPATIBLE, NULLABLE
from tests.check.mutants.of_the_way import CRASH_SAFE, DOCUMENTED, IDEMPOTENT, NO_DOWNTIME, REVERSIBLE

MUTANTS: tuple[Mutant, ...] = (
    *ADDITIVE, *NULLABLE, *COMPATIBLE, *REVERSIBLE, *IDEMPOTENT, *CRASH_SAFE, *NO_DOWNTIME, *DOCUMENTED,
)  # fmt: skip

__all__ = ["BASES", "MUTANTS", "Mutant"]
