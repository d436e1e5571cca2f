"""Which types are wider than others, and what a foreign key lets be deleted: what no row on a scratch database answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from nonstop.check.acts import Ran
from nonstop.check.additive import is_wider, prove
from nonstop.check.observations import Observations
from nonstop.databases.fingerprint import Fingerprint, Snapshot
from nonstop.descriptions.scripts import Script
from tests.support.fingerprint import fingerprint
from tests.support.operations import send


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("character varying(20)", "character varying(50)"),
        ("character varying(20)", "character varying"),
        ("character varying(20)", "text"),
        ("VARCHAR(20)", "TEXT"),
        ("integer", "bigint"),
        ("smallint", "numeric"),
        ("numeric(10,2)", "numeric(12,2)"),
        ("numeric(10,2)", "numeric(12,4)"),
        ("real", "double precision"),
        ("timestamp(3) without time zone", "timestamp(6) without time zone"),
    ],
)
def test_wider(old: str, new: str) -> None:
    assert is_wider(old, new)
    assert not is_wider(new, old)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("integer", "text"),
        ("text", "integer"),
        ("bigint", "numeric(10,0)"),
        ("numeric(10,2)", "numeric(11,4)"),
        ("timestamp without time zone", "timestamp with time zone"),
        ("character(5)", "character varying(5)"),
        ("uuid", "text"),
    ],
)
def test_another_type_is_not(old: str, new: str) -> None:
    assert not is_wider(old, new)


@pytest.mark.parametrize(
    ("was", "becomes", "breaks"),
    [
        ("ON DELETE CASCADE", "", True),
        ("ON DELETE SET NULL", "ON DELETE RESTRICT", True),
        ("ON DELETE CASCADE", "ON DELETE SET NULL", False),
        ("", "ON DELETE CASCADE", False),
    ],
)
def test_a_foreign_key_that_refuses_what_it_let_pass(
    database_url: str, was: str, becomes: str, breaks: bool
) -> None:
    send(database_url, "CREATE TABLE cars (id INTEGER PRIMARY KEY)")
    before, after = (_with_key(database_url, action) for action in (was, becomes))
    verdict = prove(_seen(before, after))
    assert verdict.holds is not breaks
    told = [fact.text for fact in verdict.evidence if fact.breaks]
    key = "FOREIGN KEY (car_id) REFERENCES cars(id)"
    assert told == [f"what orders refers to can't be deleted any longer: {key} was {was}"] * breaks


def _with_key(url: str, action: str) -> Fingerprint:
    send(url, f"CREATE TABLE orders (id INTEGER PRIMARY KEY, car_id INTEGER REFERENCES cars (id) {action})")
    found = fingerprint(url)
    send(url, "DROP TABLE orders")
    return found


def _seen(before: Fingerprint, after: Fingerprint) -> Observations:
    script = Script(1, "001", "key", Path("001_key.py"), "", "")
    ran = Ran(None, None, 1)
    return Observations(
        script, False, None, True, 500, ran, (), Snapshot(before, {}, {}), Snapshot(after, {}, {})
    )
