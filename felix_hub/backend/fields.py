"""Reading typed values out of what a client sent, with all complaints collected for one answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from errors import InvalidInput

LARGEST_INTEGER = 2_147_483_647  # of an INTEGER column


class Fields:
    """Hands out the values of `source` by name and notes what is wrong with them.

    A value that is missing or bad comes back as the default; after the last one, call `raise_if_invalid`.
    """

    def __init__(self, source: Mapping[str, Any]) -> None:
        self._source = source
        self._problems: dict[str, str] = {}

    @classmethod
    def of_body(cls, body: object) -> Fields:
        """The fields of a JSON body; raises `InvalidInput` unless it is an object."""
        if not isinstance(body, Mapping):
            raise InvalidInput({"body": "must be a JSON object"})
        return cls(body)

    def raise_if_invalid(self) -> None:
        if self._problems:
            raise InvalidInput(self._problems)

    def reject(self, name: str, problem: str) -> None:
        """Note what is wrong with the field `name`."""
        self._problems[name] = problem

    def text(self, name: str, at_most: int, required: bool = False) -> str | None:
        """A string without outer spaces, of up to `at_most` characters; empty counts as missing."""
        value = self._source.get(name)
        problem = text_problem(value, at_most) if value is not None else None
        if problem:
            self.reject(name, problem)
            return None
        value = value.strip() if value else None
        if required and not value:
            self.reject(name, "is required")
        return value or None

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._source.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.reject(name, "must be true or false")
            return default
        return value

    def choice(
        self, name: str, allowed: Collection[str], default: str | None = None, required: bool = False
    ) -> str | None:
        value = self._source.get(name)
        if value is None and required:
            self.reject(name, "is required")
        if value is None:
            return default
        if value not in list(allowed):  # a list: it may be asked for a value that has no hash
            self.reject(name, f"must be one of: {', '.join(allowed)}")
            return default
        return str(value)

    def whole_number(
        self, name: str, default: int | None = None, at_most: int = LARGEST_INTEGER
    ) -> int | None:
        """A number from 1 to `at_most`, written in a query string."""
        value = self._source.get(name)
        if value is None:
            return default
        digits = str(value)
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 10 and 1 <= int(digits) <= at_most):
            self.reject(name, f"must be a number from 1 to {at_most}")
            return default
        return int(digits)

    def items(self, name: str) -> list[Any]:
        """A list with at least one entry, of any type; an empty one when it is missing or bad."""
        value = self._source.get(name)
        if value is None:
            self.reject(name, "is required")
        elif not isinstance(value, list) or not value:
            self.reject(name, "must be a list with at least one entry")
        else:
            return value
        return []


def text_problem(value: object, at_most: int) -> str | None:
    """Say why `value` can't go into a text column of `at_most` characters, or return None when it can."""
    if not isinstance(value, str):
        return "must be a text"
    if len(value.strip()) > at_most:
        return f"must have at most {at_most} characters"
    # JSON can spell both of these, and PostgreSQL can store neither.
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        return "holds a character that can't be stored"
    return None
