"""Every link to a file, a folder or a heading of this repository leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import pages

LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
HEADING = re.compile(r"^#+ +(?P<words>.+?) *$", re.MULTILINE)
PATH_IN_CODE = re.compile(r"`(?P<path>(?:tests|docs|nonstop|felix_hub|scripts|benchmarks)/[\w./-]*)`")
MADE_BY_USE = (".env", ".db", "benchmarks/results/")


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    words = (heading["words"].lower() for heading in HEADING.finditer(text))
    return {re.sub(r"[^\w\- ]", "", each).replace(" ", "-") for each in words}


@pytest.mark.parametrize("page", pages.pages(), ids=pages.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.finditer(CODE.sub("", page.read_text(encoding="utf-8"))):
        target, _, anchor = link["target"].partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        leads_to = (page.parent / target).resolve() if target else page
        if not leads_to.exists() or (anchor and anchor not in anchors(leads_to)):
            broken.append(link["target"])
    assert not broken


@pytest.mark.parametrize("page", pages.pages(), ids=pages.name)
def test_paths_in_the_text_exist(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    named = {match["path"] for match in PATH_IN_CODE.finditer(text)}
    to_find = {path for path in named if not path.endswith(MADE_BY_USE)}
    assert not {
        path for path in to_find if not (pages.ROOT / path).exists() and not (page.parent / path).exists()
    }


def test_each_page_can_be_reached_from_the_readme() -> None:
    """A page that nothing links to is not read."""
    reached, to_visit = set(), [pages.ROOT / "README.md"]
    while to_visit:
        page = to_visit.pop()
        if page in reached:
            continue
        reached.add(page)
        for link in LINK.finditer(page.read_text(encoding="utf-8")):
            target = (page.parent / link["target"].partition("#")[0]).resolve()
            target = target / "README.md" if target.is_dir() else target
            if target.suffix == ".md" and target.is_file():
                to_visit.append(target)
    assert not {pages.name(page) for page in pages.pages() if page not in reached}


def test_every_folder_of_tests_proves_a_promise() -> None:
    """docs/reliability.md names each of them; ``support`` and ``docs`` are no promises."""
    text = (pages.ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    folders = {path.parent.name for path in pages.ROOT.glob("tests/*/test_*.py")} - {"docs"}
    assert not {folder for folder in folders if f"tests/{folder}" not in text}
