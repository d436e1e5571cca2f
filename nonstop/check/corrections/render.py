"""Writes migration files: the text of what a correction consists of."""

from __future__ import annotations

import ast
import builtins
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import indent, wrap

import sqlalchemy
from sqlalchemy.dialects import postgresql

from nonstop.check.corrections.access import Access

WIDTH = 100
LONGEST = 88
ENGINE = "the_engine_of_this_script"
"""Stands in code for the engine, however the script comes by it."""
CLAUSE = re.compile(r" (?:SELECT|FROM|WHERE|AND|ORDER BY) ")
BIND = re.compile(r"(?<![:\w\\]):(?=\w)")
"""What ``text()`` would take for a parameter."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One script before it is text.

    ``title`` and ``why`` are its docstring, with the paragraphs of ``notes``; ``apply`` and ``rollback`` are pieces of
    code, ``functions`` whole ones that they call. ``constants`` is what stands above: ``phase``, ``discards_data``.
    """

    title: str
    why: str
    apply: Sequence[str]
    rollback: Sequence[str]
    notes: Sequence[str] = ()
    constants: Sequence[str] = ()
    functions: Sequence[str] = ()


def written(draft: Draft, access: Access) -> str:
    """The whole file."""
    functions = [
        *draft.functions,
        _function("apply", draft.apply, access),
        _function("rollback", draft.rollback, access),
    ]
    body = "\n\n\n".join(functions)
    uses_engine = ENGINE in body
    body = body.replace(ENGINE, access.engine)
    head = _imports("\n".join([*draft.constants, body]), access.lines if uses_engine else ())
    paragraphs = [draft.title, draft.why, *draft.notes]
    docstring = "\n\n".join("\n".join(wrap(paragraph, WIDTH)) for paragraph in paragraphs if paragraph)
    docstring = docstring.replace("\\", "\\\\").replace('"""', "'''")
    parts = [f'"""\n{docstring}\n"""', head, "\n".join(draft.constants)]
    return "\n\n".join(filter(None, parts)) + "\n\n\n" + body + "\n"


def _function(name: str, code: Sequence[str], access: Access) -> str:
    lines = "\n".join(code) or "return True"
    called = set(re.findall(r"^\s*(\w+)\(\)", lines, re.MULTILINE))
    if access.context and (ENGINE in lines or called):
        lines = f"with {access.context}:\n" + indent(lines, "    ")
    return f"def {name}():\n" + indent(lines, "    ")


def _imports(code: str, lines: Sequence[str]) -> str:
    """The imports that ``code`` needs, and ``lines``, in the usual order."""
    tree = ast.parse("\n".join([*lines, code]))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    bound = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    bound |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    open_names = used - bound - set(dir(builtins)) - {"__file__"}
    ours = [name for name in open_names if hasattr(sqlalchemy, name)]
    theirs = [name for name in open_names if name not in ours and hasattr(postgresql, name)]
    from_lines = [line for line in lines if line.startswith("from sqlalchemy import")]
    ours += [name.strip() for line in from_lines for name in line.partition(" import ")[2].split(",")]
    libraries = [
        _from("sqlalchemy", ours),
        _from("sqlalchemy.dialects", ["postgresql"] if "postgresql" in open_names else []),
        _from("sqlalchemy.dialects.postgresql", theirs),
    ]
    rest = [line for line in lines if line not in from_lines]
    standard = [line for line in rest if re.fullmatch(r"import (os|sys)", line)]
    path = [line for line in rest if line.startswith("sys.path")]
    application = [line for line in rest if re.match(r"(from|import)\b", line) and line not in standard]
    others = [line for line in rest if line not in (*standard, *path, *application)]
    nonstop = ["from nonstop import op"] if "op" in open_names else []
    if not path:
        standard = [line for line in standard if line.split()[1] in used]
    groups = [standard, path, libraries, [*application, *nonstop], others]
    return "\n\n".join("\n".join(filter(None, group)) for group in groups if any(group))


def _from(module: str, names: Sequence[str]) -> str:
    """An import, its names in the order of formatters: constants, classes, functions."""

    def order(name: str) -> tuple[int, str]:
        return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2, name)

    listed = sorted(set(names), key=order)
    line = f"from {module} import {', '.join(listed)}"
    if len(line) > WIDTH:
        line = f"from {module} import (\n" + "".join(f"    {name},\n" for name in listed) + ")"
    return line if names else ""


# --- pieces of code ------------------------------------------------------------------------------------------


def call(function: str, *arguments: str) -> str:
    """A call, on one line where it fits; empty arguments are left out."""
    given = [argument for argument in arguments if argument]
    line = f"{function}({', '.join(given)})"
    if "\n" not in line and (len(line) <= WIDTH or len(given) == 1):
        return line
    return f"{function}(\n" + "".join(indent(argument, "    ") + ",\n" for argument in given) + ")"


def literal(text: str) -> str:
    """A string in double quotes, if they need no backslash."""
    if len(text) <= LONGEST and '"' in text and "'" not in text and "\\" not in text and text.isprintable():
        return f"'{text}'"
    if len(text) > LONGEST:
        return "\n".join(map(on_one_line, _pieces(text)))
    return on_one_line(text)


def on_one_line(text: str) -> str:
    """A string however long it is: outside brackets a second line would be another statement."""
    return json.dumps(text, ensure_ascii=False)


def _pieces(text: str) -> list[str]:
    """A long text in pieces that fit into a line, each with the space that it begins with; best before a clause."""
    pieces, rest = [], text
    while len(rest) > LONGEST:
        clauses = [match.start() for match in CLAUSE.finditer(rest, LONGEST // 4, LONGEST)]
        end = clauses[-1] if clauses else rest.rfind(" ", 1, LONGEST)
        if end < 0:
            break
        pieces.append(rest[:end])
        rest = rest[end:]
    return [*pieces, rest]


def as_text(sql: str) -> str:
    """SQL as SQLAlchemy's ``text()``; what looks like a parameter in it is none."""
    return call("text", literal(escaped(sql)))


def escaped(sql: str) -> str:
    return BIND.sub(r"\\:", sql)


def names(columns: Sequence[str]) -> str:
    """A list of names."""
    return f"[{', '.join(map(literal, columns))}]"


def option(name: str, value: str | None) -> str:
    """A keyword argument that is a string; empty where there is no value."""
    return f"{name}={literal(value)}" if value else ""


def slug(words: str) -> str:
    """Words as a part of a file name, or the name of a function."""
    return re.sub(r"\W+", "_", words.lower(), flags=re.ASCII).strip("_")[:60].rstrip("_")
