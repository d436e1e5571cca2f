"""A new value of an enumerated type may be used as soon as it is committed, and not before (C22)."""

from __future__ import annotations

import psycopg
import pytest

from tests.guard.conftest import Scene
from tests.support.scripts import Template, sql

ADD = "ALTER TYPE state ADD VALUE 'lost'"
USE = "UPDATE cars SET state = 'lost'"


@pytest.fixture
def typed(scene: Scene) -> Scene:
    """Cars with a state."""
    with psycopg.connect(scene.url) as connection:
        connection.execute("CREATE TYPE state AS ENUM ('new', 'old')")
        connection.execute("ALTER TABLE cars ADD COLUMN state state DEFAULT 'new'")
    return scene


@pytest.mark.parametrize(
    ("lines", "template"),
    [
        (f'op.add_enum_value("state", "lost")\nop.execute("{USE}")', "op"),
        (f'op.add_enum_value("state", "lost")\n{sql(USE)}', "op"),
        (sql(ADD, USE, transactions="each"), "raw"),
    ],
    ids=["op", "op and raw", "raw"],
)
def test_c22_a_value_is_added_and_used_in_one_script(typed: Scene, lines: str, template: Template) -> None:
    typed.script(lines, template)
    with typed.session() as reader:
        reader.execute("SELECT state FROM cars")  # nobody is waited for: no table is locked
        end = typed.start().wait()
    assert end.returncode == 0, end.output
    assert typed.value("SELECT count(*) FROM cars WHERE state = 'lost'") == 3


def test_c22_a_value_that_is_used_in_its_own_transaction_is_refused_and_undone(typed: Scene) -> None:
    typed.script(sql(ADD, USE))
    end = typed.start().wait()
    assert end.returncode == 1, end.output
    assert "unsafe use of new value" in end.output
    assert "New enum values must be committed before they can be used" in end.output
    assert "was undone completely" in end.output
    assert typed.value("SELECT count(*) FROM pg_enum") == 2
