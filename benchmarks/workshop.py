"""Makes each tool's project on a database of its own, and keeps it for the scenarios that come later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Contestant, timed
from benchmarks.peers.project import Peer, Project, Target
from benchmarks.scenarios import Scenario


class Workshop:
    """Projects below ``folder``; ``server_url`` is a PostgreSQL whose role may create databases, if there is one."""

    def __init__(self, folder: Path, server_url: str | None) -> None:
        self._folder = folder
        self._server_url = server_url
        self._made: dict[tuple[str, str, int], tuple[Project, Target]] = {}
        self._up_to_date: set[Target] = set()

    def contestant(self, peer: Peer, scenario: Scenario) -> Contestant:
        """The peer, ready for the scenario: its project made and, unless it starts from nothing, applied."""
        project, target = self._project(peer, scenario)
        if scenario.from_nothing:
            self._up_to_date.discard(target)
            return Contestant(peer.name, project.apply, target.forget)
        if target not in self._up_to_date:
            timed(project.prepare)
            self._up_to_date.add(target)
        return Contestant(peer.name, getattr(project, scenario.action))

    def check(self, peer: Peer, scenario: Scenario) -> None:
        """Raise RuntimeError unless the tables of a scenario that starts from nothing are all there."""
        _, target = self._project(peer, scenario)
        if scenario.from_nothing:
            tables = target.count_tables()
            if tables != scenario.scripts:
                raise RuntimeError(f"{peer.name} has made {tables} tables instead of {scenario.scripts}")
            self._up_to_date.add(target)

    def _project(self, peer: Peer, scenario: Scenario) -> tuple[Project, Target]:
        key = (peer.name, scenario.database, scenario.scripts)
        if key not in self._made:
            name = f"{peer.name.lower().replace(' ', '_').replace('-', '_')}_{scenario.scripts}"
            target = self._target(name, scenario.database)
            folder = self._folder / f"{scenario.database}_{name}"
            self._made[key] = (peer.create(folder, scenario.scripts, target), target)
        return self._made[key]

    def _target(self, name: str, database: str) -> Target:
        if database == "sqlite":
            path = self._folder / f"{name}.db"
            return Target(f"sqlite:///{path}", path)
        import psycopg

        assert self._server_url is not None
        with psycopg.connect(self._server_url, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}")
        return Target(f"{self._server_url.rpartition('/')[0]}/{name}", None)


def fitting(peers: dict[str, Peer], scenario: Scenario, say: Callable[[str], None]) -> list[Peer]:
    """Those that take part in the scenario: installed, and able to bring so many scripts."""
    found = []
    for peer in peers.values():
        if scenario.only_ours and peer.distribution != "nonstop":
            continue
        if peer.fixed_scripts is not None and (
            peer.fixed_scripts != scenario.scripts or scenario.from_nothing
        ):
            continue
        if not peer.is_installed:
            say(f"{peer.name} is not installed: pip install {peer.distribution}")
            continue
        found.append(peer)
    return found
