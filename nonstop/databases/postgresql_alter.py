"""ALTER TABLE: what each of its actions needs, and all of them together (PostgreSQL manual, ALTER TABLE, "Notes")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from nonstop.databases.postgresql_columns import add_column
from nonstop.databases.postgresql_constraints import Constraint
from nonstop.databases.postgresql_names import op
from nonstop.databases.postgresql_reader import Reader
from nonstop.databases.postgresql_tables import rewrite, strings
from nonstop.databases.postgresql_tokens import Name
from nonstop.descriptions.operations import LockClass
from nonstop.descriptions.statements import AddedConstraint, Condition, Fact, Kind, Need, Reach

ACCESS_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE = LockClass.ACCESS_EXCLUSIVE, LockClass.SHARE_UPDATE_EXCLUSIVE
SHARE_ROW_EXCLUSIVE = LockClass.SHARE_ROW_EXCLUSIVE
NO_ONLINE_FORM = "-- PostgreSQL has no online form of this"
# How much an action asks for, when several stand in one statement: the last one counts.
SEVERITY = [Kind.READS, Kind.BRIEF, Kind.CONCURRENT, Kind.NOT_VALID, Kind.UNKNOWN, Kind.BLOCKING]


@dataclass(frozen=True, slots=True)
class Action:
    """One action of an ALTER TABLE: ``need`` by itself; ``constraint`` where it adds one that can be validated apart."""

    need: Need
    constraint: Constraint | None = None


def alter_table(reader: Reader) -> Need:
    """Everything that begins with ALTER TABLE, ALTER VIEW, ALTER SEQUENCE, ALTER MATERIALIZED VIEW…"""
    if reader.accept("all in tablespace"):
        return rewrite((), NO_ONLINE_FORM)
    reader.accept("[if exists]")
    reader.accept("[only]")
    table = reader.name()
    prefix = reader.text[reader.tokens[0].start : reader.peek().start].rstrip()
    actions = [_action(clause, table) for clause in reader.clauses()]
    if not actions:
        return Need(Kind.UNKNOWN, relations=(str(table),), reason="an ALTER without an action")
    return _together(reader.text, prefix, actions)


def _action(reader: Reader, table: Name) -> Action:
    start = reader.position
    for pattern, handler in ACTIONS:
        if reader.accept(pattern):
            return handler(reader, table)
        reader.position = start
    reason = f"what {reader.source()[:60]} locks is not known"
    return Action(Need(Kind.UNKNOWN, ACCESS_EXCLUSIVE, (str(table),), reason=reason))


def _together(text: str, prefix: str, actions: list[Action]) -> Need:
    needs = [action.need for action in actions]
    strongest = max((need.lock for need in needs), key=list(LockClass).index)
    worst = max(needs, key=lambda need: SEVERITY.index(need.kind))
    if worst.kind is Kind.CONCURRENT and strongest is not SHARE_UPDATE_EXCLUSIVE:
        worst = _not_in_one(worst)
    if worst.kind is Kind.NOT_VALID and any(need.kind is Kind.CONCURRENT for need in needs):
        worst = _not_in_one(worst)
    blocking = [need for need in needs if need.kind is Kind.BLOCKING]
    constraints = [action.constraint for action in actions if action.constraint is not None]
    reach = Reach.NAMED
    for need in needs:
        reach |= need.reach
    return replace(
        worst,
        lock=strongest,
        relations=tuple(dict.fromkeys(name for need in needs for name in need.relations)),
        reach=reach,
        indexes=tuple(name for need in needs for name in need.indexes),
        loses_data=any(need.loses_data for need in needs),
        has_unknown_name=any(need.has_unknown_name for need in needs),
        rewritten=_validated_apart(text, prefix, constraints) if worst.kind is Kind.NOT_VALID else (),
        constraints=tuple(
            f"{prefix} ADD CONSTRAINT {constraint.definition(text)}" for constraint in constraints
        ),
        does_more=len(actions) > 1,
        added=tuple(
            AddedConstraint(
                need.relations[0],
                constraint.name,
                f"{prefix} DROP CONSTRAINT {constraint.written}",
                constraint.is_foreign_key,
            )
            for need, constraint in ((action.need, action.constraint) for action in actions)
            if constraint is not None
        ),
        correction="\n".join(need.correction for need in blocking if need.correction) or worst.correction,
        unless=_all_conditions(needs),
    )


def _not_in_one(need: Need) -> Need:
    return replace(
        need,
        kind=Kind.BLOCKING,
        reason="reads every row while the other actions of the statement keep their stronger lock",
        correction="-- a statement for each action",
    )


def _all_conditions(needs: list[Need]) -> tuple[Condition, ...]:
    """They count only if nothing else in the statement takes long."""
    if not all(need.unless or need.kind is Kind.BRIEF for need in needs):
        return ()
    return tuple(condition for need in needs for condition in need.unless)


def _validated_apart(text: str, prefix: str, constraints: list[Constraint]) -> tuple[str, ...]:
    rewritten = text
    for constraint in reversed(constraints):
        rewritten = constraint.not_valid(rewritten)
    return (rewritten, *(f"{prefix} VALIDATE CONSTRAINT {constraint.written}" for constraint in constraints))


# --- actions -------------------------------------------------------------------------------------------------

Handler = Callable[[Reader, Name], Action]


def _brief(lock: LockClass = ACCESS_EXCLUSIVE, reach: Reach = Reach.NAMED) -> Handler:
    return lambda reader, table: Action(Need(Kind.BRIEF, lock, (str(table),), reach))


def _rewrites(reader: Reader, table: Name) -> Action:
    need = rewrite((str(table),), NO_ONLINE_FORM)
    return Action(replace(need, reach=need.reach | Reach.OWNED))


def _change_type(reader: Reader, table: Name, column: Name) -> Action:
    # Some changes need no rewriting (varchar(20) to text); the catalog tells the old type.
    type_name = reader.source()
    is_plain = not (reader.has("using") or reader.has("collate"))
    wider = Condition(Fact.TYPE_IS_WIDER, column.last, of=str(table), type=type_name)
    correction = (
        "-- a column beside the old one, kept equal by a trigger and filled in batches; then swap the names"
    )
    reach = Reach.CHILDREN | Reach.REFERENCED | Reach.REFERENCING
    need = rewrite((str(table),), correction)
    return Action(replace(need, reach=reach, unless=(wider,) if is_plain else ()))


def _add_column(reader: Reader, table: Name) -> Action:
    return Action(add_column(reader, table))


def _drop_column(reader: Reader, table: Name) -> Action:
    reach = Reach.CHILDREN | Reach.REFERENCED | Reach.OWNED
    need = Need(Kind.BRIEF, ACCESS_EXCLUSIVE, (str(table),), reach, loses_data=True)
    return Action(_cascading(reader, need))


def _drop_constraint(reader: Reader, table: Name) -> Action:
    reach = Reach.CHILDREN | Reach.REFERENCED
    return Action(_cascading(reader, Need(Kind.BRIEF, ACCESS_EXCLUSIVE, (str(table),), reach)))


def _cascading(reader: Reader, need: Need) -> Need:
    if reader.tokens[-1].word != "cascade" or reader.position >= len(reader.tokens) - 1:
        return need
    return replace(need, kind=Kind.UNKNOWN, reason="CASCADE reaches what the statement does not name")


def _add_constraint(reader: Reader, table: Name) -> Action:
    constraint = Constraint.read(reader, table)
    return Action(constraint.need, constraint if constraint.need.kind is Kind.NOT_VALID else None)


def _alter_constraint(reader: Reader, table: Name) -> Action:
    """ENFORCED (PostgreSQL 18) reads every row under the lock; what is said of deferring does not."""
    reach = Reach.CHILDREN | Reach.REFERENCED
    if not reader.has("enforced") or reader.has("not enforced"):
        return _brief(reach=reach)(reader, table)
    reason = f"reads every row of {table} while nobody reads or writes it"
    correction = "-- drop the constraint, add it again NOT VALID, commit, and validate it"
    return Action(
        Need(Kind.BLOCKING, ACCESS_EXCLUSIVE, (str(table),), reach, reason=reason, correction=correction)
    )


def _validate(reader: Reader, table: Name) -> Action:
    return Action(Need(Kind.CONCURRENT, SHARE_UPDATE_EXCLUSIVE, (str(table),), Reach.CHILDREN))


def _alter_column(reader: Reader, table: Name) -> Action:
    column = reader.name()
    if reader.accept("[set data] type"):
        return _change_type(reader, table, column)
    if reader.accept("set expression"):
        return _rewrites(reader, table)
    if reader.accept("set not null"):
        return Action(_set_not_null(table, column))
    if reader.accept("set statistics") or (reader.accept("set|reset") and reader.peek().symbol == "("):
        return _brief(SHARE_UPDATE_EXCLUSIVE, Reach.CHILDREN)(reader, table)
    return _brief(reach=Reach.CHILDREN | Reach.OWNED)(reader, table)


def _set_not_null(table: Name, column: Name) -> Need:
    return Need(
        Kind.BLOCKING,
        ACCESS_EXCLUSIVE,
        (str(table),),
        Reach.CHILDREN,
        reason=f"reads every row of {table} while nobody reads or writes it",
        correction=op("set_not_null", table.last, column.last, schema=table.schema),
        unless=(Condition(Fact.COLUMN_IS_NOT_NULL, column.last, of=str(table)),),
    )


def _set_options(reader: Reader, table: Name) -> Action:
    words = {token.word for token in reader.tokens}
    lock = ACCESS_EXCLUSIVE if words & {"user_catalog_table", "security_barrier"} else SHARE_UPDATE_EXCLUSIVE
    return _brief(lock)(reader, table)


def _attach(reader: Reader, table: Name) -> Action:
    partition = reader.name()
    need = Need(
        Kind.BLOCKING,
        ACCESS_EXCLUSIVE,
        (str(table), str(partition)),
        Reach.CHILDREN | Reach.DEFAULT_PARTITION | Reach.REFERENCED | Reach.REFERENCING,
        reason=f"reads every row of {partition}, and of the default partition, while nobody reads or writes them",
        correction=f"ALTER TABLE {partition.written} ADD CONSTRAINT … CHECK (its bound) NOT VALID;\n"
        f"ALTER TABLE {partition.written} VALIDATE CONSTRAINT …;\n-- and the indexes and foreign keys of {table.written}; then ATTACH PARTITION reads nothing",
        unless=(
            Condition(Fact.PARTITION_IS_PREPARED, str(partition), of=str(table)),
            Condition(Fact.NO_DEFAULT_PARTITION, str(table)),
        ),
    )
    return Action(need)


def _detach(reader: Reader, table: Name) -> Action:
    partition = reader.name()
    relations = (str(table), str(partition))
    if reader.accept("concurrently|finalize"):
        return Action(Need(Kind.CONCURRENT, SHARE_UPDATE_EXCLUSIVE, relations))
    reach = Reach.CHILDREN | Reach.DEFAULT_PARTITION | Reach.REFERENCED
    return Action(Need(Kind.BRIEF, ACCESS_EXCLUSIVE, relations, reach))


def _move_rows_between_partitions(reader: Reader, table: Name) -> Action:
    """PostgreSQL 19: MERGE and SPLIT copy the rows of the partitions, and hold the table locked meanwhile."""
    correction = "-- CREATE TABLE … (LIKE …), fill it in batches, then DETACH CONCURRENTLY and ATTACH"
    return Action(rewrite((str(table),), correction))


def _inherit(reader: Reader, table: Name) -> Action:
    return Action(Need(Kind.BRIEF, ACCESS_EXCLUSIVE, strings([table, reader.name()]), Reach.CHILDREN))


# Leading words → what is behind them. The first that fits counts.
ACTIONS: list[tuple[str, Handler]] = [
    ("add constraint", _add_constraint),
    ("add check", _add_constraint),
    ("add foreign key", _add_constraint),
    ("add unique", _add_constraint),
    ("add primary key", _add_constraint),
    ("add exclude", _add_constraint),
    ("add not null", _add_constraint),
    ("add [column] [if not exists]", _add_column),
    ("drop constraint [if exists]", _drop_constraint),
    ("drop [column] [if exists]", _drop_column),
    ("alter constraint", _alter_constraint),
    ("alter [column]", _alter_column),
    ("validate constraint", _validate),
    ("rename to", _brief(reach=Reach.OWNED)),
    ("rename", _brief(reach=Reach.CHILDREN)),
    ("merge partitions", _move_rows_between_partitions),
    ("split partition", _move_rows_between_partitions),
    ("attach partition", _attach),
    ("detach partition", _detach),
    ("set logged|unlogged|tablespace", _rewrites),
    ("set access method", _rewrites),
    ("set without cluster", _brief(SHARE_UPDATE_EXCLUSIVE)),
    ("set without oids", _brief()),
    ("set schema", _brief(reach=Reach.OWNED)),
    ("set|reset", _set_options),
    ("cluster on", _brief(SHARE_UPDATE_EXCLUSIVE)),
    ("enable|disable [always|replica] trigger", _brief(SHARE_ROW_EXCLUSIVE, Reach.CHILDREN)),
    ("enable|disable [always|replica] rule", _brief()),
    ("enable|disable row level security", _brief()),
    ("[no] force row level security", _brief()),
    ("[no] inherit", _inherit),
    ("owner to", _brief(reach=Reach.OWNED)),
    ("replica identity", _brief()),
    ("of", _brief()),
    ("not of", _brief()),
]
