"""Each proof proves its own promise: a good script keeps all of them, a mutant breaks one and no other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from nonstop.descriptions.promises import Promise, ScriptCheck
from tests.check.corpus.checking import check
from tests.check.corpus.judge import broken_promises
from tests.check.corpus.shop import RUNNING_CODE, furnish
from tests.check.mutants import BASES, MUTANTS, Mutant
from tests.support.projects import Project
from tests.support.tiers import thoroughness


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Project:
    """A database with the shop's tables, and a project without migrations."""
    return furnish(tmp_path, database_url)


def checked(shop: Project, text: str) -> ScriptCheck:
    (shop.migrations / "001_give_boxes_a_shelf.py").write_text(text, encoding="utf-8")
    (found,) = check(shop.migrations, shop.url, RUNNING_CODE).scripts
    return found


def test_there_are_three_mutants_for_each_promise() -> None:
    counted = Counter(mutant.promise for mutant in MUTANTS)
    assert all(counted[promise] >= 3 for promise in Promise), counted
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def cheapest(mutant: Mutant) -> str:
    """Where a mutant costs least: on SQLite, which takes a third of the time, if it can be tried there."""
    return "sqlite" if "sqlite" in mutant.databases else "postgresql"


def databases(mutant: Mutant) -> tuple[str, ...]:
    """Where a mutant is tried: the first one of each promise on both databases, and with twice the examples all of them."""
    is_first = next(other for other in MUTANTS if other.promise is mutant.promise) is mutant
    return mutant.databases if is_first or thoroughness() > 1 else (cheapest(mutant),)


@pytest.mark.thorough("postgresql-raw", "sqlite-verbs")
@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_the_good_ones_keep_all_promises(base: str, shop: Project) -> None:
    found = checked(shop, base)
    assert not found.error
    assert {verdict.promise for verdict in found.verdicts if verdict.holds} == {*Promise}, found.verdicts


@pytest.mark.no_cover  # the good ones go the same ways
@pytest.mark.parametrize(
    ("mutant", "database_url"),
    [
        pytest.param(
            mutant,
            database,
            id=f"{mutant.promise}-{mutant.name}-{database}",
            marks=[
                *([pytest.mark.postgresql] if database == "postgresql" else []),
                *([] if database == cheapest(mutant) else [pytest.mark.thorough]),
            ],
        )
        for mutant in MUTANTS
        for database in databases(mutant)
    ],
    indirect=["database_url"],
)
def test_a_mutant_breaks_its_promise_and_no_other(mutant: Mutant, shop: Project) -> None:
    found = checked(shop, mutant.text)
    assert not found.error
    expected = {mutant.promise}
    if mutant.promise is Promise.IDEMPOTENT:  # killed after its commit, it has to run twice
        expected.add(Promise.CRASH_SAFE)
    assert {*broken_promises(found)} == expected, found.verdicts
