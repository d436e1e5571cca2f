"""``scripts/docs --write``: makes the generated parts anew and records what the commands of each page print today.

Usage: python -m tests.docs [page …]. Look at the difference before you commit it: the test compares, it does not judge.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.docs.generated import filled
from tests.docs.pages import ROOT, Block, name, pages, parts
from tests.docs.runs import Typed, follow
from tests.support import postgres_server
from tests.support.databases import fresh_database


def record(page: Path, ends: ExitStack) -> bool:
    """Bring one page up to date; returns whether it was changed."""
    before = page.read_text(encoding="utf-8")
    text = filled(before)
    if text != before:
        page.write_text(text, encoding="utf-8")
    if any(isinstance(part, Block) and part.is_run for part in parts(text)):
        with tempfile.TemporaryDirectory() as home, ExitStack() as databases:
            typed = list(
                follow(page, Path(home), lambda: databases.enter_context(fresh_database(server(ends))))
            )
        text = with_outputs(text, typed)
        page.write_text(text, encoding="utf-8")
    return text != before


def with_outputs(text: str, typed: list[Typed]) -> str:
    """The page with today's output in place of what is not as written; outputs with a ``…`` are left to the author."""
    lines = text.splitlines()
    for one in reversed(typed):
        first = one.step.line + one.step.command.count("\n")
        if one.is_as_written or "…" in one.step.output:
            continue
        lines[first : first + len(one.step.output)] = one.output.rstrip().splitlines()
    return "\n".join(lines) + "\n"


def server(ends: ExitStack, started: list[postgres_server.Server] = []) -> str:  # noqa: B006  # one for the process
    """The address of a PostgreSQL server, started when it is first asked for."""
    if not started:
        started.append(postgres_server.start())
        ends.callback(postgres_server.stop, started[0])
    return started[0].url


def main() -> None:
    chosen = [ROOT / argument for argument in sys.argv[1:]] or pages()
    with ExitStack() as ends:
        for page in chosen:
            print(f"{name(page)}: {'written anew' if record(page, ends) else 'as it was'}")


if __name__ == "__main__":
    main()
