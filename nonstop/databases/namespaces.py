"""Starts a command where the machine's network and sockets do not exist for it (Linux).

In a network namespace of its own there is no TCP, loopback included. Sockets that have a path would still be reachable:
in a mount namespace of its own, each of them is covered by ``/dev/null``, and so is any file that must not be touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

IS_LISTENING = 0x10000
"""__SO_ACCEPTON in the column Flags of /proc/net/unix."""
SOCKET_PATTERN = ".s.PGSQL.*[0-9]"
USUAL_FOLDERS = ("/run/postgresql", "/var/run/postgresql", "/tmp")
"""Where PostgreSQL listens; a server in a container may do so there without being seen in /proc/net/unix."""
NAMESPACES = ("--net", "--mount", "--propagation", "private")
# Pairs of paths up to "--", then the command. A path that is gone by now, or goes at this moment, needs no cover.
COVER = """
while [ "$1" != -- ]; do
    if [ -e "$2" ]; then mount --bind "$1" "$2" || [ ! -e "$2" ] || exit 125; fi
    shift 2
done
shift
exec "$@"
"""


def isolated(command: list[str], covers: Mapping[Path, Path], spared: Path) -> list[str]:
    """``command``, to be run in namespaces of its own, as the same user with the same rights on files.

    ``covers`` says by what each path is covered. Every listening socket is, too, but for those below ``spared``.
    """
    nothing = Path("/dev/null")
    pairs = {**dict.fromkeys(_sockets(spared), nothing), **covers}
    arguments = [str(path) for covered, by in pairs.items() for path in (by, covered)]
    is_root = os.geteuid() == 0
    # Others need to be root in a namespace of their own to mount anything, and are themselves again after that.
    as_root = [] if is_root else ["--user", "--map-root-user"]
    as_before = (
        []
        if is_root
        else ["unshare", "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}", "--"]
    )
    outer = ["unshare", *as_root, *NAMESPACES, "--", "sh", "-c", COVER, "sh"]
    return [*outer, *arguments, "--", *as_before, *command]


def can_isolate(folder: Path) -> bool:
    """Whether :func:`isolated` works here: tried with a cover of a file in ``folder``."""
    if any(shutil.which(program) is None for program in ("unshare", "mount", "sh")):
        return False
    probe = folder / "probe"
    probe.write_text("seen")
    command = isolated(["sh", "-c", f'test ! -s "{probe}"'], {probe: Path("/dev/null")}, folder)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _sockets(spared: Path) -> set[Path]:
    """The sockets of others that somebody may listen on, without their aliases."""
    found = {path for folder in USUAL_FOLDERS for path in Path(folder).glob(SOCKET_PATTERN)}
    found |= {Path(name) for name in _listening(_table()) if name.startswith("/")}
    resolved = {path.resolve() for path in found}
    return {path for path in resolved if not path.is_relative_to(spared)}


def _table() -> str:
    try:
        return Path("/proc/net/unix").read_text(errors="surrogateescape")
    except OSError:
        return ""


def _listening(table: str) -> list[str]:
    """The names in /proc/net/unix of the sockets that accept connections."""
    rows = [line.split(None, 7) for line in table.splitlines()[1:]]
    return [row[7] for row in rows if len(row) == 8 and int(row[3], 16) & IS_LISTENING]
