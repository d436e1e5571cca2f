"""Each verb of op has its file, its test and its page."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from nonstop import op
from nonstop.operations import STEPS

ROOT = Path(__file__).resolve().parents[2]
TO_COME = {"alter_type", "backfill", "rename_column"}
"""Verbs that tell what to do by hand; one file tests them all."""
WITHOUT_STEPS = {"irreversible"} | TO_COME
"""Verbs that only refuse: they describe nothing and send nothing."""
HEADINGS = ("**What the plain statement blocks.**", "**What this does.**", "**How it is undone.**")
SHARED_FILES = {
    "__init__", "alter_column", "catalog", "compare_index", "constraints", "executor", "index_sql", "partitioned_index", "rebuild", "rows", "online_forms", "raw_ddl",
}  # fmt: skip
SHARED_PAGES = {"rebuild"}


@pytest.mark.parametrize("verb", op.__all__)
def test_it_has_its_file_its_test_and_its_page(verb: str) -> None:
    test = "verbs_to_come" if verb in TO_COME else verb
    assert (ROOT / "tests" / "operations" / f"test_{test}.py").is_file()
    page = (ROOT / "docs" / "operations" / f"{verb}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# op.{verb}\n")
    assert f"op.{verb}(" in page
    assert (ROOT / "nonstop" / "operations" / f"{verb}.py").is_file() != (verb in WITHOUT_STEPS)
    if verb != "irreversible":
        assert [heading for heading in HEADINGS if heading not in page] == []


@pytest.mark.parametrize("verb", op.__all__)
def test_it_says_what_it_does(verb: str) -> None:
    assert inspect.getdoc(getattr(op, verb))


def test_no_file_and_no_page_is_without_its_verb() -> None:
    with_steps = set(op.__all__) - WITHOUT_STEPS
    files = {path.stem for path in (ROOT / "nonstop" / "operations").glob("*.py")}
    pages = {path.stem for path in (ROOT / "docs" / "operations").glob("*.md")}
    assert files == with_steps | SHARED_FILES
    assert pages == set(op.__all__) | SHARED_PAGES
    assert {function.__module__.rpartition(".")[2] for function in STEPS.values()} == with_steps
