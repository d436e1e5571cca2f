"""What was seen of one script in rehearsal. The proofs judge it; nothing here does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from nonstop.check.acts import Failure, Ran
from nonstop.databases.fingerprint import Snapshot, ValueCounts
from nonstop.descriptions.activity import LockSample
from nonstop.descriptions.promises import Evidence
from nonstop.descriptions.results import StatementRecord
from nonstop.descriptions.scripts import Direction, Script
from nonstop.descriptions.statements import Need


class Step(NamedTuple):
    """One run of the script's apply or rollback, and what the database was after it."""

    ran: Ran
    moment: Snapshot


class Killed(NamedTuple):
    """A run that was killed at a point and run again: ``differences`` from where an undisturbed run ends."""

    direction: Direction
    point: int
    again: Ran
    differences: tuple[str, ...]


class Fault(NamedTuple):
    """A run in which one statement failed: whether the script ended as if nothing had happened, short of its end."""

    direction: Direction
    statement: int
    was_hidden: bool


class HeldLock(NamedTuple):
    """A lock on a table as it was sampled: ``waited_ms`` in the queue for it, ``held_ms`` in hand."""

    relation: str
    mode: str
    statement: str
    waited_ms: int
    held_ms: int


class Traffic(NamedTuple):
    """What clients of the application met while a script ran: ``code`` is old or new; times in ms."""

    code: str
    direction: Direction
    transactions: int
    longest_ms: int
    errors: tuple[str, ...]


class Measured(NamedTuple):
    """One run on tables of some size, beside traffic. ``rows`` is the size by table."""

    direction: Direction
    ran: Ran
    rows: dict[str, int]
    locks: tuple[HeldLock, ...]
    traffic: tuple[Traffic, ...]


@dataclass
class Observations:
    """All that was seen of one script.

    ``before`` and ``after`` are those of the run on some rows, or of the one on the schema alone where the script fails on
    rows. ``unguarded`` are its statements on connections of its own, with what they need. What could not be tried is None
    or empty.
    """

    script: Script
    is_contract: bool
    discards_data: str | None
    has_rollback: bool
    budget_ms: int
    on_schema: Ran
    unguarded: tuple[tuple[str, Need], ...]
    before: Snapshot
    after: Snapshot
    values_before: ValueCounts = field(default_factory=dict)
    values_after: ValueCounts = field(default_factory=dict)
    fails_on_rows: Failure | None = None
    unfit: dict[str, str] = field(default_factory=dict)
    """Tables whose made-up rows don't suit the schema after the script, and why."""
    apply: Step | None = None
    apply_again: Step | None = None
    rollback: Step | None = None
    rollback_again: Step | None = None
    apply_back: Step | None = None
    varying: frozenset[str] = frozenset()
    """Tables in which two undisturbed runs leave different values: a default may be the time of day."""
    killed: list[Killed] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    old_columns: list[Evidence] = field(default_factory=list)
    running_code: list[Evidence] | None = None
    """What the running code meets on the new schema; None where it could not be tried, and then ``no_code`` says why."""
    no_code: str = ""
    code_is_named: bool = False
    tried: int = 0
    """How many actions of the running code were tried."""

    @property
    def statements(self) -> tuple[StatementRecord, ...]:
        """Those of the apply on the schema alone."""
        return self.on_schema.outcome.statements if self.on_schema.outcome else ()

    def is_live(self, table: str) -> bool:
        """Whether a table, or a view, was there before the script, so that the application may be using it."""
        return _plain(table) in self.before.schema["tables"] or self.is_view(table)

    @property
    def failing(self) -> set[str]:
        """The tables on which running code fails after the script."""
        return {str(fact.facts.get("table")) for fact in self.running_code or () if fact.breaks}

    def is_view(self, table: str) -> bool:
        """Whether it was a view before the script, materialized or not."""
        return _plain(table) in self.before.schema.get("views", {})


def _plain(table: str) -> str:
    """A table's name as a fingerprint has it."""
    return table.removeprefix("public.").replace('"', "")


def held_locks(samples: list[tuple[float, list[LockSample]]]) -> tuple[HeldLock, ...]:
    """Samples (at a time in seconds) put together: one lock from its first sight to its last, the longest of each kind.

    In the order of the statements, and for each by table and mode: how a server lists its locks is chance.
    """
    waiting: dict[tuple[int, str, str], list[float]] = {}
    holding: dict[tuple[int, str, str], list[float]] = {}
    statements: dict[tuple[int, str, str], str] = {}
    found: list[HeldLock] = []

    def end(key: tuple[int, str, str]) -> None:
        waited = _span_ms(waiting.pop(key, None))
        held = _span_ms(holding.pop(key, None))
        found.append(HeldLock(key[1], key[2], statements.pop(key), waited, held))

    for at, sample in samples:
        present = {(lock.pid, lock.relation, lock.mode): lock for lock in sample}
        for key in [key for key in statements if key not in present]:
            end(key)
        for key, lock in present.items():
            statements.setdefault(key, " ".join(lock.statement.split()))
            (holding if lock.is_held else waiting).setdefault(key, [at, at])[1] = at
    for key in list(statements):
        end(key)
    longest: dict[tuple[str, str, str], HeldLock] = {}
    for held in found:
        known = longest.get((held.relation, held.mode, held.statement))
        if known is None or known.held_ms < held.held_ms:
            longest[held.relation, held.mode, held.statement] = held
    order = list(dict.fromkeys(held.statement for held in longest.values()))
    return tuple(
        sorted(longest.values(), key=lambda held: (order.index(held.statement), held.relation, held.mode))
    )


def _span_ms(span: list[float] | None) -> int:
    return 0 if span is None else round((span[1] - span[0]) * 1000)
