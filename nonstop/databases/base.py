"""The contract that each database fulfils. Everything else asks these questions and never for a name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from nonstop.descriptions.activity import Effect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import Connection, Dialect, Engine

    from nonstop.databases.catalog import Catalog
    from nonstop.databases.rehearsal import Rehearsals
    from nonstop.databases.url import DatabaseUrl
    from nonstop.descriptions.activity import Observer
    from nonstop.descriptions.losses import LossWatch
    from nonstop.descriptions.statements import Condition, Need, Reached
    from nonstop.errors import NonstopError

Look = dict[int, tuple[int, int, int]]
"""By relation, at one moment: the number of its file, how often the transaction has read all of it, and how many of its
rows it has updated or deleted."""
DBAPIConnection = Any
"""A plain driver's connection: ``sqlite3.Connection``, ``psycopg.Connection``, or the one under SQLAlchemy's."""


class LockConflict(Enum):
    """How a statement fails that met somebody else's lock."""

    NOT_AVAILABLE = "not available at once, or within lock_timeout"
    CANCELLED = "cancelled from outside, or by statement_timeout"
    DEADLOCK = "chosen to end a deadlock"


class Violation(Enum):
    """What the schema holds against a statement of running code."""

    NOT_NULL = "a value is missing"
    UNIQUE = "the value exists already"
    CHECK = "a rule does not allow the value"
    FOREIGN_KEY = "a row that is referred to is missing, or is still referred to"
    TOO_LONG = "the value is too long"
    OUT_OF_RANGE = "the number or the date is out of range"
    NO_SUCH_COLUMN = "the column does not exist"
    NO_SUCH_TABLE = "the table does not exist"
    BAD_VALUE = "the value does not suit the column's type"
    OTHER_STRUCTURE = "the statement does not suit the schema"


class Partition(NamedTuple):
    """A part of another table. Both by name, with the schema where it is not the current one.

    ``condition`` is SQL that is true for the rows that go into it.
    """

    name: str
    table: str
    condition: str


class RunnerLock(Protocol):
    """One runner at a time. Whoever acquires it releases it; the death of the process releases it too."""

    def try_acquire(self) -> bool:
        """Take the lock if it is free; never waits."""

    def holder(self) -> str:
        """Who else holds it now, in words, seen without taking it; empty where nobody does or it can't be seen."""

    def step_back(self) -> None:
        """Give up, until the next :meth:`try_acquire`, what a pause would keep from others: a connection, say."""

    def verify(self) -> None:
        """Raise LockNotObtained if the lock was lost since it was acquired."""

    def release(self) -> None:
        """Give it back; does nothing if it is not held."""


class Database(ABC):
    """A database at an address. Making one connects nowhere."""

    placeholder: ClassVar[str]
    """How the driver writes a parameter."""
    commits_each_step: ClassVar[bool]
    """Whether each step of an operation is committed at once, so that its locks are short."""
    builds_indexes_concurrently: ClassVar[bool]
    """Whether an index can be built without blocking writers."""
    alters_in_place: ClassVar[bool]
    """Whether defaults, nullability and constraints can be altered; otherwise the table is made anew and refilled."""
    has_one_writer: ClassVar[bool]
    """Whether a transaction that writes makes every other writer wait, whatever it writes to."""
    ledger_types: ClassVar[dict[str, str]]
    """Column types of the ledger's tables: ``id``, ``integer``, ``time``, ``boolean``."""

    def __init__(self, url: DatabaseUrl) -> None:
        self.url = url

    @property
    def display(self) -> str:
        """The address for people, without a password."""
        return self.url.display

    def redact(self, text: str) -> str:
        return self.url.redact(text)

    # --- connections ------------------------------------------------------------------------------------------

    @abstractmethod
    def connect_reading(self) -> DBAPIConnection:
        """A driver's connection, in one read-only transaction, for the ledger.

        Raises DatabaseUnreachable or UsageError.
        """

    def recover(self) -> None:  # noqa: B027  # nothing to do is the usual case
        """Undo what a killed writer left half-done, where the database does not do so by itself for a reader."""

    @abstractmethod
    def connect(self) -> DBAPIConnection:
        """A driver's connection for writing the ledger; transactions are the caller's."""

    @abstractmethod
    def engine(self, **options: Any) -> Engine:
        """A SQLAlchemy engine, to be disposed of; ``options`` go to ``create_engine``."""

    @abstractmethod
    def lock(self, name: str, owner: str) -> RunnerLock:
        """The runner's lock for the ledger called ``name``; ``owner`` is what others see of the holder."""

    @abstractmethod
    def dialect(self) -> Dialect:
        """The SQLAlchemy dialect that SQL is compiled for; connects nowhere."""

    # --- sessions under a script ------------------------------------------------------------------------------

    @abstractmethod
    def is_reached_by(self, connection: DBAPIConnection) -> bool:
        """Whether ``connection`` is one of a driver that leads to databases of this kind."""

    @abstractmethod
    def check_same(self, connection: DBAPIConnection) -> None:
        """Raise UsageError unless ``connection`` leads to this very database (asked under the lock)."""

    @abstractmethod
    def prepare_session(
        self, connection: DBAPIConnection, owner: str, seconds_left: float | None = None
    ) -> None:
        """Make a session ready for a script: its name, its transactions, its mark for the runner after us.

        Where a server can end what nobody watches any longer, it does so some time after ``seconds_left`` (None: the
        run has no deadline).
        """

    @abstractmethod
    def restore_session(self, connection: DBAPIConnection) -> None:
        """Undo :meth:`prepare_session`: the session is as it was before, whatever the script has set."""

    def prepare_steps(self, connection: DBAPIConnection) -> None:  # noqa: B027
        """Make a session ready for the steps of ``op``, before any transaction; most databases need nothing."""

    @abstractmethod
    def begin_if_needed(self, connection: DBAPIConnection, statement: str) -> None:
        """Open a transaction where the driver would not do it by itself before ``statement``."""

    def statement_succeeded(self, connection: DBAPIConnection, statement: str) -> None:  # noqa: B027
        """Note that ``statement`` has succeeded, where the driver alone might have committed it."""

    def commits_before(self, connection: DBAPIConnection, statement: str) -> bool:
        """Whether the open transaction is one that the driver would not have begun, and may not enclose ``statement``."""
        return False

    def survives_rollback(self, connection: DBAPIConnection) -> bool:
        """Whether the driver alone would have committed something of the open transaction by now."""
        return False

    def roll_back_driver_part(self, connection: DBAPIConnection) -> bool:
        """Undo what the driver alone would undo in such a transaction; False where that is nothing."""
        return False

    def release_commits(self, connection: DBAPIConnection, savepoint: str) -> bool:
        """Whether the transaction began with ``savepoint``, so that its release is a commit."""
        return False

    def spares_readers(self, connection: DBAPIConnection) -> bool:
        """Whether readers need not wait for the one writer."""
        return True

    @abstractmethod
    def in_transaction(self, connection: DBAPIConnection) -> bool:
        """Whether a transaction is open on ``connection``."""

    @abstractmethod
    def cancel(self, connection: DBAPIConnection) -> None:
        """Break off the statement that runs on ``connection``; may be called from another thread."""

    @abstractmethod
    def is_usable(self, connection: DBAPIConnection) -> bool:
        """Whether the connection is still open."""

    @abstractmethod
    def can_commit(self, connection: DBAPIConnection) -> bool:
        """Whether a transaction is open that a commit would keep (not one that an error has ended)."""

    @abstractmethod
    def has_changes(self, connection: DBAPIConnection) -> bool:
        """Whether the open transaction, which has not failed, may have changed anything."""

    def own_settings(self, connection: DBAPIConnection) -> AbstractContextManager[None]:
        """In the block the session has the role and the encoding that our rows need, whatever the script has set."""
        return nullcontext()

    def storable(self, connection: DBAPIConnection, text: str) -> str:
        """``text`` in characters that the database can store."""
        return text

    # --- waiting for locks, where there is a queue for them ---------------------------------------------------

    def observer(self, owner: str = "") -> Observer | None:
        """A second pair of eyes; None where nobody queues for a lock on a table.

        It counts the other clients of ``owner``'s script, where they can be told, to our sessions.
        """
        return None

    def client_environment(
        self, connection: DBAPIConnection, owner: str, budget_ms: int, given: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Variables that bound and mark the sessions of other clients, for a script whose ledger is on ``connection``.

        ``given`` is the environment as it is.
        """
        return {}

    def lock_conflict(self, error: BaseException) -> LockConflict | None:
        """In which way an error, a driver's or SQLAlchemy's, means that a lock was not to be had; None for others."""
        return None

    def is_disconnect(self, error: BaseException) -> bool:
        """Whether an error tells that the server has ended the session."""
        return False

    def is_lock_conflict(self, error: BaseException) -> bool:
        """Whether an error means that a lock was not to be had: try again."""
        return self.lock_conflict(error) is not None

    def limit_lock_wait(  # noqa: B027  # without a queue there is nothing to limit
        self, connection: DBAPIConnection, milliseconds: int, past_autovacuum: Sequence[str]
    ) -> None:
        """Let the open transaction wait no longer for a lock; first get autovacuum off the tables that are named.

        In autocommit mode this holds until :meth:`lift_lock_limit`, and no autovacuum is got off.
        """

    def lift_lock_limit(self, connection: DBAPIConnection) -> None:  # noqa: B027
        """Undo :meth:`limit_lock_wait` after a statement in autocommit mode; the end of a transaction undoes it too."""

    def lock_in_order(  # noqa: B027  # without a queue there is nothing to lock
        self, connection: DBAPIConnection, tables: Sequence[str], mode: str
    ) -> None:
        """Lock those of ``tables`` that are tables, and may be locked by the role, in this order in the open transaction."""

    def allow_long_wait(self, connection: DBAPIConnection) -> None:  # noqa: B027
        """Let a session in autocommit mode wait long: for statements whose waiting holds nobody up."""

    def split(self, statement: str) -> Sequence[str]:
        """The statements in a string of SQL that the driver would send in one go."""
        return (statement,)

    def needs_of(self, statement: str) -> Sequence[tuple[str, Need]]:
        """Each statement in a string of SQL, with what it needs from tables that others use."""
        return ()

    def reached(self, connection: DBAPIConnection, need: Need) -> list[Reached]:
        """The tables that a statement locks, as the session sees them; absent and temporary ones are left out."""
        return []

    def has_tables(self, connection: DBAPIConnection, names: Sequence[str]) -> bool:
        """Whether each name, as :class:`Need` has it, is that of a table or the like."""
        return all(self.has_table(connection, name) for name in names)

    def confirms(self, connection: DBAPIConnection, conditions: Sequence[Condition]) -> bool:
        """Whether the catalog, as the session sees it, confirms every one of ``conditions``."""
        return not conditions

    def has_locked(self, connection: DBAPIConnection, tables: Sequence[Reached]) -> bool:
        """Whether the open transaction keeps readers or writers from one of ``tables``."""
        return False

    def size(self, connection: DBAPIConnection, tables: Sequence[Reached]) -> int:
        """Bytes of ``tables`` with their indexes; of all tables where it is not known which are meant."""
        return 0

    def index_state(self, name: str, connection: Connection) -> bool | None:
        """Whether the index ``name`` is valid, None where there is none. Only where indexes are built concurrently."""
        raise NotImplementedError

    def constraint_state(self, table: str, name: str, connection: Connection) -> bool | None:
        """Whether a constraint is validated, None where there is none. Only where they can be validated apart."""
        raise NotImplementedError

    def names_resolve_as(self, connection: DBAPIConnection) -> tuple[str, ...]:
        """What decides which table an unqualified name means, and who owns what is made."""
        return ()

    def session_id(self, connection: DBAPIConnection) -> int:
        """What the database calls the session; 0 where it has no name for it."""
        return 0

    def look_before(self, connection: DBAPIConnection, statement: str) -> Look | None:
        """What to compare with after ``statement``; None where its effect on others is not worth a look."""
        return None

    def effect_since(self, connection: DBAPIConnection, look: Look) -> Effect:
        """What a statement did since ``look``, and which locks its session holds."""
        return Effect()

    # --- looking before a commit ------------------------------------------------------------------------------

    @abstractmethod
    def loss_watch(self, others: DBAPIConnection, ignored: frozenset[str]) -> LossWatch:
        """Who finds what a script's transactions take away. ``others`` is a connection that the script does not use.

        Tables called as in ``ignored`` are not looked at.
        """

    # --- catalog ----------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def catalog(self) -> Catalog:
        """What is there, beyond what SQLAlchemy reflects. Only operations ask: loaded on first use."""

    @abstractmethod
    def has_table(self, connection: DBAPIConnection, name: str) -> bool:
        """Whether there is a table of that name, which may be qualified and quoted."""

    @abstractmethod
    def has_relation(self, connection: Connection, name: str, schema: str | None) -> bool:
        """Whether the name of a table is taken, be it by a table or a view. Names come unquoted."""

    def partitions(self, connection: DBAPIConnection) -> Sequence[Partition]:
        """The parts of tables that are kept in parts."""
        return ()

    @property
    @abstractmethod
    def rehearsals(self) -> Rehearsals:
        """What rehearsals of this database ask of it: loaded on first use."""

    # --- errors -----------------------------------------------------------------------------------------------

    @abstractmethod
    def translate(self, error: Exception) -> NonstopError | None:
        """Our error for a driver's where it has a meaning of its own (unreachable, no right, …), else None."""

    @abstractmethod
    def describe(self, error: BaseException) -> tuple[str, ...]:
        """What the server says of an error: code, detail, hint; one line each."""

    @abstractmethod
    def violation(self, error: BaseException) -> Violation | None:
        """What in the schema an error, a driver's or SQLAlchemy's, is about; None where it is about something else."""

    @abstractmethod
    def violated_column(self, error: BaseException) -> str:
        """The column that such an error names; empty where it names none."""

    @abstractmethod
    def current_schema(self, connection: DBAPIConnection) -> str | None:
        """The schema that new tables go to; None where there are no schemas."""

    def continue_counting(self, connection: DBAPIConnection, table: str, column: str) -> None:  # noqa: B027
        """Let the numbers that ``column`` of ``table`` (quoted) gives itself go on after the highest one in it.

        For rows that brought their numbers along, where the next number would otherwise be one that is taken.
        """

    @abstractmethod
    def date_from_text(self, text: str, type_name: str) -> str:
        """An SQL expression for a date or a time of the type, made of the SQL expression ``text`` (``2026-01-31``)."""

    @abstractmethod
    def hide_from_others(self, connection: DBAPIConnection, table: str) -> None:
        """Make a ledger table readable by its owner only, where rights exist."""
