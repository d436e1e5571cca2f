"""Running code: which tables it uses, and how. From the models in a folder, or derived from a schema."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from sqlalchemy import Engine, MetaData, Table, inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapper, configure_mappers, registry

from nonstop.check.reflection import tables
from nonstop.databases.base import Database
from nonstop.errors import UsageError

USUAL_MODULES = ("app", "models")
"""Where models are looked for if nobody says where they are."""
INSTALLED = {"site-packages", "dist-packages"}


class Model(NamedTuple):
    """One table as running code uses it. ``mapped`` is its class, None for a Core table; ``label`` names it for people."""

    label: str
    table: Table
    mapped: type[Any] | None


class RunningCode(NamedTuple):
    """What an application does with its tables. ``is_explicit``: it is real code, not derived from a schema."""

    models: tuple[Model, ...]
    is_explicit: bool

    @property
    def tables(self) -> dict[str, Table]:
        """Each table that is used, by its key."""
        return {model.table.key: model.table for model in self.models}


def from_schema(engine: Engine, database: Database, ignored: frozenset[str] = frozenset()) -> RunningCode:
    """Code that names every column of every table, but for the tables whose names are in ``ignored``."""
    with engine.connect() as connection:
        found = tables(connection, database, ignored)
    return RunningCode(tuple(Model(key, found[key], None) for key in sorted(found)), is_explicit=False)


def load(folder: Path, module: str | None) -> RunningCode:
    """The models of the application in ``folder``; imports it: call it in a process of its own.

    ``module`` is the one to import, as ``app`` or ``package.models``; where it is None, the usual names are tried.
    Raises UsageError where it can't be imported, or brings no table.
    """
    folder = folder.resolve()
    sys.path.insert(0, str(folder))
    names = (module,) if module is not None else USUAL_MODULES
    imported = False
    for name in names:
        imported = _import(name, folder, is_demanded=module is not None) or imported
        found = _models(folder) if imported else ()
        if found:
            return RunningCode(found, is_explicit=True)
    what = f"no SQLAlchemy model or table in {' or '.join(names)}" if imported else _no_module(names)
    raise UsageError(f"{what} ({folder})", next_step=_how_to_name(folder))


def _import(name: str, folder: Path, is_demanded: bool) -> bool:
    """Import ``name``; False where there is no such module and another name may be tried."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        is_missing = error.name is not None and (name == error.name or name.startswith(f"{error.name}."))
        if is_missing and not is_demanded:
            return False
        what = _no_module((name,)) if is_missing else f"{name} can't be imported: {error}"
        raise UsageError(f"{what} ({folder})", next_step=_how_to_name(folder)) from error
    except (Exception, SystemExit) as error:  # whatever an application does when it is imported
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(
            f"{name} can't be imported ({folder}): {reason}", next_step=_how_to_name(folder)
        ) from error
    return True


def _no_module(names: tuple[str, ...]) -> str:
    return f"there is no module {' or '.join(names)}"


def _how_to_name(folder: Path) -> str:
    return (
        f"name the module that imports all models of the running code, as it is imported from {folder},"
        " such as package.models"
    )


# --- what was imported --------------------------------------------------------------------------------------


def _models(folder: Path) -> tuple[Model, ...]:
    """Every mapped class and every table that no class maps, of the modules below ``folder``, in order of name."""
    values = [value for module in _modules_below(folder) for value in list(vars(module).values())]
    registries, metadatas = _registries(values), _metadatas(values)
    try:
        configure_mappers()
    except SQLAlchemyError as error:
        raise UsageError(
            f"the models in {folder} do not fit together: {error}", next_step="correct them"
        ) from error
    mappers = {mapper for each in registries for mapper in each.mappers}
    classes = [
        Model(mapper.class_.__name__, mapper.local_table, mapper.class_)
        for mapper in mappers
        if isinstance(mapper.local_table, Table) and _is_of_main_database(mapper.local_table)
    ]
    mapped = {table for mapper in mappers for table in mapper.tables}
    metadatas |= {model.table.metadata for model in classes}
    plain = [
        Model(table.key, table, None)
        for metadata in metadatas
        for table in metadata.tables.values()
        if table not in mapped and _is_of_main_database(table)
    ]
    return tuple(sorted({*classes, *plain}, key=lambda model: (model.table.key, model.label)))


def _modules_below(folder: Path) -> Iterator[ModuleType]:
    is_below: dict[Path, bool] = {}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file:
            parent = Path(file).parent
            if parent not in is_below:
                path = parent.resolve()
                is_below[parent] = path.is_relative_to(folder) and INSTALLED.isdisjoint(path.parts)
            if is_below[parent]:
                yield module


def _registries(values: list[Any]) -> set[registry]:
    found: set[registry] = set()
    for value in values:
        # An application's proxies and settings may object to being looked at.
        with suppress(Exception):
            if isinstance(value, registry):
                found.add(value)
            elif isinstance(value, type):
                mapper: object = inspect(value, raiseerr=False)
                own = mapper.registry if isinstance(mapper, Mapper) else getattr(value, "registry", None)
                if isinstance(own, registry):
                    found.add(own)
            elif isinstance(getattr(value, "Model", None), type):  # Flask-SQLAlchemy's `db`
                found.add(value.Model.registry)
    return found


def _metadatas(values: list[Any]) -> set[MetaData]:
    found: set[MetaData] = set()
    for value in values:
        with suppress(Exception):
            if isinstance(value, MetaData):
                found.add(value)
            elif isinstance(getattr(value, "metadata", None), MetaData):
                found.add(value.metadata)
    return found


def _is_of_main_database(table: Table) -> bool:
    """Whether a table is in the database that is migrated, not in another one that Flask-SQLAlchemy binds."""
    return table.metadata.info.get("bind_key") is None
