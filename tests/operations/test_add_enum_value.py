"""op.add_enum_value: a further value of an enumerated type; nothing where enumerations are strings."""

from __future__ import annotations

import pytest

from nonstop.descriptions.operations import AddEnumValue
from tests.support.stage import Stage

VALUES = "SELECT string_agg(enumlabel, ' ' ORDER BY enumsortorder) FROM pg_enum"


@pytest.fixture
def moods(stage: Stage) -> Stage:
    kind = "VARCHAR(20)" if stage.is_sqlite else "mood"
    if not stage.is_sqlite:
        stage.sql("CREATE TYPE mood AS ENUM ('sad', 'happy')")
    stage.sql(
        f"CREATE TABLE people (id INTEGER PRIMARY KEY, mood {kind})", "INSERT INTO people VALUES (1, 'sad')"
    )
    return stage


def test_apply_again_and_after_a_rollback(moods: Stage) -> None:
    """A value can't be taken back: the rollback leaves it, and the next apply finds it."""
    moods.script(1, "op.add_enum_value('mood', 'it''s fine', after='sad')".replace("''", "\\'"))
    assert moods.run("apply").returncode == 0
    after = moods.look()
    assert moods.run("rollback", "--yes").returncode == 0
    assert moods.look() == after
    ended = moods.run("apply")
    assert ended.returncode == 0, ended.output
    assert "is so already" in ended.output
    assert moods.look() == after
    moods.sql("INSERT INTO people VALUES (2, 'it''s fine')")
    if not moods.is_sqlite:
        assert moods.value(VALUES) == "sad it's fine happy"


def test_a_missing_type_is_named(postgres_stage: Stage) -> None:
    postgres_stage.fails("op.add_enum_value('mood', 'x')", "there is no enumerated type mood")


def test_before_and_after_at_once_are_refused(stage: Stage) -> None:
    stage.fails("op.add_enum_value('mood', 'x', before='a', after='b')", "both before and after")


def test_emitted_sql(emitted) -> None:
    assert emitted(AddEnumValue("Mood", "so", "it's", None, "shop"), "postgresql") == [
        "ALTER TYPE shop.\"Mood\" ADD VALUE 'so' BEFORE 'it''s'"
    ]
    assert emitted(AddEnumValue("Mood", "so", None, None, None), "sqlite") == []
