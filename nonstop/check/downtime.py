"""No downtime: no statement keeps the application waiting, as far as was seen of locks, rewrites, scans and traffic."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from nonstop.check.observations import Measured, Observations, Traffic
from nonstop.databases.wording import is_write
from nonstop.descriptions.promises import Evidence, Fact, Promise, Verdict
from nonstop.descriptions.results import StatementRecord
from nonstop.descriptions.scripts import Direction
from nonstop.descriptions.statements import Kind

STRONG = ("SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE")
"""Modes that keep writers waiting, from weak to strong (PostgreSQL manual, "Explicit Locking")."""
MODES = (*STRONG, "SHARE UPDATE EXCLUSIVE")
FOREIGN_KEY = re.compile(r"FOREIGN KEY \((?P<names>[^)]*)\)")
MOST_ROWS = 10_000
"""Rows that one transaction may update or delete: they are locked until its commit (failure modes C10, C11)."""
STALE_PLAN = "cached plan must not change result type"
CHANGES_ROWS = ("insert", "update", "delete", "merge", "with", "copy", "select")


def prove(seen: Observations) -> Verdict:
    """Judge what was seen; SQLite, which has one writer, is judged by its clients' errors."""
    evidence = [*_blocking(seen), *_unguarded(seen), *_statements(seen), *_keys_without_index(seen)]
    for measured in seen.measured:
        evidence += [
            *_failed(measured),
            *_scans(seen, measured),
            *_many_rows(seen, measured),
            *_long_locks(seen, measured),
        ]
        evidence += [*_traffic(seen, measured)]
    evidence = list({fact.text: fact for fact in evidence}.values())
    evidence.sort(key=lambda fact: not fact.breaks)
    return Verdict(Promise.NO_DOWNTIME, not any(fact.breaks for fact in evidence), tuple(evidence))


def is_about_time(seen: Observations) -> bool:
    """Whether how long something took is held against the script. On a busy machine everything lasts longer, never
    shorter: it is worth measuring again."""
    return any(
        (measured.ran.failure is not None and measured.ran.failure.made_way)
        or any(fact.breaks for fact in _long_locks(seen, measured))
        or any(_waited_too_long(seen, measured, one) for one in measured.traffic)
        for measured in seen.measured
    )


def _blocking(seen: Observations) -> Iterator[Evidence]:
    """What the guard would refuse in production."""
    outcomes = [run.outcome for run in (seen.on_schema, seen.rollback.ran if seen.rollback else None) if run]
    for outcome in filter(None, outcomes):
        for allowed in outcome.allowed:
            live = [table for table in allowed.tables if seen.is_live(table)]
            if not live and allowed.tables:
                continue
            sql = " ".join(allowed.sql.split())
            is_apply = outcome.direction is Direction.APPLY
            line = next((r.line for r in outcome.statements if " ".join(r.sql.split()) in sql), 0)
            facts: dict[str, Fact] = {"tables": ", ".join(live), "direction": outcome.direction.value}
            if _was_brief(seen, sql, live):
                text = f"{sql[:120]}: nothing is rewritten or read; on more than 10 MB it needs --allow-blocking all the same"
                yield Evidence(text, line=line, sql=sql, facts=facts)
                continue
            way_back = "" if is_apply else "on the way back, refused without --allow-blocking: "
            text = f"{way_back}{sql[:120]}: {allowed.reason or 'blocks for as long as it runs'}"
            yield Evidence(text, breaks=is_apply, line=line, sql=sql, facts=facts)


def _was_brief(seen: Observations, sql: str, live: list[str]) -> bool:
    """Whether an ALTER TABLE whose text does not tell was seen to change the catalog only: a wider type, say."""
    if not sql.lower().startswith("alter table"):
        return False
    runs = [run for run in seen.measured if run.ran.succeeded]
    records = [r for run in runs for r in _records(run) if " ".join(r.sql.split()) == sql]
    names = {table.removeprefix("public.").replace('"', "") for table in live}
    touched = {table.replace('"', "") for r in records for table in (*r.rewritten, *r.scanned)}
    return bool(records) and not names & {table.removeprefix("public.") for table in touched}


def _unguarded(seen: Observations) -> Iterator[Evidence]:
    """What blocks on connections of the script's own: nothing makes it online there, and it makes way for nobody."""
    for text, need in seen.unguarded:
        live = [table for table in need.relations if seen.is_live(table)]
        if need.kind in (Kind.ONLINE_INDEX, Kind.NOT_VALID, Kind.BLOCKING) and (live or not need.relations):
            sql = " ".join(text.split())
            what = need.reason or "reads whole tables while others wait"
            yield Evidence(
                f"sent on a connection of its own, which is not guarded: {sql[:120]}: {what}",
                breaks=True,
                sql=sql,
                facts={"tables": ", ".join(live)},
            )


def _statements(seen: Observations) -> Iterator[Evidence]:
    """Which live tables were locked strongly or rewritten, statement by statement."""
    for record in seen.statements:
        locks = _strong_locks(seen, record)
        for table in record.rewritten:
            if seen.is_live(table) and table in locks:
                yield _about(record, f"rewrites {table} under {locks[table]}", breaks=True, table=table)
        for table, mode in locks.items():
            if record.sql and not _only_changes_rows(record):
                yield _about(record, f"{mode} on {table}", breaks=False, table=table, mode=mode)


def _keys_without_index(seen: Observations) -> Iterator[Evidence]:
    """Foreign keys that are new on live tables: without an index, each delete in the other table reads all of this one."""
    for table, before in seen.before.schema["tables"].items():
        after = seen.after.schema["tables"].get(table, {})
        indexes = [str(definition[0]) for definition in after.get("indexes", {}).values()]
        for name, definition in after.get("constraints", {}).items():
            columns = FOREIGN_KEY.match(str(definition[0]))
            if name in before.get("constraints", {}) or columns is None:
                continue
            if not any(f"({columns['names']}" in index for index in indexes):
                text = (
                    f"no index begins with {table} ({columns['names']}): whoever deletes from the table that {name} refers"
                    f" to reads all of {table}"
                )
                yield Evidence(text, facts={"table": table, "constraint": name})


def _failed(measured: Measured) -> Iterator[Evidence]:
    if (failure := measured.ran.failure) is not None:
        size = _sizes(measured)
        text = f"beside traffic{size}, {measured.direction.value} failed: {failure.in_a_line}"
        yield Evidence(text, breaks=True, line=failure.line)


def _scans(seen: Observations, measured: Measured) -> Iterator[Evidence]:
    is_apply = measured.direction is Direction.APPLY
    for record in _records(measured):
        if _only_changes_rows(record):
            continue
        locks = _strong_locks(seen, record)
        for table in record.scanned:
            if seen.is_live(table) and table in locks:
                text = f"{'' if is_apply else 'on the way back, '}reads all of {table} under {locks[table]}"
                yield _about(record, text, breaks=is_apply, table=table, mode=locks[table])


def _many_rows(seen: Observations, measured: Measured) -> Iterator[Evidence]:
    """Rows that are locked until the commit, and strong locks that are held while rows are changed."""
    changed: Counter[tuple[int, str]] = Counter()
    for record in _records(measured):
        for table, rows in record.changed:
            if seen.is_live(table):
                changed[record.transaction, table] += rows
    for (transaction, table), rows in changed.items():
        if rows <= MOST_ROWS:
            continue
        record = next(
            r for r in _records(measured) if r.transaction == transaction and table in dict(r.changed)
        )
        text = (
            f"changes {rows:,} rows of {table} in one transaction: writers of these rows wait until it ends"
        )
        yield _about(record, text, breaks=True, table=table, rows=rows)


def _long_locks(seen: Observations, measured: Measured) -> Iterator[Evidence]:
    strong = [lock for lock in measured.locks if _keeps_waiting(seen, lock.relation, lock.mode)]
    for lock in strong:
        if lock.held_ms > seen.budget_ms:
            text = f"{lock.mode} on {lock.relation} was held for {lock.held_ms} ms{_sizes(measured)}"
            yield Evidence(
                f"{text}: {lock.statement[:100]}", breaks=True, sql=lock.statement, facts=lock._asdict()
            )
    for lock in measured.locks:
        if seen.is_live(lock.relation):
            yield Evidence(
                f"{measured.direction.value}: {lock.mode} on {lock.relation}, waited for {lock.waited_ms} ms, held for about"
                f" {lock.held_ms} ms{_sizes(measured)}: {lock.statement[:100]}",
                sql=lock.statement,
                facts=lock._asdict(),
            )


def _traffic(seen: Observations, measured: Measured) -> Iterator[Evidence]:
    for one in measured.traffic:
        is_claimed = not (seen.is_contract and not seen.code_is_named)
        # What code can't do ever after is told, and judged, where it is asked what it can do.
        is_lasting = any(fact.breaks for fact in seen.running_code or ())
        for error in () if is_lasting else one.errors:
            text = f"{one.code} code, beside {one.direction.value}: {error}"
            if STALE_PLAN in error:  # failure mode C21
                yield Evidence(f"{text}: a prepared statement of an open connection fails once")
            else:
                yield Evidence(text, breaks=is_claimed)
        waited = _waited_ms(measured)
        if _waited_too_long(seen, measured, one):
            yield Evidence(
                f"{one.code} code waited for {waited} ms beside {one.direction.value}", breaks=True
            )
        errors = "" if is_lasting else ", with errors" if one.errors else ", no errors"
        yield Evidence(f"{_traffic_in_words(one, waited)}{errors}", facts=_traffic_facts(one, waited))
    outcome = measured.ran.outcome
    if outcome is not None and outcome.writers_waited_ms is not None:
        text = f"{measured.direction.value}: writers may have waited for {outcome.writers_waited_ms} ms{_sizes(measured)}"
        yield Evidence(text, facts={"writers_waited_ms": outcome.writers_waited_ms})


def _waited_too_long(seen: Observations, measured: Measured, one: Traffic) -> bool:
    return one.longest_ms > seen.budget_ms and _waited_ms(measured) > seen.budget_ms


def _waited_ms(measured: Measured) -> int:
    """The longest wait of a client for one of the script's statements."""
    waits = (blocked.waited_ms for record in _records(measured) for blocked in record.blocked)
    return max(waits, default=0)


def _traffic_in_words(one: Traffic, waited_ms: int) -> str:
    return (
        f"{one.direction.value}: {one.transactions} transactions of the {one.code} code beside it, the longest"
        f" {one.longest_ms} ms, waiting for us {waited_ms} ms"
    )


def _traffic_facts(one: Traffic, waited_ms: int) -> dict[str, str | int | float | bool | None]:
    return {
        "code": one.code, "direction": one.direction.value, "transactions": one.transactions,
        "longest_ms": one.longest_ms, "waited_ms": waited_ms, "errors": len(one.errors),
    }  # fmt: skip


def _strong_locks(seen: Observations, record: StatementRecord) -> dict[str, str]:
    """The live tables that a statement's session held strong locks on, with the strongest mode of each."""
    found: dict[str, str] = {}
    for lock in record.locks:
        mode = max((mode for mode in MODES if lock.endswith(f" {mode}")), key=len)
        table = lock.removesuffix(f" {mode}")
        if _keeps_waiting(seen, table, mode):
            found[table] = max(mode, found.get(table, mode), key=STRONG.index)
    return found


def _keeps_waiting(seen: Observations, table: str, mode: str) -> bool:
    """Whether a lock is in somebody's way: a materialized view is written by nobody, so only what keeps readers out counts."""
    return mode in STRONG and seen.is_live(table) and (mode == STRONG[-1] or not seen.is_view(table))


def _only_changes_rows(record: StatementRecord) -> bool:
    """Whether a statement is about rows: it locks no table strongly by itself."""
    words = record.sql.split(None, 1)
    return bool(words) and (words[0].lower() in CHANGES_ROWS or not is_write(record.sql))


def _records(measured: Measured) -> tuple[StatementRecord, ...]:
    return measured.ran.outcome.statements if measured.ran.outcome else ()


def _sizes(measured: Measured) -> str:
    told = ", ".join(f"{rows:,} rows of {table}" for table, rows in measured.rows.items())
    return f" (on {told})" if told else ""


def _about(record: StatementRecord, what: str, *, breaks: bool, **facts: str | int) -> Evidence:
    sql = " ".join(record.sql.split())
    return Evidence(f"{sql[:120]}: {what}", breaks=breaks, line=record.line, sql=sql, facts=facts)
