"""What the tests of the failure modes share: a runner, and an application that must not feel it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest

from tests.guard.conftest import Scene, Session, meanwhile, rendezvous
from tests.guard.conftest import scene as small_scene

__all__ = ["busy_application", "meanwhile", "rendezvous", "role_scene", "scene", "small_scene"]


@pytest.fixture
def scene(small_scene: Scene) -> Scene:
    """A scene whose tables all count as large: what has an online form is carried out in it."""
    return replace(small_scene, settings={"NONSTOP_ONLINE_ABOVE": "0"})


@pytest.fixture
def role_scene(scene: Scene, postgres_role: Callable[..., str]) -> Callable[[str], Scene]:
    """``role_scene("statement_timeout = '50ms'")``: the scene as a role sees it that has this setting."""

    def as_role(*settings: str) -> Scene:
        ours = scene.as_role(postgres_role())
        role = psycopg.conninfo.conninfo_to_dict(ours.url)["user"]
        with psycopg.connect(scene.url, autocommit=True) as administrator:
            for setting in settings:
                administrator.execute(f"ALTER ROLE {role} SET {setting}".encode())
        return ours

    return as_role


@pytest.fixture
def busy_application(scene: Scene) -> Iterator[Session]:
    """A session of the application, each statement a transaction of its own, that meets no lock for long."""
    with scene.session() as session:
        session.autocommit = True
        yield session
