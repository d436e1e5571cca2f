"""The ledger: four small tables in the target database that say what was applied, when, by whom, and how far.

Methods work on a plain driver's connection, which is also what lies under a SQLAlchemy connection: so a row of
the ledger can be written in the very transaction whose effect it records. None of them commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from nonstop.databases.base import Database, DBAPIConnection
from nonstop.databases.source_secrets import masked_source
from nonstop.descriptions.history import (
    AppliedScript,
    Event,
    InterruptedScript,
    LedgerState,
    Progress,
    RunIdentity,
    Subject,
)
from nonstop.descriptions.scripts import Direction, Script
from nonstop.errors import LockNotObtained, UsageError, ValidationError

VERSION = 1
"""The version of these tables. A ledger from a newer nonstop is refused."""

TABLES = {
    "ledger": "version {integer} NOT NULL",
    "migrations": """
        number {integer} PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, source TEXT NOT NULL,
        applied_at {time} NOT NULL, duration_ms {integer} NOT NULL, who TEXT NOT NULL, host TEXT NOT NULL,
        tool_version TEXT NOT NULL, run_id TEXT NOT NULL, baseline {boolean} NOT NULL""",
    "events": """
        id {id}, at {time} NOT NULL, kind TEXT NOT NULL, number {integer}, name TEXT NOT NULL,
        run_id TEXT NOT NULL, who TEXT NOT NULL, host TEXT NOT NULL, tool_version TEXT NOT NULL,
        detail TEXT NOT NULL""",
    "steps": """
        number {integer} NOT NULL, position {integer} NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
        direction TEXT NOT NULL, run_id TEXT NOT NULL, at {time} NOT NULL, description TEXT NOT NULL,
        PRIMARY KEY (number, position)""",
}
INDEX = "CREATE INDEX {name}_events_number ON {events} (number, id)"
LAST_EVENTS = """
    SELECT number, kind, detail FROM {events} WHERE id IN (SELECT max(id) FROM {events} WHERE number IS NOT NULL
    GROUP BY number) AND number NOT IN (SELECT number FROM {migrations})"""


class Ledger:
    """The ledger called ``name``, in ``schema`` (None: wherever the role's new tables go)."""

    def __init__(self, database: Database, name: str = "nonstop", schema: str | None = None) -> None:
        if not name.isidentifier() or (schema is not None and not schema.replace("-", "_").isidentifier()):
            raise UsageError(
                f"the ledger can't be called {schema + '.' if schema else ''}{name}",
                next_step="use letters, digits and underscores in ledger_table and ledger_schema",
            )
        self._database = database
        self._name = name
        self._schema = schema
        self._tables = self._qualified_tables()

    @property
    def table_names(self) -> frozenset[str]:
        """What its tables are called, without their schema."""
        return frozenset(f"{self._name}_{table}" for table in TABLES)

    @property
    def qualified_names(self) -> frozenset[str]:
        """The same with their schema, once that is settled, as they stand in SQL."""
        return frozenset(self._tables.values())

    # --- reading ----------------------------------------------------------------------------------------------

    def read(self, connection: DBAPIConnection) -> LedgerState:
        """Everything that status and planning need. An absent ledger reads as an empty one.

        Raises ValidationError for a ledger from a newer nonstop, PermissionMissing without the right to read.
        """
        if not self._exists(connection):
            return LedgerState()
        applied = {
            row[0]: AppliedScript(*[*row[:3], _time(row[3]), *row[4:9], bool(row[9])])
            for row in self._run(
                connection,
                "SELECT number, name, checksum, applied_at, duration_ms, who, host, tool_version, run_id, baseline"
                " FROM {migrations} ORDER BY number",
            )
        }
        last = {number: (kind, detail) for number, kind, detail in self._run(connection, LAST_EVENTS)}
        return LedgerState(
            exists=True,
            applied=applied,
            interrupted=self._interrupted(connection),
            failures={number: detail for number, (kind, detail) in last.items() if kind == "failure"},
            left_out=frozenset(last),
        )

    def _exists(self, connection: DBAPIConnection) -> bool:
        try:
            if not self._database.has_table(connection, self._tables["ledger"]):
                return False
            rows = self._run(connection, "SELECT version FROM {ledger}").fetchall()
        except Exception as error:
            raise self._database.translate(error) or error from error
        if rows and rows[0][0] > VERSION:
            raise ValidationError(
                f"the ledger has version {rows[0][0]}, this nonstop knows versions up to {VERSION}",
                next_step="install the newer nonstop that wrote it",
            )
        return bool(rows)

    def _interrupted(self, connection: DBAPIConnection) -> dict[int, InterruptedScript]:
        """The start is in position 0; later rows are what was committed since, and what is still to do."""
        found: dict[int, InterruptedScript] = {}
        for number, kind, name, direction, run_id, at, description in self._run(
            connection,
            "SELECT number, kind, name, direction, run_id, at, description FROM {steps}"
            " ORDER BY number, position",
        ):
            # A commit may be that of an earlier run, in the other direction.
            before = found.get(number) or InterruptedScript(number, name, direction, run_id, _time(at), 0, "")
            is_commit = kind == "commit"
            found[number] = before._replace(
                run_id=run_id,
                commits=before.commits + is_commit,
                last_statement=description if is_commit else before.last_statement,
                deferred=(*before.deferred, description) if kind == "deferred" else before.deferred,
            )
        return found

    def deferred(
        self, connection: DBAPIConnection, script: Script, direction: Direction
    ) -> tuple[list[str], bool]:
        """The statements that a run has committed to and not carried out, and whether the script had returned by then.

        What was left behind by the other direction, or by another text of the script, does not count.
        """
        rows = self._run(
            connection,
            "SELECT kind, description FROM {steps} WHERE number = ? AND direction = ?"
            " AND kind IN ('deferred', 'returned') ORDER BY position",
            script.number, direction.value,
        ).fetchall()  # fmt: skip
        statements = [description for kind, description in rows if kind == "deferred"]
        return statements, ("returned", script.checksum) in rows

    def sources(self, connection: DBAPIConnection, numbers: Iterable[int]) -> dict[int, str]:
        """The normalised texts that were applied under ``numbers``, their secrets masked."""
        return {
            number: row[0]
            for number in numbers
            for row in self._run(connection, "SELECT source FROM {migrations} WHERE number = ?", number)
        }

    def events(self, connection: DBAPIConnection, limit: int, run_id: str | None = None) -> list[Event]:
        """The last ``limit`` events, oldest first; of the runs whose id begins with ``run_id``, if given."""
        if not self._exists(connection):
            return []
        rows = self._run(
            connection,
            "SELECT id, at, kind, number, name, run_id, who, host, tool_version, detail FROM {events}"
            " WHERE substr(run_id, 1, ?) = ? ORDER BY id DESC LIMIT ?",
            len(run_id or ""), run_id or "", limit,
        )  # fmt: skip
        return [Event(row[0], _time(row[1]), *row[2:]) for row in rows][::-1]

    # --- writing ----------------------------------------------------------------------------------------------

    def locate(self, connection: DBAPIConnection) -> None:
        """Settle the schema once, so that a script's own search_path can't lead its ledger rows elsewhere."""
        self._schema = self._schema or self._database.current_schema(connection)
        self._tables = self._qualified_tables()

    def create(self, connection: DBAPIConnection) -> None:
        """Create the tables, readable by their owner only, unless they exist. Call it under the lock."""
        if self._exists(connection):
            return
        types = self._database.ledger_types
        for table, columns in TABLES.items():
            self._run(connection, f"CREATE TABLE {{{table}}} ({columns.format(**types)})")
            self._database.hide_from_others(connection, self._tables[table])
        self._run(connection, INDEX)
        self._run(connection, "INSERT INTO {ledger} (version) VALUES (?)", VERSION)

    def record_start(
        self, connection: DBAPIConnection, script: Script, direction: Direction, identity: RunIdentity
    ) -> None:
        """Note that ``script`` is in progress. What an earlier run of it had committed stays noted, as ours now."""
        self._run(connection, "DELETE FROM {steps} WHERE number = ? AND position = 0", script.number)
        self._run(
            connection, "UPDATE {steps} SET run_id = ? WHERE number = ?", identity.run_id, script.number
        )
        self._insert_step(connection, script, direction, identity, "start")

    def record_commit(
        self, connection: DBAPIConnection, script: Script, direction: Direction, identity: RunIdentity,
        description: str,
    ) -> None:  # fmt: skip
        """Note a commit in the middle of a script, in that same transaction. Raises LockNotObtained when fenced."""
        fence = self._run(
            connection,
            "UPDATE {steps} SET at = ? WHERE number = ? AND position = 0 AND run_id = ?",
            self._now(), script.number, identity.run_id,
        )  # fmt: skip
        self._check_fence(fence.rowcount, script)
        self._insert_step(connection, script, direction, identity, "commit", description)

    def record_deferred(
        self, connection: DBAPIConnection, script: Script, direction: Direction, identity: RunIdentity,
        statement: str,
    ) -> None:  # fmt: skip
        """Note a statement that is to be carried out after this commit: whoever goes on will find it."""
        self._insert_step(connection, script, direction, identity, "deferred", statement)

    def record_returned(
        self, connection: DBAPIConnection, script: Script, direction: Direction, identity: RunIdentity
    ) -> None:
        """Note that the script itself has nothing more to do; what it has deferred may be left."""
        self._insert_step(connection, script, direction, identity, "returned", script.checksum)

    def forget_deferred(self, connection: DBAPIConnection, script: Script, statement: str) -> None:
        """Forget a deferred statement: it was carried out."""
        self._run(
            connection,
            "DELETE FROM {steps} WHERE number = ? AND kind = 'deferred' AND description = ?",
            script.number, statement,
        )  # fmt: skip

    def progress(self, connection: DBAPIConnection, script: Script) -> Progress:
        """What is noted of a script beyond that it was begun: what a run that takes it up goes by."""
        applied = self._run(connection, "SELECT 1 FROM {migrations} WHERE number = ?", script.number)
        is_applied = applied.fetchone() is not None
        steps = self._run(
            connection,
            "SELECT direction, kind, description FROM {steps} WHERE number = ? AND kind <> 'start' ORDER BY position",
            script.number,
        )
        return Progress(is_applied, tuple(tuple(step) for step in steps.fetchall()))

    def commits_of(self, connection: DBAPIConnection, script: Script) -> tuple[str, ...]:
        """What is noted of each commit of a script that has not ended, in order, those of earlier runs included."""
        rows = self._run(
            connection,
            "SELECT description FROM {steps} WHERE number = ? AND kind = 'commit' ORDER BY position",
            script.number,
        )
        return tuple(description for (description,) in rows.fetchall())

    def record_end(
        self, connection: DBAPIConnection, script: Script, direction: Direction, identity: RunIdentity,
        duration_ms: int, detail: str = "",
    ) -> None:  # fmt: skip
        """Note that a script has ended well. Raises LockNotObtained when another runner took over meanwhile."""
        fence = self._run(
            connection, "DELETE FROM {steps} WHERE number = ? AND run_id = ?", script.number, identity.run_id
        )
        self._check_fence(fence.rowcount, script)
        self._run(connection, "DELETE FROM {migrations} WHERE number = ?", script.number)
        if direction is Direction.APPLY:
            self._insert_applied(connection, script, identity, duration_ms, baseline=False)
        self.record_event(connection, direction.value, script, identity, detail)

    def record_undone(self, connection: DBAPIConnection, script: Script, identity: RunIdentity) -> None:
        """Forget a start of which nothing was committed, now or by an earlier run."""
        if not self.commits_of(connection, script):
            self._run(
                connection,
                "DELETE FROM {steps} WHERE number = ? AND run_id = ?",
                script.number,
                identity.run_id,
            )

    def record_event(
        self, connection: DBAPIConnection, kind: str, script: Subject | None,
        identity: RunIdentity, detail: str = "",
    ) -> None:  # fmt: skip
        """Append one event. ``kind`` is apply, rollback, failure, interruption, baseline, repair or left out."""
        self._run(
            connection,
            "INSERT INTO {events} (at, kind, number, name, run_id, who, host, tool_version, detail)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._now(), kind, script.number if script else None, script.name if script else "",
            identity.run_id, identity.by, identity.host, identity.tool_version, detail,
        )  # fmt: skip

    def record_baseline(self, connection: DBAPIConnection, script: Script, identity: RunIdentity) -> None:
        """Note a script as applied without having run it."""
        self._insert_applied(connection, script, identity, 0, baseline=True)

    def forget(self, connection: DBAPIConnection, number: int) -> None:
        """Take the row of a script away, and what is noted of its progress."""
        self._run(connection, "DELETE FROM {migrations} WHERE number = ?", number)
        self._run(connection, "DELETE FROM {steps} WHERE number = ?", number)

    def restamp(self, connection: DBAPIConnection, script: Script) -> None:
        """Take the file as it is now for what was applied."""
        self._run(
            connection,
            "UPDATE {migrations} SET name = ?, checksum = ?, source = ? WHERE number = ?",
            script.name, script.checksum, self._source(script), script.number,
        )  # fmt: skip

    # --- details ----------------------------------------------------------------------------------------------

    def _insert_step(
        self, connection: DBAPIConnection, script: Script, direction: Direction, identity: RunIdentity,
        kind: str, description: str = "",
    ) -> None:  # fmt: skip
        """``kind`` is start, commit, deferred or returned. One round trip: others may wait for what we hold."""
        next_one = "(SELECT coalesce(max(position) + 1, 0) FROM {steps} WHERE number = ?)"
        position, which = ("0", ()) if kind == "start" else (next_one, (script.number,))
        self._run(
            connection,
            "INSERT INTO {steps} (position, number, kind, name, direction, run_id, at, description)"
            f" VALUES ({position}, ?, ?, ?, ?, ?, ?, ?)",
            *which, script.number, kind, script.name, direction.value, identity.run_id, self._now(), description,
        )  # fmt: skip

    def _insert_applied(
        self,
        connection: DBAPIConnection,
        script: Script,
        identity: RunIdentity,
        duration_ms: int,
        *,
        baseline: bool,
    ) -> None:
        self._run(
            connection,
            "INSERT INTO {migrations} (number, name, checksum, source, applied_at, duration_ms, who, host,"
            " tool_version, run_id, baseline) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            script.number, script.name, script.checksum, self._source(script), self._now(), duration_ms, identity.by,
            identity.host, identity.tool_version, identity.run_id, baseline,
        )  # fmt: skip

    def _source(self, script: Script) -> str:
        return masked_source(script.text, self._database.redact)

    def _check_fence(self, rows: int, script: Script) -> None:
        if rows == 0:
            raise LockNotObtained(
                f"another runner took over {script.label}",
                next_step="see where things stand with status",
            )

    def _qualified_tables(self) -> dict[str, str]:
        prefix = f'"{self._schema}".' if self._schema else ""
        return {table: f"{prefix}{self._name}_{table}" for table in TABLES}

    def _run(self, connection: DBAPIConnection, statement: str, *parameters: Any) -> Any:
        """Execute with ``?`` for parameters and ``{table}`` for the ledger's tables; the cursor comes back."""
        sql = statement.format(name=self._name, **self._tables).replace("?", self._database.placeholder)
        cursor = connection.cursor()
        stored = [
            self._database.storable(connection, value) if isinstance(value, str) else value
            for value in parameters
        ]
        cursor.execute(sql, stored)
        return cursor

    def _now(self) -> datetime | str:
        now = datetime.now(UTC)
        return (
            now if self._database.ledger_types["time"] != "TEXT" else now.isoformat(timespec="milliseconds")
        )


def _time(value: datetime | str) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(UTC)
