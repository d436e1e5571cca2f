"""What is made from the program is what the program is today."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs import generated, pages


@pytest.mark.parametrize(
    "page", [p for p in pages.pages() if "<!-- generated: " in p.read_text()], ids=pages.name
)
def test_generated_parts_are_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == generated.filled(text), "run scripts/docs --write"


def test_each_generated_part_is_used() -> None:
    used = {
        place["name"]
        for page in pages.pages()
        for place in generated.PLACE.finditer(page.read_text(encoding="utf-8"))
    }
    assert used == set(generated.PARTS)
