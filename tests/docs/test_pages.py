"""What README and docs say to type works, and prints what they say."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.runs import follow
from tests.docs.session import comparable

MOST_NOT_RUN = 12
PAGES_WITH_COMMANDS = [
    page
    for page in pages.pages()
    if any(
        isinstance(part, pages.Block) and part.is_run
        for part in pages.parts(page.read_text(encoding="utf-8"))
    )
]


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=pages.name)
def test_each_command_of_a_page_does_what_is_written(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    wrong = []
    for typed in follow(page, tmp_path, lambda: str(request.getfixturevalue("postgres_url"))):
        if not typed.is_as_written:
            written = [comparable(line) for line in typed.step.output]
            real = [comparable(line) for line in typed.output.splitlines()]
            difference = unified_diff(written, real, "written", "real", lineterm="")
            wrong += [f"{pages.name(page)}:{typed.step.line}: $ {typed.step.command}", *difference]
    assert not wrong, "\n".join([*wrong, "After a look at the difference: scripts/docs --write"])


def test_few_blocks_are_not_run_and_each_has_a_reason() -> None:
    left_out = [
        (pages.name(page), part.remark.value)
        for page in pages.pages()
        for part in pages.parts(page.read_text(encoding="utf-8"))
        if isinstance(part, pages.Block) and part.remark is not None and part.remark.kind == "not run"
    ]
    assert all(len(reason.split()) >= 3 for _, reason in left_out), left_out
    assert len(left_out) <= MOST_NOT_RUN, left_out


def test_each_comment_follows_the_convention() -> None:
    """A misspelt ``<!-- file: … -->`` would silently do nothing."""
    wrong = [
        f"{pages.name(page)}:{number}: {line}"
        for page in pages.pages()
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1)
        if line.startswith("<!--")
        and not pages.COMMENT.fullmatch(line.strip())
        and not line.startswith(("<!-- generated: ", "<!-- end of generated -->"))
    ]
    assert not wrong, "\n".join(wrong)
