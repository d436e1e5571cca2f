"""Migration files: find them, read them, judge them without running them, and load one that is to run.

Only :func:`load` executes code. Everything else works on text, so that ``status`` stays fast and one broken
file is one row with its error, never the end of a command.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import sys
from codecs import BOM_UTF8
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

from nonstop.descriptions.scripts import Edit, Problem, Script, ScriptFolder
from nonstop.errors import NonstopError, UsageError, ValidationError

FILE_NAME = re.compile(r"(?P<digits>\d+)_(?P<name>\w+)\.py", re.ASCII)
CHUNK = 1 << 16
"""So many bytes of a script are read at once; fewer than that are its end."""


def find(folder: Path) -> ScriptFolder:
    """All numbered scripts of ``folder`` in order of number, with what is wrong with their names.

    Raises UsageError where the folder does not exist or can't be read.
    """
    try:
        with os.scandir(folder) as entries:
            names = sorted(
                entry.name for entry in entries if entry.name[0].isdigit() and entry.name.endswith(".py")
            )
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(
            f"no migrations folder at {folder}", next_step="name it with --dir, or make the folder"
        ) from error
    except PermissionError as error:
        raise UsageError(
            f"the migrations folder {folder} can't be read", next_step="check its permissions"
        ) from error

    scripts: list[Script] = []
    problems: list[Problem] = []
    for name in names:
        match = FILE_NAME.fullmatch(name)
        if match is None:
            problems.append(
                Problem(None, f"{name}: not a migration name", "name it like 003_add_a_column.py")
            )
            continue
        try:
            scripts.append(read(folder / name))
        except ValidationError as error:
            problems.append(Problem(int(match["digits"]), error.message, error.next_step))
    scripts.sort(key=lambda script: (script.number, script.name))
    problems.extend(_duplicates(scripts))
    return ScriptFolder(folder, tuple(scripts), tuple(problems))


def _duplicates(scripts: list[Script]) -> list[Problem]:
    """One problem for each number that two files carry, naming both."""
    problems = []
    for first, second in pairwise(scripts):
        if first.number == second.number:
            message = f"two scripts have the number {first.number}: {first.path.name} and {second.path.name}"
            problems.append(
                Problem(
                    first.number, message, f"give the newer one the next number: renumber {second.path.name}"
                )
            )
    return problems


def read(path: Path) -> Script:
    """The script in the file at ``path``; its name must match ``NNN_name.py``.

    Raises ValidationError where it is not UTF-8 or can't be opened.
    """
    match = FILE_NAME.fullmatch(path.name)
    if match is None:
        raise UsageError(f"{path.name}: not a migration name", next_step="name it like 003_add_a_column.py")
    try:
        text = normalise(_content(path))
    except UnicodeDecodeError as error:
        raise ValidationError(
            f"{path.name}: not UTF-8 text (byte {error.start})", next_step="save the file as UTF-8"
        ) from error
    except OSError as error:
        raise ValidationError(
            f"{path.name}: {error.strerror or error}", next_step="check that the file can be read"
        ) from error
    return Script(int(match["digits"]), match["digits"], match["name"], path, text, checksum(text))


def _content(path: Path) -> bytes:
    # A status reads ten thousand of these: three calls to the system for each, where open() makes eight.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        content = b""
        while len(chunk := os.read(descriptor, CHUNK)) == CHUNK:
            content += chunk
        return content + chunk
    finally:
        os.close(descriptor)


def normalise(content: bytes) -> str:
    """The text that checksums are taken of: no BOM, LF only, no trailing space, one newline at the end."""
    text = content.removeprefix(BOM_UTF8).decode()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if " \n" in text or "\t\n" in text or text[-1:] in " \t":
        text = "\n".join(line.rstrip() for line in text.split("\n"))
    return text.rstrip("\n") + "\n"


def checksum(text: str) -> str:
    """The checksum of normalised text, prefixed with its algorithm so that it can change one day."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def parse(script: Script) -> ast.Module:
    """The syntax tree. Raises ValidationError with the line where it is not Python."""
    try:
        return ast.parse(script.text, filename=str(script.path))
    except (SyntaxError, ValueError) as error:
        position = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ValidationError(
            f"{script.path.name}{position}: syntax error: {reason}",
            next_step="correct the file, then run again",
        ) from error


@cache  # asked before the lock and under it
def examine(script: Script) -> Problem | None:
    """What keeps a script from running, seen without running it: a syntax error, no ``apply``, no reason given."""
    try:
        tree = parse(script)
        discards_data(script)
    except ValidationError as error:
        return Problem(script.number, error.message, error.next_step)
    if "apply" not in _names_bound_in(tree):
        return Problem(
            script.number,
            f"{script.path.name}: has no apply() function",
            "define apply(), and rollback() if there is a way back",
        )
    return None


def can_roll_back(script: Script) -> bool:
    """Whether the script has a ``rollback``, seen without running it."""
    return "rollback" in _names_bound_in(parse(script))


def _names_bound_in(tree: ast.Module) -> set[str]:
    """The names that a module binds at its top level. A star import may bind anything, so it counts as both."""
    names: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    names |= {"apply", "rollback"} if alias.name == "*" else {alias.asname or alias.name}
            case ast.Assign() | ast.AnnAssign():
                names |= _assigned_by(node)
            case ast.If() | ast.Try() | ast.With():
                inside = ast.walk(node)
                names |= {
                    one.name for one in inside if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
                }
    return names


def _assigned_by(node: ast.stmt) -> set[str]:
    """The plain names that a statement such as ``x = 1`` or ``x: int = 1`` gives a value; empty for any other."""
    targets = (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target]
        if isinstance(node, ast.AnnAssign)
        else []
    )
    return {target.id for target in targets if isinstance(target, ast.Name)}


def depends_on(script: Script) -> tuple[int, ...]:
    """The numbers in the script's ``depends_on = [1, 2]``, read without running it.

    Raises ValidationError where it is something else than a list of numbers.
    """
    if "depends_on" not in script.text:
        return ()
    for node in parse(script).body:
        if "depends_on" in _assigned_by(node):
            try:
                return tuple(int(number) for number in ast.literal_eval(node.value))  # type: ignore[attr-defined]
            except (ValueError, TypeError) as error:
                raise ValidationError(
                    f"{script.path.name}:{node.lineno}: depends_on is not a list of numbers",
                    next_step="write it like depends_on = [1, 2]",
                ) from error
    return ()


def discards_data(script: Script) -> str | None:
    """Why the script may lose data: its ``discards_data = "why"``, read without running it; None without one.

    Raises ValidationError where it is something else than a text, or an empty one.
    """
    for value in _values_of(script, "discards_data"):
        match value:
            case ast.Constant(value=str(reason)) if reason.strip():
                return " ".join(reason.split())
        raise ValidationError(
            f"{script.path.name}:{value.lineno if value else 0}: discards_data does not say why",
            next_step='write it like discards_data = "nobody has read this column since release 12"',
        )
    return None


def is_contract(script: Script) -> bool:
    """Whether the script says that it takes away what no running code needs: ``phase = "contract"``."""
    return any(getattr(value, "value", None) == "contract" for value in _values_of(script, "phase"))


def _values_of(script: Script, name: str) -> list[ast.expr | None]:
    """What the script's top level assigns to ``name``, as syntax."""
    if name not in script.text:
        return []
    return [getattr(node, "value", None) for node in parse(script).body if name in _assigned_by(node)]


def compare(applied_text: str, text: str) -> Edit:
    """Whether the edit between two sources changes the program, or only how it reads."""
    try:
        return Edit.COSMETIC if _essence(applied_text) == _essence(text) else Edit.REAL
    except (SyntaxError, ValueError):  # ValueError: a null byte
        return Edit.REAL


def _essence(text: str) -> str:
    """The program without docstrings, comments and positions. Comparable under one interpreter only."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and (
            ast.get_docstring(node, clean=False) is not None
        ):
            del node.body[0]
    return ast.dump(tree)


def load(script: Script) -> ModuleType:
    """Execute the file as a module and return it.

    The text that was read is compiled, so that no stale byte code can stand in for it. Errors of the
    file's own are wrapped in ValidationError with the position; BaseExceptions pass.
    """
    name = f"nonstop_migration_{script.label}"
    module = ModuleType(name)
    module.__file__ = str(script.path)
    sys.modules[name] = module
    folder = str(script.path.parent)
    sys.path.insert(0, folder)  # as `python 001_x.py` would have it
    try:
        exec(compile(script.text, str(script.path), "exec"), module.__dict__)
    except NonstopError:
        raise
    except Exception as error:
        raise ValidationError(
            f"{script.path.name}: can't be loaded: {type(error).__name__}: {error}",
            details=_position(error, script.path),
            next_step="correct the file, or install what it imports, then run again",
        ) from error
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
    return module


def _position(error: BaseException, path: Path) -> tuple[str, ...]:
    traceback, line = error.__traceback__, 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return (f"at {path}:{line}",) if line else ()


def function(module: ModuleType, name: str) -> Callable[[], Any]:
    """The script's ``apply`` or ``rollback``. Raises ValidationError where it is absent or not callable."""
    found = getattr(module, name, None)
    if not callable(found):
        raise ValidationError(
            f"{Path(module.__file__ or '').name}: has no {name}() function",
            next_step=f"define {name}()",
        )
    return found  # type: ignore[no-any-return]
