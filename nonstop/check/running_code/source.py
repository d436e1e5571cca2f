"""Which code is meant to run beside a script: the release that runs now, or what can be derived from the schema."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from nonstop.check.running_code.models import USUAL_MODULES, RunningCode, from_schema, load
from nonstop.databases import open_database
from nonstop.errors import UsageError

DERIVED = "code that names every column of the schema before (name the release that runs with --against)"


class CodeSource(NamedTuple):
    """Where models come from: a ``folder`` (with the ``module`` to import, None: the usual ones), or else the schema of
    the database at ``schema_url``. ``label`` names it for people. ``instead_of`` is the folder of another release, which
    this process may have on its path: the same place in ``root`` is meant, or nothing where there is none."""

    label: str
    folder: Path | None = None
    module: str | None = None
    schema_url: str = ""
    ignored: frozenset[str] = frozenset()
    instead_of: Path | None = None
    root: Path | None = None

    @property
    def is_named(self) -> bool:
        return self.folder is not None


def running_code(source: CodeSource) -> RunningCode:
    """The models; imports the folder's module: call it in a process of its own."""
    if source.folder is not None:
        sys.path[:] = _path_of(source)
        return load(source.folder, source.module)
    database = open_database(source.schema_url)
    engine = database.engine()
    try:
        return from_schema(engine, database, source.ignored)
    finally:
        engine.dispose()


def _path_of(source: CodeSource) -> list[str]:
    """``sys.path`` with the folders of the release that is meant in the place of another one's; packages that are installed
    (a virtual environment often lies in the project's folder) are the same for both."""
    if source.instead_of is None:
        return sys.path
    path = []
    for entry in sys.path:
        is_installed = Path(entry).is_relative_to(sys.prefix)
        if is_installed or not Path(entry).is_relative_to(source.instead_of):
            path.append(entry)
        elif source.root is not None:
            path.append(str(source.root / Path(entry).relative_to(source.instead_of)))
    return path


def new_code(migrations: Path, module: str | None) -> CodeSource | None:
    """The code beside the migrations folder, if there is any: it is deployed after the scripts."""
    folder = migrations.parent
    names = (module.partition(".")[0],) if module else USUAL_MODULES
    if any((folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file() for name in names):
        return CodeSource("new code", folder, module)
    return None


def old_code(against: str, migrations: Path, module: str | None, work: Path) -> CodeSource:
    """The release that runs now: ``against`` is a folder with its code, or a git ref of the repository around ``migrations``.

    A ref's files are put into ``work``. Raises UsageError where it is neither.
    """
    folder = Path(against)
    if folder.is_dir():
        return CodeSource(against, folder.resolve(), module, instead_of=migrations.parent)
    root = Path(_git(migrations, "rev-parse", "--show-toplevel", against=against).decode().strip())
    commit = _git(
        migrations, "rev-parse", "--verify", "--quiet", f"{against}^{{commit}}", against=against
    ).decode()
    archive = work / "release.zip"
    archive.write_bytes(_git(root, "archive", "--format=zip", commit.strip(), against=against))
    shutil.unpack_archive(archive, work / "release")
    archive.unlink()
    release = work / "release"
    inside = migrations.parent.resolve().relative_to(root.resolve())
    label = f"{against} ({commit[:10]})"
    return CodeSource(label, release / inside, module, instead_of=root, root=release)


def _git(folder: Path, *arguments: str, against: str) -> bytes:
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], check=True, capture_output=True, stdin=subprocess.DEVNULL
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise UsageError(
            f"--against {against}: neither a folder nor a git ref of the repository around {folder}",
            next_step="name the folder with the code that runs now, or a tag, branch or commit",
        ) from error
