"""What a statement of a script needs from the tables that others use, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, StrEnum, auto

from nonstop.descriptions.operations import LockClass


class Kind(StrEnum):
    """How a statement can be run while the application goes on."""

    READS = "reads"
    """Reads or changes rows: takes nothing stronger than ROW EXCLUSIVE on a table. Transaction control and SET too."""
    BRIEF = "brief"
    """Changes the catalog only; ``lock`` is held for an instant, once it has been obtained."""
    ONLINE_INDEX = "online index"
    """Builds an index while writers wait; ``rewritten`` builds it CONCURRENTLY."""
    NOT_VALID = "not valid"
    """Adds constraints and reads every row for them; ``rewritten`` adds them NOT VALID, then validates each apart."""
    CONCURRENT = "concurrent"
    """Runs long, but lets readers and writers go on: long timeouts."""
    BLOCKING = "blocking"
    """Keeps readers or writers waiting for as long as it runs; see ``reason``, ``correction`` and ``unless``."""
    UNKNOWN = "unknown"
    """Its text does not tell what it does: be cautious, and look afterwards."""


class Reach(Flag):
    """Tables that a statement locks besides those it names; the catalog knows which they are."""

    NAMED = 0
    CHILDREN = auto()
    """The partitions and inheritance children of the named tables, down to the last."""
    REFERENCED = auto()
    """The tables that foreign keys of the named tables (and of their children) point to."""
    REFERENCING = auto()
    """The tables whose foreign keys point to the named tables."""
    PARENT = auto()
    """The partitioned table that a named table is a partition of, and that one's default partition."""
    DEFAULT_PARTITION = auto()
    """The default partition of a named partitioned table."""
    OWNED = auto()
    """The sequences that columns of the named tables own."""


class Fact(StrEnum):
    """What a look at the catalog can tell about the ``subject`` of a :class:`Condition`."""

    COLUMN_IS_NOT_NULL = "the column is NOT NULL, or a validated CHECK says that it IS NOT NULL"
    INDEX_IS_NOT_NULL = "each column of the index is NOT NULL already"
    TYPE_IS_NO_DOMAIN = "the type is no domain"
    FUNCTION_IS_NOT_VOLATILE = "no function of that name is volatile"
    NO_DEFAULT_PARTITION = "the partitioned table has no default partition"
    NAME_IS_FREE = "nothing has the name, or only what a failed concurrent build left"
    TYPE_IS_WIDER = "the column's new type takes every old value as it is stored"
    PARTITION_IS_PREPARED = (
        "validated CHECKs cover the partition key; indexes and foreign keys are there already"
    )


@dataclass(frozen=True, slots=True)
class Condition:
    """Something to look up in the catalog. Names are as ``to_regclass`` and its kin read them, but a column's is bare.

    ``of`` is the table of a column, or the partitioned table to be; ``type`` the type that a column is to get.
    """

    fact: Fact
    subject: str
    of: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """A table that a statement locks, found in the catalog. ``name`` is qualified, as it stands in SQL."""

    oid: int
    name: str
    is_partitioned: bool


@dataclass(frozen=True, slots=True)
class AddedConstraint:
    """A constraint that a statement adds to ``table``, and the statement that drops it again. ``name`` is without quotes."""

    table: str
    name: str
    drop: str
    is_foreign_key: bool


@dataclass(frozen=True, slots=True)
class Need:
    """What one statement needs.

    Names are schema-qualified if the statement wrote them so, and in the form that ``to_regclass`` reads: lower case
    as PostgreSQL folds them, in quotes only where the name needs them.

    A BLOCKING statement with ``unless`` is as good as BRIEF where the catalog confirms every one of its conditions.
    ``reason`` says what is blocked and for whom, ``correction`` is a script text that does not block: calls of ``op``,
    or SQL; empty where there is none.
    """

    kind: Kind
    lock: LockClass = LockClass.NONE
    relations: tuple[str, ...] = ()
    """Tables (views, sequences) that are locked more strongly than ROW EXCLUSIVE.

    A BLOCKING statement without ``relations`` and ``indexes`` names none: it may be any table.
    """
    reach: Reach = Reach.NAMED
    indexes: tuple[str, ...] = ()
    """Indexes that the statement names without their table, which is locked too."""
    creates: tuple[str, ...] = ()
    """Tables, views and indexes that are new: nobody else uses them before the commit."""
    drops: tuple[str, ...] = ()
    """Indexes that are gone afterwards."""
    temporary: bool = False
    """Whether ``creates`` is for this session only."""
    is_unique: bool = False
    """Of an index."""
    only: bool = False
    """An index ON ONLY a table. On a partitioned one nothing is built, and it can't be CONCURRENTLY: run it plainly."""
    rewritten: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    """Of NOT_VALID, each constraint as a plain statement of its own, with its name: what is to be true in the end."""
    added: tuple[AddedConstraint, ...] = ()
    """The same constraints, by name."""
    does_more: bool = False
    """Whether an ALTER has several actions."""
    is_unnamed: bool = False
    """Whether it leaves the index's name to PostgreSQL, which takes another than in ``creates`` where that is in use."""
    has_unknown_name: bool = False
    """Whether it names neither its index or constraint nor, for certain, what PostgreSQL would make the name of."""
    loses_data: bool = False
    reason: str = ""
    correction: str = ""
    unless: tuple[Condition, ...] = ()
    provided: tuple[Condition, ...] = ()
    """What the catalog has to confirm for ``rewritten`` to do the same; else the plain form fails at once, or does nothing."""

    @property
    def new_names(self) -> frozenset[str]:
        """What it creates and the constraints that it adds, without schemas and quotes."""
        created = (name.rpartition(".")[2].strip('"') for name in self.creates)
        return frozenset((*created, *(constraint.name for constraint in self.added)))

    @property
    def may_fail_on_rows(self) -> bool:
        """Of an online form: whether the rows of the table decide that it succeeds."""
        return self.kind is Kind.NOT_VALID or self.is_unique

    @property
    def is_strong(self) -> bool:
        """Whether it locks a table so that readers or writers have to wait."""
        return self.lock not in (LockClass.NONE, LockClass.SHARE_UPDATE_EXCLUSIVE)
