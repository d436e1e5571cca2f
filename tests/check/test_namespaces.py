"""Covers in a namespace of its own: what is there is covered, and what goes meanwhile is not missed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from nonstop.databases.namespaces import can_isolate, isolated

NOTHING = Path("/dev/null")
SHOW = ["sh", "-c", 'cat "$1" 2>/dev/null || echo gone', "sh"]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    if not can_isolate(tmp_path):
        pytest.skip("this machine allows no namespaces")
    path = tmp_path / "secret"
    path.write_text("seen")
    return path


def seen(secret: Path, tools: Path | None = None) -> tuple[int, str]:
    """The exit code of a command that shows the covered file, and what it shows; ``tools`` come first on the PATH."""
    path = os.pathsep.join([*([str(tools)] if tools else []), os.environ["PATH"]])
    command = isolated([*SHOW, str(secret)], {secret: NOTHING}, secret.parent)
    done = subprocess.run(
        command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.strip()


def mount_that(does: str, folder: Path) -> Path:
    """A folder with a ``mount`` of its own: it ``does`` something to the file that is to be covered, and fails."""
    folder.mkdir()
    program = folder / "mount"
    program.write_text(
        f'#!/bin/sh\n[ "$3" = "$SECRET" ] || exec {shutil.which("mount")} "$@"\n{does}\nexit 32\n'
    )
    program.chmod(0o755)
    return folder


def test_what_is_there_is_covered(secret: Path) -> None:
    assert seen(secret) == (0, "")


def test_what_goes_at_this_moment_needs_no_cover(
    secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket of another server, which ends between the look and the mount."""
    monkeypatch.setenv("SECRET", str(secret))
    assert seen(secret, mount_that('rm "$SECRET"', tmp_path / "tools")) == (0, "gone")


def test_what_stays_and_can_not_be_covered_stops_the_command(
    secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", str(secret))
    assert seen(secret, mount_that("true", tmp_path / "tools")) == (125, "")
