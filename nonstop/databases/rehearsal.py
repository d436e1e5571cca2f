"""Where scripts are rehearsed: scratch databases that look like the target, and how far away from it they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from types import TracebackType

    from nonstop.databases.base import Database, DBAPIConnection
    from nonstop.databases.fingerprint import Snapshot, ValueCounts
    from nonstop.descriptions.activity import LockSampler
    from nonstop.descriptions.promises import Place


class Scratch(NamedTuple):
    """One scratch database. ``url`` is what a script finds as DATABASE_URL."""

    name: str
    url: str


class Bounds(NamedTuple):
    """What the code in a child may connect to, as plain values; made by the parent, held by the child.

    ``target`` is the address for people. Of an SQLite target ``target_files`` are the files; of a server's database
    ``target_addresses`` are pairs of address and port, and ``target_name`` is its name. Servers may be reached only over the
    socket in ``socket_folder``, and only in databases whose names begin with ``name_prefix``; nowhere where both are empty.
    """

    target: str
    is_isolated: bool
    target_files: tuple[str, ...] = ()
    target_addresses: tuple[tuple[str, int], ...] = ()
    target_name: str = ""
    socket_folder: str = ""
    name_prefix: str = ""


class SessionWatch(Protocol):
    """Looks at a server's sessions again and again, in a thread."""

    def close(self) -> tuple[str, ...]:
        """End it. The sessions that were seen, in words."""


class Ground(ABC):
    """Makes scratch databases for one target; use it as a context manager: at its end nothing of them is left.

    Its processes may be started before its databases are there: see :data:`Fenced`.
    """

    place: Place
    """For the report."""
    folder: Path
    """A temporary folder of this rehearsal's own."""
    mark: str
    """The application_name that tells sessions of this rehearsal, also those that strayed to the target."""

    @abstractmethod
    def base(self) -> Scratch:
        """A scratch database with the target's schema and ledger; of its rows only SQLite's, which is a copy of the file."""

    @abstractmethod
    def copy(self, scratch: Scratch) -> Scratch:
        """Another one like ``scratch``, to which nobody is connected at this moment."""

    @abstractmethod
    def drop(self, scratch: Scratch) -> None:
        """Remove it, whoever is still connected."""

    @abstractmethod
    def command(self, command: list[str]) -> list[str]:
        """``command`` as it is to be started, so that the target is out of its reach (or as it is, where that can't be)."""

    @abstractmethod
    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The environment of a child that must not find the target: ``given`` without what leads there, an empty HOME."""

    @abstractmethod
    def bounds(self) -> Bounds:
        """What :func:`nonstop.check.isolation.confine` is to hold the child to."""

    @abstractmethod
    def close(self) -> None:
        """Remove everything: databases, servers, folders."""

    def __enter__(self) -> Ground:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


Fenced = Callable[[Ground], None]
"""Is told of a ground as soon as it can keep processes away from the target (``place``, ``command``, ``environment`` and
``bounds`` are final), while its first database is still being made. Of a ground that fails after that, another one follows."""


class Rehearsals(ABC):
    """What rehearsals ask of a database, the target or a scratch one; see :attr:`Database.rehearsals`."""

    # --- of the target ----------------------------------------------------------------------------------------

    @abstractmethod
    def ground(
        self, rehearsal_url: str | None, tables: frozenset[str] = frozenset(), fenced: Fenced | None = None
    ) -> Ground:
        """A place with copies of the database, on the server at ``rehearsal_url`` if one is given.

        The rows of tables that are called as in ``tables`` come along; ``fenced`` is told of it before it is whole.
        Raises UsageError where there is no such place.
        """

    @abstractmethod
    def traces(self) -> Mapping[str, str]:
        """Everything in which a change by a rehearsal would show: its name, and a checksum of it."""

    @abstractmethod
    def watch_sessions(self, name: str) -> SessionWatch | None:
        """Begin to look out for sessions that call themselves ``name``; None where there are no sessions."""

    # --- of a scratch database --------------------------------------------------------------------------------

    @abstractmethod
    def stand_in(self, is_alone: bool) -> Database:
        """The same database for scripts that are rehearsed: what they meet is small, and they have to behave as in
        production. ``is_alone``: nobody else uses it meanwhile, so that nobody has to be watched."""

    def read_ahead(self, statements: Sequence[str]) -> None:  # noqa: B027
        """Judge texts that are going to be sent, so that the judgements are at hand in this process and its forks."""

    @abstractmethod
    def lock_sampler(self) -> LockSampler | None:
        """Who tells which locks the sessions of runs hold at a moment; None where nobody queues for locks on tables."""

    @abstractmethod
    def snapshot(self, connection: DBAPIConnection, own: str) -> Snapshot:
        """The whole schema and all data, comparable, but for objects whose names begin with ``own``."""

    @abstractmethod
    def value_counts(self, connection: DBAPIConnection, own: str) -> ValueCounts:
        """How many values that are not NULL each column of the tables has whose names don't begin with ``own``."""
