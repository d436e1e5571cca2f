"""Where each setting comes from: flags > environment > .env > pyproject.toml > default."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from nonstop.errors import NonstopError, UsageError

ResolveUrl = Callable[["str | None"], str]
"""An application's rule: what was configured (None: nothing) -> the address that everyone uses."""

DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|m|min|h)?")
SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>kB|MB|GB)?")
BYTES = {"kB": 1024, "MB": 1024**2, "GB": 1024**3}
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class Settings(NamedTuple):
    """Everything that is not a command's own flag. Times are seconds, ``online_above`` is bytes."""

    url: str
    directory: Path
    lock_timeout: float
    deadline: float | None
    blocking_budget: float
    online_above: int
    wait: float
    ledger_table: str
    ledger_schema: str | None
    rehearsal_url: str | None = None
    models: str | None = None


def seconds(text: str) -> float:
    """A duration such as ``60``, ``60s``, ``500ms`` or ``2m`` in seconds. Raises UsageError."""
    match = DURATION.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is not a duration", next_step="write it like 60s, 500ms or 2m")
    return float(match["number"]) * SECONDS[match["unit"] or "s"]


def bytes_of(text: str) -> int:
    """A size such as ``10MB``, ``512kB`` or a plain number of bytes. Raises UsageError."""
    match = SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is not a size", next_step="write it like 10MB, 512kB or 1GB")
    return round(float(match["number"]) * BYTES.get(match["unit"] or "", 1))


def load(
    flags: Mapping[str, str | None],
    *,
    directory: Path | None = None,
    resolve_url: ResolveUrl | None = None,
    environment_file: Path | None = None,
) -> Settings:
    """Put the settings together. ``flags`` are what the command line gave, None for what it did not.

    ``directory``, ``resolve_url`` and ``environment_file`` are what an entry script such as ``run_migrations.py``
    knows of its application. Raises UsageError for what can't be.
    """
    sources = _Sources(flags, directory, environment_file)
    folder = sources.directory(directory)
    url = sources.first("url", "MIGRATION_DATABASE_URL", "DATABASE_URL")
    resolve = resolve_url or sources.url_function()
    if resolve is not None:
        url = _resolved(resolve, url)
    if not url:
        raise UsageError(
            "no database is named",
            next_step="set DATABASE_URL (postgresql://user:password@host:5432/name or sqlite:///file.db), or pass --url",
        )
    deadline = sources.first("deadline", "NONSTOP_DEADLINE")
    return Settings(
        url=url,
        directory=folder,
        lock_timeout=seconds(sources.first("lock_timeout", "NONSTOP_LOCK_TIMEOUT") or "60"),
        deadline=seconds(deadline) if deadline else None,
        blocking_budget=seconds(sources.first("blocking_budget", "NONSTOP_BLOCKING_BUDGET") or "500ms"),
        online_above=bytes_of(sources.first("online_above", "NONSTOP_ONLINE_ABOVE") or "10MB"),
        wait=seconds(sources.first("wait", "NONSTOP_WAIT") or "0"),
        ledger_table=sources.first("ledger_table", "NONSTOP_LEDGER_TABLE") or "nonstop",
        ledger_schema=sources.first("ledger_schema", "NONSTOP_LEDGER_SCHEMA"),
        rehearsal_url=sources.first("rehearsal_url", "REHEARSAL_DATABASE_URL"),
        models=sources.first("models", "NONSTOP_MODELS"),
    )


def load_directory(
    flags: Mapping[str, str | None], directory: Path | None, environment_file: Path | None
) -> Path:
    """Only the migrations folder, for commands that need no database."""
    return _Sources(flags, directory, environment_file).directory(directory)


class _Sources:
    """The places that are asked, in order of precedence. The files are read only where they exist."""

    def __init__(
        self, flags: Mapping[str, str | None], directory: Path | None, environment_file: Path | None
    ) -> None:
        self._flags = flags
        self._project_folder, self._project = _pyproject(Path(flags.get("dir") or directory or "."))
        self._environment_file = _environment(flags.get("env_file"), environment_file, self._project_folder)

    def first(self, name: str, *variables: str) -> str | None:
        """The value of a setting: its flag, its variables (the first that is set), or its line in pyproject."""
        if self._flags.get(name) is not None:
            return self._flags[name]
        for source in (os.environ, self._environment_file):
            for variable in variables:
                if source.get(variable):
                    return source[variable]
        value = self._project.get(name.replace("_", "-"), self._project.get(name))
        return None if value is None else str(value)

    def directory(self, given: Path | None) -> Path:
        """The migrations folder; one named in pyproject.toml is relative to that file."""
        if self._flags.get("dir"):
            return Path(str(self._flags["dir"])).absolute()
        if given is not None:
            return given.absolute()
        named = os.environ.get("NONSTOP_DIR") or self._environment_file.get("NONSTOP_DIR")
        if named:
            return Path(named).absolute()
        return (self._project_folder / str(self._project.get("dir", "migrations"))).absolute()

    def url_function(self) -> ResolveUrl | None:
        """The function that ``url-function = "path/to/config.py:name"`` in pyproject.toml points to."""
        named = self._project.get("url-function")
        if named is None:
            return None
        path, _, name = str(named).rpartition(":")
        try:
            module = ModuleType("nonstop_config")
            module.__file__ = str(self._project_folder / path)
            sys.modules[module.__name__] = module  # dataclasses look their own module up there
            source = (self._project_folder / path).read_text(encoding="utf-8")
            exec(compile(source, module.__file__, "exec"), module.__dict__)
            function: ResolveUrl = getattr(module, name)
        except Exception as error:
            raise UsageError(
                f"url-function in {self._project_folder / 'pyproject.toml'} can't be used: {type(error).__name__}: {error}",
                next_step='write it like url-function = "backend/config.py:resolve_database_url"',
            ) from error
        return function


def _resolved(resolve: ResolveUrl, url: str | None) -> str:
    try:
        return resolve(url)
    except NonstopError:
        raise
    except Exception as error:
        raise UsageError(
            f"the application rejects the database URL: {error}", next_step="correct DATABASE_URL"
        ) from error


def _pyproject(start: Path) -> tuple[Path, Mapping[str, Any]]:
    """The folder and the ``[tool.nonstop]`` table of the nearest pyproject.toml that has one."""
    start = start.absolute()
    for folder in (start, *start.parents):
        path = folder / "pyproject.toml"
        try:
            content = path.read_bytes()
        except OSError:
            continue
        if b"[tool.nonstop]" in content:
            import tomllib

            try:
                table = tomllib.loads(content.decode()).get("tool", {}).get("nonstop")
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise UsageError(f"{path} can't be read: {error}", next_step="correct the file") from error
            if isinstance(table, dict):  # else a comment only speaks of it
                return folder, table
    return Path.cwd(), {}


def _environment(flag: str | None, given: Path | None, project_folder: Path) -> Mapping[str, str]:
    """The variables of the .env file: the one that is named, else the entry script's, else the project's."""
    if flag is not None and not Path(flag).is_file():
        raise UsageError(f"there is no file {flag}", next_step="name an existing file with --env-file")
    path = Path(flag) if flag is not None else given or project_folder / ".env"
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path).items() if value is not None}
