"""What is measured, and what is aimed at."""

from __future__ import annotations

from typing import NamedTuple

OURS = ("nonstop", "Felix Hub")
FEW, MANY, VERY_MANY = 2, 1_000, 10_000


class Goal(NamedTuple):
    """Our median is to be at most ``limit`` times the peer's; without a peer, ``limit`` seconds.

    ``reach_for`` is a better ratio, wanted but not at any price.
    """

    limit: float
    peer: str | None = None
    reach_for: float | None = None


class Scenario(NamedTuple):
    """One comparison. ``action`` is ``apply``, ``status``, or ``update`` for one script of ``updates`` small statements;
    ``from_nothing`` starts each run on an empty database.
    """

    action: str
    database: str
    scripts: int
    goals: tuple[Goal, ...] = ()
    from_nothing: bool = False
    only_ours: bool = False
    updates: int = 0

    @property
    def title(self) -> str:
        """The scenario in words."""
        name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[self.database]
        if self.action == "update":
            return f"{name}: {self.updates:,} row-wise UPDATEs in one transaction"
        if self.from_nothing:
            return f"{name}: apply {self.scripts:,} scripts of one table each"
        what = "apply with nothing to do" if self.action == "apply" else "status"
        return f"{name}: {what}, {self.scripts:,} scripts"


FEW_GOALS = (Goal(0.6, "yoyo", 0.5), Goal(0.2, "Alembic", 0.15))


def choose(database: str | None, quick: bool) -> list[Scenario]:
    """The scenarios on ``database`` (None: on both). ``quick`` makes each small and without goals."""
    many, very_many = (5, 10) if quick else (MANY, VERY_MANY)
    on_sqlite = [
        Scenario("apply", "sqlite", many, (Goal(0.5, "Alembic"),), from_nothing=True),
        *(Scenario(action, "sqlite", FEW, FEW_GOALS) for action in ("apply", "status")),
        *(Scenario(action, "sqlite", many, (Goal(0.3, "yoyo"),)) for action in ("apply", "status")),
        *(
            Scenario(action, "sqlite", very_many, (Goal(1.0),), only_ours=True)
            for action in ("apply", "status")
        ),
    ]
    on_postgresql = [
        Scenario(action, "postgresql", FEW, (Goal(0.5, "Alembic"),)) for action in ("apply", "status")
    ]
    chosen = [
        *(on_sqlite if database != "postgresql" else []),
        *(on_postgresql if database != "sqlite" else []),
    ]
    return [scenario._replace(goals=()) for scenario in chosen] if quick else chosen
