"""Which types are wider than others: the one question of this proof that no scratch database answers."""

from __future__ import annotations

import pytest

from nonstop.check.additive import is_wider


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
