"""What a statement does to its transaction is told by its words, whatever stands around them."""

from __future__ import annotations

import pytest

from nonstop.databases.transaction_control import Verb, transaction_control


@pytest.mark.parametrize(
    ("statement", "verb", "savepoint"),
    [
        ("COMMIT", Verb.COMMIT, ""),
        ("/* done /* really */ */ commit work;", Verb.COMMIT, ""),
        ("-- done\nEND TRANSACTION AND NO CHAIN ;; ", Verb.COMMIT, ""),
        ("COMMIT AND CHAIN", Verb.COMMIT, ""),
        ("ROLLBACK", Verb.ROLLBACK, ""),
        ("abort transaction", Verb.ROLLBACK, ""),
        ("SAVEPOINT here;", Verb.SAVEPOINT, "here"),
        ("SAVEPOINT Here", Verb.SAVEPOINT, "here"),
        ('savepoint "He""re"', Verb.SAVEPOINT, 'He"re'),
        ("ROLLBACK TO here", Verb.ROLLBACK_TO, "here"),
        ("ROLLBACK WORK TO SAVEPOINT here ;", Verb.ROLLBACK_TO, "here"),
        ("rollback /* only */ to -- that\n savepoint here", Verb.ROLLBACK_TO, "here"),
        ("RELEASE here", Verb.RELEASE, "here"),
        ("RELEASE SAVEPOINT [here]", Verb.RELEASE, "here"),
        ("PREPARE TRANSACTION 'x'", Verb.PREPARE, ""),
        ("COMMIT PREPARED 'x'", Verb.COMMIT_PREPARED, ""),
    ],
)
def test_its_verb_and_its_savepoint(statement: str, verb: Verb, savepoint: str) -> None:
    assert transaction_control(statement) == (verb, savepoint)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "",
        "-- COMMIT",
        "PREPARE p AS SELECT 1",
        "ROLLBACK PREPARED 'x'",
        "commits",
        "BEGIN",
        "UPDATE t SET a = 'COMMIT'",
    ],
)
def test_others_do_nothing_to_it(statement: str) -> None:
    assert transaction_control(statement) is None
