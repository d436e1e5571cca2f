"""Additive: nothing that the old schema had is gone or narrower, and no rows are lost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nonstop.check.observations import Observations
from nonstop.check.shapes.shape import LETS_DELETE
from nonstop.descriptions.promises import Evidence, Promise, Verdict

TYPE, NOT_NULL, DEFAULT = 0, 1, 2
"""Where a fingerprint has these facts of a column, on every database."""
BOUND = 3
"""Where it has a partition's bound among what kind of table it is."""
ROW_SECURITY = 4
"""Where it has what row level security lets others see, among the same; False where that is off."""
WIDER = (
    ("smallint", "integer", "bigint", "numeric"),
    ("real", "double precision"),
    ("character varying", "text"),
    ("varchar", "text"),
    ("date", "timestamp without time zone"),
)
"""Types of which each holds all values of those before it."""
NO_LIMIT = 1 << 60
REFERENCES = re.compile(r"FOREIGN KEY \(.*?\) REFERENCES .*?\(.*?\)")
ON_DELETE = re.compile(rf"ON DELETE ({'|'.join(LETS_DELETE)})")
KINDS = {"views": "view", "sequences": "sequence", "functions": "function", "enums": "type"}


def prove(seen: Observations) -> Verdict:
    """Compare the catalog before with the one after."""
    if seen.is_contract:
        evidence = tuple(fact._replace(breaks=False) for fact in _facts(seen))
        return Verdict(Promise.ADDITIVE, None, evidence, 'not claimed: phase = "contract"')
    evidence = tuple(_facts(seen))
    return Verdict(Promise.ADDITIVE, not any(fact.breaks for fact in evidence), evidence)


def _facts(seen: Observations) -> Iterator[Evidence]:
    before, after = seen.before.schema, seen.after.schema
    yield from _gone(before, after)
    for table in before["tables"]:
        if table in after["tables"]:
            yield from _table(table, before["tables"][table], after["tables"][table])
    yield from _lost_rows(seen)
    yield from _new(before, after)


def _gone(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Evidence]:
    for table in before["tables"]:
        if table in after["tables"]:
            continue
        if table in after.get("views", {}):
            yield Evidence(f"the table {table} is a view now", facts={"table": table})
        else:
            yield _breaks(f"the table {table} is gone", table=table)
    for kind, word in KINDS.items():
        for name, definition in before.get(kind, {}).items():
            if name not in after.get(kind, {}):
                owner = str(definition[-1] or "") if kind == "sequences" else ""
                if not owner:  # what belongs to a column goes with it, and is told there
                    yield _breaks(f"the {word} {name} is gone", **{word: name})
            elif kind == "enums":
                missing = [value for value in definition[0] if value not in after[kind][name][0]]
                for value in missing:
                    yield _breaks(f"the type {name} has lost its value {value!r}", type=name, value=value)


def _table(table: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Evidence]:
    if _is_partition(before) and not _is_partition(after):
        yield _breaks(
            f"{table} is no partition any longer: its rows are gone from the table it was one of", table=table
        )
    yield from _kept_from_deleting(table, before, after)
    if _row_security(after) and not _row_security(before):
        yield _hidden_rows(table, _row_security(after))
    for column, old in before["columns"].items():
        if column in after["columns"]:
            yield from _column(table, column, old, after["columns"][column])
        else:
            yield _breaks(f"the column {table}.{column} is gone", table=table, column=column)
    for trigger in before["triggers"]:
        if trigger not in after["triggers"]:
            yield _breaks(f"the trigger {trigger} of {table} is gone", table=table, trigger=trigger)
    for part, word in (("indexes", "index"), ("constraints", "constraint")):
        for name in before.get(part, {}):
            if name not in after.get(part, {}):
                yield Evidence(f"the {word} {name} of {table} is gone", facts={"table": table, word: name})


def _kept_from_deleting(
    table: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Evidence]:
    """Foreign keys that did something with the rows of ``table`` when what they refer to was deleted, and now refuse that."""
    now = _on_delete(after)
    for key, action in _on_delete(before).items():
        if action in LETS_DELETE and now.get(key, action) not in LETS_DELETE:
            text = f"what {table} refers to can't be deleted any longer: {key} was ON DELETE {action}"
            yield _breaks(text, table=table, was=action)


def _on_delete(table: Mapping[str, Any]) -> Mapping[str, str]:
    """What each foreign key does when a row that it refers to is deleted, by its columns and what they refer to."""
    found = {}
    for definition, *_ in table.get("constraints", {}).values():
        if match := REFERENCES.match(str(definition)):
            action = ON_DELETE.search(str(definition))
            found[match[0]] = action[1] if action else ""
    for parts in table.get("foreign_keys", ()):
        columns, parents, referred, _, actions = zip(*parts, strict=True)
        key = f"FOREIGN KEY ({', '.join(columns)}) REFERENCES {parents[0]}({', '.join(map(str, referred))})"
        found[key] = actions[0]
    return found


def _is_partition(table: Mapping[str, Any]) -> bool:
    """By the bound, where a fingerprint has one."""
    return "kind" in table and bool(table["kind"][BOUND])


def _row_security(table: Mapping[str, Any]) -> Mapping[str, Any]:
    return (table["kind"][ROW_SECURITY] or {}) if "kind" in table else {}


def _hidden_rows(table: str, security: Mapping[str, Any]) -> Evidence:
    """Superusers see all rows, so that no probe of ours would tell (PostgreSQL manual, "Row Security Policies")."""
    text = f"row level security is on for {table}"
    if any(policy["permissive"] for policy in security["policies"].values()):
        return Evidence(f"{text}: who sees which row is for its policies to say", facts={"table": table})
    who = "anybody" if security["forced"] else "anybody but its owner"
    return _breaks(f"{text}, and no policy lets {who} see a row", table=table)


def _column(table: str, column: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Evidence]:
    where = f"{table}.{column}"
    if old[TYPE] != new[TYPE]:
        text = f"the type of {where} was {old[TYPE]}, is {new[TYPE]}"
        facts = {"table": table, "column": column, "was": str(old[TYPE]), "is": str(new[TYPE])}
        wider = is_wider(str(old[TYPE]), str(new[TYPE]))
        yield Evidence(f"{text}: wider" if wider else text, breaks=not wider, facts=facts)
    if old[DEFAULT] is not None and new[DEFAULT] is None:
        text = f"the default of {where} is gone ({old[DEFAULT]}): code that leaves the column out gets another value"
        yield _breaks(text, table=table, column=column)
    if new[NOT_NULL] and not old[NOT_NULL]:
        text = f"{where} takes no NULL any longer: whether running code minds is shown there"
        yield Evidence(text, facts={"table": table, "column": column})


def _lost_rows(seen: Observations) -> Iterator[Evidence]:
    """Rows that are fewer, and values that are NULL now; in a row that stays, a column's loss is told with the column."""
    declared = f" ({seen.discards_data})" if seen.discards_data else ""
    for table, (count, _) in seen.before.rows.items():
        left = seen.after.rows.get(table, (count, ""))[0]
        if left < count:
            yield Evidence(
                f"{count - left} of {count} rows of {table} are gone{declared}",
                breaks=seen.discards_data is None,
                facts={"table": table, "rows": count - left},
            )
            continue
        for column, values in seen.values_before.get(table, {}).items():
            kept = seen.values_after.get(table, {}).get(column, values)
            if kept < values:
                yield Evidence(
                    f"{values - kept} of {values} values of {table}.{column} are gone{declared}",
                    breaks=seen.discards_data is None,
                    facts={"table": table, "column": column, "values": values - kept},
                )


def _new(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Evidence]:
    for table, definition in after["tables"].items():
        if table not in before["tables"]:
            yield Evidence(f"adds the table {table}", facts={"table": table})
            continue
        old = before["tables"][table]
        for part, word in (("columns", "column"), ("constraints", "constraint"), ("indexes", "index")):
            known = (
                {*old.get(part, {}), *old.get("constraints", {})} if word == "index" else old.get(part, {})
            )
            for name in definition.get(part, {}):
                if name not in known and not (word == "index" and name in definition.get("constraints", {})):
                    shown = f"{table}.{name}" if word == "column" else f"{name} on {table}"
                    yield Evidence(f"adds the {word} {shown}", facts={"table": table, word: name})
    for kind, word in KINDS.items():
        for name in after.get(kind, {}):
            if name not in before.get(kind, {}) and kind != "sequences":
                yield Evidence(f"adds the {word} {name}", facts={word: name})


def _breaks(text: str, **facts: str) -> Evidence:
    return Evidence(text, breaks=True, facts=facts)


def is_wider(old: str, new: str) -> bool:
    """Whether every value of the type ``old`` is one of ``new``: ``varchar(20)`` and ``varchar(50)``, say."""
    (old_name, old_limits), (new_name, new_limits) = _parsed(old), _parsed(new)
    if old_name == new_name:
        if len(old_limits) == len(new_limits) == 2:  # digits in all, and behind the point
            whole = new_limits[0] - new_limits[1] >= old_limits[0] - old_limits[1]
            return whole and new_limits[1] >= old_limits[1]
        return (new_limits or [NO_LIMIT])[0] >= (old_limits or [NO_LIMIT])[0]
    for family in WIDER:
        if old_name in family and new_name in family:
            return family.index(new_name) > family.index(old_name) and not (
                new_name == "numeric" and new_limits
            )
    return False


def _parsed(type_: str) -> tuple[str, list[int]]:
    text = type_.lower()
    limits = [int(number) for number in re.findall(r"\d+", text.partition("(")[2])]
    return " ".join(re.sub(r"\(.*?\)", " ", text).split()), limits
