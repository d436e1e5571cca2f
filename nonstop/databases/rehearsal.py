"""Where scripts are rehearsed: scratch databases that look like the target, and how far away from it they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from types import TracebackType

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
