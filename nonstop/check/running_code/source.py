"""Which code is meant to run beside a script: the release that runs now, or what can be derived from the schema."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from nonstop.check.running_code.models import USUAL_MODULES, RunningCode, from_schema, load
from nonstop.databases import open_database
from nonstop.errors import UsageError

DERIVED = "code that names every column of the schema before (name the release that runs with --against)"


class CodeSource(NamedTuple):
    """Where models come from: a ``folder`` (with the ``module`` to import, None: the usual ones), or else the schema of
    the database at ``schema_url``. ``label`` names it for people."""

    label: str
    folder: Path | None = None
    module: str | None = None
    schema_url: str = ""
    ignored: frozenset[str] = frozenset()

    @property
    def is_named(self) -> bool:
        return self.folder is not None


def running_code(source: CodeSource) -> RunningCode:
    """The models; imports the folder's module: call it in a process of its own."""
    if source.folder is not None:
        return load(source.folder, source.module)
    database = open_database(source.schema_url)
    engine = database.engine()
    try:
        return from_schema(engine, database, source.ignored)
    finally:
        engine.dispose()


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
        return CodeSource(against, folder.resolve(), module)
    root = Path(_git(migrations, "rev-parse", "--show-toplevel", against=against).decode().strip())
    commit = _git(
        migrations, "rev-parse", "--verify", "--quiet", f"{against}^{{commit}}", against=against
    ).decode()
    archive = work / "release.zip"
    archive.write_bytes(_git(root, "archive", "--format=zip", commit.strip(), against=against))
    shutil.unpack_archive(archive, work / "release")
    archive.unlink()
    inside = migrations.parent.resolve().relative_to(root.resolve())
    return CodeSource(f"{against} ({commit[:10]})", work / "release" / inside, module)


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
