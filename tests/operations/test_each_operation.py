"""Each verb of op has its file, its test and its page."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from nonstop import op
from nonstop.operations import STEPS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("verb", op.__all__)
def test_it_has_its_file_its_test_and_its_page(verb: str) -> None:
    assert (ROOT / "nonstop" / "operations" / f"{verb}.py").is_file()
    assert (ROOT / "tests" / "operations" / f"test_{verb}.py").is_file()
    page = (ROOT / "docs" / "operations" / f"{verb}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# op.{verb}\n")
    for heading in ("**What the plain statement blocks.**", "**What this does.**", "**How it is undone.**"):
        assert heading in page
    assert f"op.{verb}(" in page


@pytest.mark.parametrize("verb", op.__all__)
def test_it_says_what_it_does(verb: str) -> None:
    assert inspect.getdoc(getattr(op, verb))


def test_no_file_and_no_page_is_without_its_verb() -> None:
    shared = {"__init__", "catalog", "executor"}
    assert {path.stem for path in (ROOT / "nonstop" / "operations").glob("*.py")} - shared == set(op.__all__)
    assert {path.stem for path in (ROOT / "docs" / "operations").glob("*.md")} == set(op.__all__)
    assert {function.__module__.rpartition(".")[2] for function in STEPS.values()} == set(op.__all__)
