"""The corpus is what it says it is, and ``check`` judges it rightly."""

from __future__ import annotations

from pathlib import Path

import pytest

from nonstop import scripts
from nonstop.descriptions.promises import Promise
from tests.check.corpus import EXAMPLES
from tests.check.corpus.examples import Example
from tests.check.corpus.judge import Judgement, judge
from tests.check.corpus.shop import furnish, write
from tests.support.fingerprint import fingerprint, rows
from tests.support.forked import Ended, ForkServer
from tests.support.projects import Project
from tests.support.tiers import thoroughness

pytestmark = pytest.mark.no_cover  # test_check_command and others go the same ways

BY_ID = {example.id: example for example in EXAMPLES}
BAD = [example for example in EXAMPLES if example.breaks is not None]
GOOD = [example for example in EXAMPLES if example.breaks is None]
ROWS_ABOUT_SCHEMAS = range(14, 55)
WITHOUT_CORRECTION = {
    f"changes_of_prices_writes_to_a_missing_{what}": "its author alone knows what is missing"
    for what in ("column", "table")
} | {"row_security_without_a_policy": "its author alone knows who is to see which rows"}
KEPT_BY_THE_SERVER = {"order_is_returned_verb": "PostgreSQL can't take a value of an enumerated type back"}


def some(examples: list[Example], each: int) -> list[Example]:
    """One of ``each`` examples: all of them take half an hour, which is for ``python -m tests.check.corpus``."""
    return examples[:: max(1, each // max(1, thoroughness()))]


def on_each_database(examples: list[Example]) -> pytest.MarkDecorator:
    """Run a test for each example on each of the databases that it is meant for; quick where that costs least."""
    return pytest.mark.parametrize(
        ("example", "database_url"),
        [
            pytest.param(
                example,
                database,
                id=f"{example.id}-{database}",
                marks=[
                    *([pytest.mark.postgresql] if database == "postgresql" else []),
                    *([pytest.mark.thorough] if database != cheapest(example.databases) else []),
                ],
            )
            for example in examples
            for database in example.databases
        ],
        indirect=["database_url"],
    )


def cheapest(databases: tuple[str, ...]) -> str:
    """The database on which an example is rehearsed fastest: a check on SQLite takes a third of the time."""
    return "sqlite" if "sqlite" in databases else "postgresql"


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Project:
    """A database with the shop's tables, and a project without migrations."""
    return furnish(tmp_path, database_url)


# --- the corpus itself --------------------------------------------------------------------------------------------


def test_there_are_enough_scripts_and_each_has_a_name_of_its_own() -> None:
    assert len(BY_ID) == len(EXAMPLES) >= 70


def test_what_is_done_badly_is_also_done_well() -> None:
    assert {example.pair for example in BAD} <= {example.pair for example in GOOD}


def test_every_promise_is_broken_in_several_ways() -> None:
    for promise in Promise:
        assert len([example for example in BAD if example.breaks is promise]) >= 3, promise


def test_every_row_of_the_table_has_its_scripts() -> None:
    covered = {row for example in EXAMPLES for row in example.rows}
    assert [row for row in ROWS_ABOUT_SCHEMAS if row not in covered] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=BY_ID)
def test_a_script_can_be_read(example: Example, migrations: Path) -> None:
    path = migrations / example.file_name
    path.write_text(example.text, encoding="utf-8")
    assert scripts.examine(scripts.read(path)) is None
    assert "‹" not in example.text


# --- what the scripts do ------------------------------------------------------------------------------------------


@pytest.mark.repetitive(8)
@on_each_database(some(GOOD, each=4))
def test_a_good_one_goes_there_and_back(example: Example, shop: Project, forks: ForkServer) -> None:
    write(shop, example)
    before, data = fingerprint(shop.url), rows(shop.url)
    succeeds(shop, forks, "apply")
    after = fingerprint(shop.url)
    if "op.irreversible" in example.text:
        return
    succeeds(shop, forks, "rollback", "--yes")
    if example.id not in KEPT_BY_THE_SERVER:
        assert fingerprint(shop.url) == before
    if 'phase = "contract"' not in example.text:
        assert rows(shop.url) == data
    succeeds(shop, forks, "apply")
    assert fingerprint(shop.url) == after


@on_each_database(some(BAD, each=4))
def test_a_bad_one_runs_unless_it_is_meant_to_fail(
    example: Example, shop: Project, forks: ForkServer
) -> None:
    write(shop, example)
    ended = run(shop, forks, "apply", "--allow-blocking", "it is meant to", "--discard-data")
    assert (ended.returncode == 0) is not (example.fails), ended.output


def succeeds(shop: Project, forks: ForkServer, *arguments: str) -> None:
    ended = run(shop, forks, *arguments)
    assert ended.returncode == 0, ended.output


def run(shop: Project, forks: ForkServer, *arguments: str) -> Ended:
    return forks.run(*arguments, "--dir", shop.migrations, env=shop.environment)


# --- what check says of them --------------------------------------------------------------------------------------


def judged(example: Example, shop: Project) -> Judgement:
    return judge(example, "sqlite" if shop.url.startswith("sqlite") else "postgresql", shop)


@pytest.mark.repetitive(2)
@on_each_database(some(BAD, each=12))
def test_a_bad_one_is_refused_with_a_correction_that_passes(example: Example, shop: Project) -> None:
    judgement = judged(example, shop)
    assert judgement.found.is_refused
    assert judgement.names_the_promise, judgement.found
    if example.id not in WITHOUT_CORRECTION:
        assert judgement.corrected is not None, "there is no correction"
        assert judgement.correction_passes, judgement.corrected


@pytest.mark.repetitive(2)
@on_each_database(some(GOOD, each=12))
def test_a_good_one_is_not_refused(example: Example, shop: Project) -> None:
    found = judged(example, shop).found
    assert not found.is_refused, found
