"""The running code and the new code on the schema before and after a script: the matrix, and what it means."""

from __future__ import annotations

from typing import NamedTuple

from nonstop.check import stagehand
from nonstop.check.rehearsal import Theatre
from nonstop.check.running_code import probe
from nonstop.check.running_code.judgement import judge
from nonstop.check.running_code.source import CodeSource, running_code
from nonstop.databases import open_database
from nonstop.databases.rehearsal import Scratch
from nonstop.descriptions.promises import Cell, Evidence

MEANINGS = {
    ("old", "before"): "the code that is said to run does not fit the database as it is: is --against right?",
    ("old", "after"): "the code that runs would fail: deploy code that fits both first, or split the script",
    ("new", "before"): "apply first, then deploy the new code; to go back, roll back the code first",
    (
        "new",
        "after",
    ): "the new code needs more than this script: apply the later ones too before it is deployed",
}


class Met(NamedTuple):
    """What code met ``at_home``, on the schema that it is written for, and ``away``, on the other one."""

    tried: int
    at_home: tuple[Evidence, ...]
    away: tuple[Evidence, ...]


def meet(source: CodeSource, home_url: str, away_url: str) -> Met:
    """An act: try the code on both schemas."""
    stagehand.work_on(home_url)
    code = running_code(source)
    home_engine, away_engine = (open_database(url).engine() for url in (home_url, away_url))
    try:
        home = probe.probe(code, home_engine, open_database(home_url))
        away = probe.probe(code, away_engine, open_database(away_url))
    finally:
        home_engine.dispose()
        away_engine.dispose()
    return Met(
        home.tried,
        tuple(judge(home.failures, code)),
        tuple(judge(away.failures_beyond(home), code)),
    )


def matrix(
    theatre: Theatre, old: CodeSource, new: CodeSource | None, before: Scratch, after: Scratch
) -> tuple[Met | str, tuple[Cell, ...]]:
    """What the old code met (or why it could not be tried), and the four fields."""
    met_old = _meet(theatre, old, before, after)
    cells = [*_cells("old", "before", "after", met_old)]
    if new is not None:
        cells += _cells("new", "after", "before", _meet(theatre, new, after, before))
    return met_old, tuple(cells)


def _meet(theatre: Theatre, source: CodeSource, home: Scratch, away: Scratch) -> Met | str:
    ended = theatre.stage.perform(meet, source, home.url, away.url)
    return ended.answer if isinstance(ended.answer, Met) else ended.error or "its process was killed"


def _cells(code: str, home: str, away: str, met: Met | str) -> list[Cell]:
    if isinstance(met, str):
        return [Cell(code, schema, None, (Evidence(met),)) for schema in (home, away)]
    return [_cell(code, home, met.at_home), _cell(code, away, met.away)]


def _cell(code: str, schema: str, evidence: tuple[Evidence, ...]) -> Cell:
    holds = not any(fact.breaks for fact in evidence)
    return Cell(code, schema, holds, evidence, "" if holds else MEANINGS[code, schema])
