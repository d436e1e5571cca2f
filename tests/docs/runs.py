"""Goes through a page as its reader would: types every command, makes every file, compares what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import Block, Step, parts, steps
from tests.docs.session import Session, matches


@dataclass(frozen=True)
class Typed:
    """A command of a page with what really came out of it."""

    step: Step
    output: str
    is_as_written: bool


def follow(page: Path, home: Path, postgres_url: Callable[[], str]) -> Iterator[Typed]:
    """Type the page's commands in order, below ``home``. Raises AssertionError for one that fails unannounced."""
    with ExitStack() as ends:
        session: Session | None = None
        places = 0

        def enter(place: str) -> Session:
            nonlocal places
            places += 1
            entered = Session(home / str(places) / "home", place, postgres_url)
            ends.callback(entered.close)
            return entered

        for part in parts(page.read_text(encoding="utf-8")):
            if not isinstance(part, Block):
                if part.kind == "in":
                    session = enter(part.value)
                elif part.kind == "unseen":
                    session = session or enter("a clone")
                    code, output = session.type(part.value)
                    assert code == 0, f"{page.name}:{part.line}: {part.value} ended with {code}:\n{output}"
            elif part.remark is not None and part.remark.kind == "file":
                session = session or enter("a clone")
                session.write(part.remark.value, part.code)
            elif part.is_run:
                session = session or enter("a clone")
                yield from _run(page, session, part)


def _run(page: Path, session: Session, block: Block) -> Iterator[Typed]:
    if block.remark is None and block.language != "console":
        code, output = session.run_block("\n".join(block.code))
        assert code == 0, f"{page.name}:{block.line}: ended with {code}:\n{output}"
        return
    sequence = steps(block)
    for step, following in zip(sequence, (*sequence[1:], None), strict=True):
        code, output = session.type(step.command)
        is_announced = following is not None and following.command == "echo $?"
        assert code == 0 or is_announced, (
            f"{page.name}:{step.line}: {step.command} ended with {code}:\n{output}"
        )
        yield Typed(step, output, matches(step.output, output))
