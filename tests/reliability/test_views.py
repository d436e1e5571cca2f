"""A view keeps what it shows: what it needs is not taken from it, and other changes pass it by (C35)."""

from __future__ import annotations

import psycopg
import pytest

from tests.guard.conftest import Scene
from tests.support.fingerprint import fingerprint
from tests.support.scripts import Template, sql


@pytest.fixture
def viewed(small_scene: Scene) -> Scene:
    """A view of all cars."""
    with psycopg.connect(small_scene.url) as connection:
        connection.execute("CREATE VIEW all_cars AS SELECT * FROM cars")
    return small_scene


@pytest.mark.parametrize(
    ("lines", "template"),
    [
        ('op.drop_column("cars", "note")', "bare"),
        ('op.drop_table("cars")', "bare"),
        (sql("ALTER TABLE cars DROP COLUMN note"), "raw"),
        (sql("ALTER TABLE cars ALTER COLUMN note TYPE VARCHAR(10)"), "raw"),
    ],
    ids=["op.drop_column", "op.drop_table", "drop", "type"],
)
def test_c35_what_a_view_needs_stays(viewed: Scene, lines: str, template: Template) -> None:
    before = fingerprint(viewed.url)
    viewed.script(lines, template)
    end = viewed.start().wait()
    assert end.returncode == 1, end.output
    assert "all_cars" in end.output
    assert "was undone completely" in end.output
    assert fingerprint(viewed.url) == before


def test_c35_a_view_does_not_show_a_new_column_and_follows_a_renamed_table(viewed: Scene) -> None:
    viewed.script(
        'op.add_column("cars", Column("colour", String(20)))\nop.rename_table("cars", "vehicles")', "bare"
    )
    end = viewed.start().wait()
    assert end.returncode == 0, end.output
    assert viewed.value("SELECT count(*) FROM all_cars") == 3
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'all_cars'"
    assert viewed.value(columns) == 2
