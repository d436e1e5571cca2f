"""The failure modes of a migration on a busy PostgreSQL, what is promised for each, and the tests that hold it.

The numbers are names: a test ``test_c04_…``, wherever it stands, belongs to C4. The table in ``docs/reliability.md`` is
made from this list and from the tests that exist.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import ROOT

TEST = re.compile(r"test_(?P<modes>(?:c\d\d_)+)(?P<words>\w+)")
REFUSED = "`op.backfill` is refused until it exists, with [what to do by hand](operations/backfill.md): "
NO_TRIGGER = "`op` makes no triggers: `op.rename_column` and `op.alter_type` are refused until they exist, with the steps to take by hand"

MODES = {
    1: ("a lock queue behind a long transaction", "nobody queues behind us: an old transaction is waited for outside the queue, steady traffic does not starve us"),
    2: ("an invalid index after a build that failed", "it is dropped at once; one that somebody else left is built anew, never adopted"),
    3: ("a build stopped by a transaction that has nothing to do with it", "it waits for old snapshots and long reads, and nobody waits for the build"),
    4: ("a build that is ended half-way: session terminated, runner killed, out of time", "nothing is left, or it is said what; the next run builds a good index and does nothing twice"),
    5: ("`CONCURRENTLY` inside a transaction, or beside other statements in one text", "`op` and plain `CREATE INDEX` stand outside transactions by themselves; what the server refuses is undone"),
    6: ("`DROP INDEX CONCURRENTLY` that fails leaves the index invalid", "tried again; out of time, it says what is left (exit code 7), and the next run drops it"),
    7: ("any reader of a table locks all its indexes", "a drop waits for the readers, and nobody for the drop"),
    8: ("a pooler in transaction mode: settings and locks reach strangers", "seen and refused before anything runs; a direct address beside it is used"),
    9: ("a deadlock with the application", "the application wins; `op` locks two tables in the other order too"),
    10: ("an update of many rows in a deadlock with the application", "the application wins, as long as the budget is below 1.6 times `deadlock_timeout` (1 s); a batched form comes with `op.backfill`"),
    11: ("replicas fall behind a large update", REFUSED + "that page fills some thousand rows at a time, each batch committed"),
    12: (
        "a change stalls the readers of a hot standby",
        "each strong lock is replayed there before the next is asked for, so that stalls do not add up",
    ),
    13: ("an ordinary autovacuum holds the table", "it is got out of the way in a lock that nobody feels"),
    14: ("an autovacuum against wraparound holds the table", "it is waited for outside the queue, never cancelled, and named at the deadline"),
    15: ("a statement that outlives its killed runner", "the server ends it within a second, nothing of it is committed; the next runner waits until it is gone"),
    16: ("a runner killed in the middle of a backfill", REFUSED + "the script on that page can be killed anywhere and run again"),
    17: ("several runners at once", "each script runs once, everybody ends with 0"),
    18: ("a trigger that outlives its column", NO_TRIGGER),
    19: ("a column that is there before its trigger", NO_TRIGGER),
    20: ("the role has a `statement_timeout` or a `lock_timeout`", "neither counts for a migration: builds and validations take as long as they need"),
    21: ("`cached plan must not change result type`", "code that names its columns goes on through `apply` and `rollback`; what becomes of `SELECT *` stands [below](#prepared-statements)"),
    22: ("a new enum value used in its own transaction", "`op.add_enum_value` commits it, so that the same script can use it; plain SQL that can't is undone"),
    23: ("a default that differs from row to row rewrites the table", "constant and stable defaults write nothing; others are refused on a large table, with the steps to take instead"),
    24: ("a change of type rewrites the table", "refused on a large table, with the steps to take instead"),
    25: ("a foreign key or a check reads whole tables under its lock", "added for new rows in an instant, validated beside readers and writers; plain SQL too"),
    26: ("dropping or adding a foreign key locks its parent too", "both tables are looked at before either is locked"),
    27: ("`lock_timeout` counts for each lock anew", "a statement with several locks still keeps nobody waiting beyond the budget"),
    28: ("`NOT VALID` stops updates of old bad rows", "`op` counts bad rows before it begins; a validation that fails takes the constraint back"),
    29: ("`SET NOT NULL` reads the table under ACCESS EXCLUSIVE", "`op` proves it by a validated check; plain SQL is refused on a large table, with that as correction"),
    30: ("a NOT NULL column that running code does not name", "`op.add_column` refuses it without a server default, before anything is sent"),
    31: ("`statement_timeout` equal to `lock_timeout`", "the role's is overridden, so that a lock that is not to be had is never taken for a failure"),
    32: ("settings are lost with a rollback", "each attempt sets its own anew"),
    33: ("waiting inside a transaction until the server ends it", "we wait outside transactions; the role's idle timeouts do not count while a script waits"),
    34: ("partitioned tables refuse `CONCURRENTLY` and `NOT VALID`", "an index is built on each partition and tied together; a foreign key is refused by the server before version 18, and undone"),
    35: ("views on the table", "what a view needs is not taken from it, and the failure names it"),
    36: ("a serial's sequence stays narrow when its column is widened", "refused on a large table; `op.alter_type`, which widens both, is still to come"),
    37: ("a backfill that never ends under inserts", REFUSED + "the script on that page comes to each key once"),
    38: ("a backfill that gets slower with each batch", REFUSED + "the script on that page goes by the primary key, so that each batch costs as much as the one before"),
    39: ("a lock row that a crash leaves behind", "the lock is the session's: it ends with its holder"),
    40: ("a migration that failed runs again, unattended, with each deployment", "it does, from its beginning, and nothing behind it runs: one that failed finds what it found the first time, for it was undone; one that had committed commits again what it commits before it fails, so it says so (exit code 7) until it is corrected or settled with `repair`"),
    41: ("a final attempt without a `lock_timeout`", "each attempt has a limit, however many there were; a lock that is never free is given up at the deadline"),
}  # fmt: skip
"""By number: the failure, and the promise in one sentence."""


def table() -> str:
    """Each mode with its promise and its tests, by file."""
    tests = named_after_modes()
    rows = [
        f"| C{number} | {failure} | {promise} | {_named(tests.get(number, {}))} |"
        for number, (failure, promise) in MODES.items()
    ]
    return "\n".join(["| | failure | promise | tests |", "|---|---|---|---|", *rows]) + "\n"


def named_after_modes() -> dict[int, dict[Path, list[str]]]:
    """The functions that are named after a mode: by its number, and by file."""
    found: dict[int, dict[Path, list[str]]] = defaultdict(dict)
    for path, name in _functions():
        if match := TEST.fullmatch(name):
            for number in re.findall(r"\d\d", match["modes"]):
                found[int(number)].setdefault(path, []).append(name)
    return found


def _functions() -> Iterator[tuple[Path, str]]:
    for path in sorted(ROOT.glob("tests/*/test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                yield path.relative_to(ROOT), node.name


def _named(tests: dict[Path, list[str]]) -> str:
    return "<br>".join(
        f"[{path.parent.name}/{path.name}](../{path.as_posix()}): "
        + ", ".join(_words(name) for name in names)
        for path, names in tests.items()
    )


def _words(name: str) -> str:
    match = TEST.fullmatch(name)
    assert match is not None
    return match["words"].replace("_", " ")
