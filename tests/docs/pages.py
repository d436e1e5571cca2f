"""The Markdown pages, as blocks of code with what the comments before them say.

The convention, for whoever writes a page:

* ```` ```console ````: lines that begin with ``$ `` are typed in this order, in one shell for the whole page; the other lines
  are what comes out. A line ``…`` stands for any lines. A command that ends with an error is followed by ``$ echo $?``.
* ```` ```sh ```` and ```` ```bash ````: the block is one script, run at the top of the page's folder; its output is not compared.
* ``<!-- in: a clone -->`` or ``<!-- in: an empty folder -->``: a new shell in that place (a page begins in a clone).
* ``<!-- file: path -->``: the next block is the content of that file.
* ``<!-- output of: command -->``: the next block is all that this command prints.
* ``<!-- unseen: command -->``: typed here too; it is of no interest to the reader.
* ``<!-- not run: reason -->``: the next block is not run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMENT = re.compile(r"<!-- (?P<kind>in|file|output of|unseen|not run): (?P<value>.*?) -->")
FENCE = re.compile(r"(?P<indent> *)```(?P<language>\w*)")
ABOUT_A_BLOCK = ("file", "output of", "not run")
SHELL_LANGUAGES = ("console", "sh", "bash")


@dataclass(frozen=True)
class Remark:
    """A comment of the convention, such as ``<!-- file: a.py -->``."""

    kind: str
    value: str
    line: int


@dataclass(frozen=True)
class Block:
    """A block of code. ``line`` is that of its first line of code, counted from 1."""

    language: str
    code: tuple[str, ...]
    line: int
    remark: Remark | None
    """The comment right before it, if that says something about the block."""

    @property
    def is_run(self) -> bool:
        if self.remark is not None:
            return self.remark.kind == "output of"
        return self.language in SHELL_LANGUAGES


@dataclass(frozen=True)
class Step:
    """One command of a ``console`` block and what is written to come out of it."""

    command: str
    output: tuple[str, ...]
    line: int


def pages() -> list[Path]:
    """Every page that a reader may meet, in order of path."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("felix_hub/**/*.md")]
    found += [*ROOT.glob("benchmarks/**/*.md"), *ROOT.glob("examples/**/*.md")]
    return sorted(found)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def parts(text: str) -> Iterator[Remark | Block]:
    """The remarks and blocks of a page, in order. A remark about a block comes with the block only."""
    pending: Remark | None = None
    lines = enumerate(text.splitlines(), start=1)
    for number, line in lines:
        comment = COMMENT.fullmatch(line.strip())
        fence = FENCE.fullmatch(line.rstrip())
        if comment is not None:
            remark = Remark(comment["kind"], comment["value"], number)
            if remark.kind in ABOUT_A_BLOCK:
                pending = remark
            else:
                yield remark
        elif fence is not None:
            indent = len(fence["indent"])
            code = []
            for _, inner in lines:
                if inner.strip() == "```":
                    break
                code.append(inner[indent:].rstrip())
            yield Block(fence["language"], tuple(code), number + 1, pending)
            pending = None


def steps(block: Block) -> list[Step]:
    """The commands of a ``console`` block, or the one whose output a block is.

    A command that ends with a backslash goes on in the next line.
    """
    if block.remark is not None:
        return [Step(block.remark.value, block.code, block.line - 1)]
    found: list[Step] = []
    goes_on = False
    for number, line in enumerate(block.code, start=block.line):
        if goes_on:
            step = found.pop()
            found.append(Step(f"{step.command}\n{line.removeprefix('> ')}", (), step.line))
        elif line.startswith("$ "):
            found.append(Step(line.removeprefix("$ "), (), number))
        elif found:
            step = found.pop()
            found.append(Step(step.command, (*step.output, line), step.line))
        else:
            raise ValueError(f"line {number}: a console block begins with a command")
        goes_on = line.endswith("\\") and (goes_on or line.startswith("$ "))
    return found
