"""Column types as a migration file writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import NullType

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

POSITIONAL = ("length", "precision", "scale")
KEYWORDS = ("timezone", "collation")


def as_sql(type_: TypeEngine[Any], dialect: Dialect) -> str:
    """A reflected type as it stands in SQL; empty for one that SQLAlchemy does not know."""
    return "" if isinstance(type_, NullType) else str(type_.compile(dialect=dialect))


def as_python(type_: TypeEngine[Any], dialect: Dialect) -> str:
    """A reflected type as an expression: ``String(20)``, ``JSONB``; empty for one that SQLAlchemy does not know.

    Names that every database has are preferred, as long as this one makes the same type of them.
    """
    if isinstance(type_, NullType):
        return ""
    generic = _generic(type_)
    if generic is not None and as_sql(generic, dialect) == as_sql(type_, dialect):
        return _written(generic, dialect)
    return _written(type_, dialect)


def _generic(type_: TypeEngine[Any]) -> TypeEngine[Any] | None:
    if isinstance(type_, postgresql.ENUM):
        return None  # the general one makes a type of its own
    try:
        return type_.as_generic()
    except NotImplementedError:
        return None


def _written(type_: Any, dialect: Dialect) -> str:
    name = _name(type(type_))
    match type_:
        case postgresql.ENUM():
            values = ", ".join(json.dumps(value, ensure_ascii=False) for value in type_.enums)
            schema = f', schema="{type_.schema}"' if type_.schema else ""
            return f'{name}({values}, name="{type_.name}"{schema}, create_type=False)'
        case postgresql.DOMAIN():
            return f'{name}("{type_.name}", {as_python(type_.data_type, dialect)}, create_type=False)'
        case sqlalchemy.ARRAY():
            return f"ARRAY({as_python(type_.item_type, dialect)})"
    if _is_enough(type(type_), as_sql(type_, dialect), dialect):
        return name
    arguments = _arguments(type_)
    return f"{name}({', '.join(arguments)})" if arguments else name


def _is_enough(kind: type[Any], sql: str, dialect: Dialect) -> bool:
    """Whether the type without arguments is the same one."""
    try:
        return as_sql(kind(), dialect) == sql
    except TypeError:
        return False


def _arguments(type_: Any) -> list[str]:
    in_order = isinstance(type_, sqlalchemy.String | sqlalchemy.Numeric)
    values = [(name, getattr(type_, name, None)) for name in (*POSITIONAL, *KEYWORDS)]
    return [
        str(value)
        if in_order and name in POSITIONAL
        else f"{name}={json.dumps(value)}".replace("true", "True")
        for name, value in values
        if value is not None and value is not False
    ]


def _name(kind: type[Any]) -> str:
    """The name to import it by; qualified where SQLAlchemy has another type of that name for all databases."""
    general = getattr(sqlalchemy, kind.__name__, kind)
    return kind.__name__ if general is kind else f"postgresql.{kind.__name__}"
