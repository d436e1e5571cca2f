"""Plain SQL that would keep the application waiting is refused before it is sent (C23, C24, C29, C36).

It is refused on a large table only: on a small one it is over before anybody notices, and the watchdog looks on.
"""

from __future__ import annotations

import pytest

from tests.guard.conftest import Scene
from tests.support.fingerprint import fingerprint
from tests.support.scripts import sql

ROWS = 150_000
VOLATILE = [
    "ALTER TABLE orders ADD COLUMN token UUID DEFAULT gen_random_uuid()",
    "ALTER TABLE orders ADD COLUMN number SERIAL",
    "ALTER TABLE orders ADD COLUMN number INTEGER GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE orders ADD COLUMN size INTEGER GENERATED ALWAYS AS (length(note)) STORED",
]
OTHER_TYPES = [
    "ALTER TABLE orders ALTER COLUMN note TYPE VARCHAR(100)",
    "ALTER TABLE orders ALTER COLUMN note TYPE JSONB USING to_jsonb(note)",
]


@pytest.fixture
def large(scene: Scene) -> Scene:
    """With an ``orders`` of more than 10 MB, whose key is a serial."""
    with scene.session() as application:
        application.execute(
            f"INSERT INTO orders SELECT n, repeat('x', 60) FROM generate_series(10, {ROWS}) n".encode()
        )
        application.execute("CREATE SEQUENCE orders_id_seq AS INTEGER OWNED BY orders.id")
        application.execute("ALTER TABLE orders ALTER COLUMN id SET DEFAULT nextval('orders_id_seq')")
    return scene


def assert_refused(scene: Scene, statement: str) -> str:
    before = fingerprint(scene.url)
    scene.script(sql("ALTER TABLE cars ADD COLUMN colour TEXT", statement))
    end = scene.start().wait()
    assert end.returncode == 8, end.output
    assert "refused, for it would keep the application waiting" in end.output
    assert "Instead:" in end.output
    assert "was undone completely" in end.output
    assert fingerprint(scene.url) == before
    (scene.project.migrations / "001_script.py").unlink()
    return end.output


def test_c23_a_default_that_differs_from_row_to_row_is_refused(large: Scene) -> None:
    for statement in VOLATILE:
        assert "-- then the old rows, some thousand at a time" in assert_refused(large, statement)


def test_c24_a_type_for_which_each_row_is_written_anew_is_refused(large: Scene) -> None:
    for statement in OTHER_TYPES:
        assert "a column beside the old one" in assert_refused(large, statement)


def test_c29_not_null_is_refused_with_the_online_form(large: Scene) -> None:
    output = assert_refused(large, "ALTER TABLE orders ALTER COLUMN note SET NOT NULL")
    assert 'op.set_not_null("orders", "note")' in output


def test_c36_a_wider_key_whose_sequence_would_stay_narrow_is_refused(large: Scene) -> None:
    assert_refused(large, "ALTER TABLE orders ALTER COLUMN id TYPE BIGINT")
