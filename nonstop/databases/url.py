"""Database addresses, read without SQLAlchemy (whose import takes longer than a whole ``status``)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import parse_qsl, quote, quote_plus, unquote

from nonstop.errors import UsageError

# The same shape that SQLAlchemy reads, so that an address means the same to both; but no host has an '@' in it:
# what stands before the last one is a password that was not quoted, and must not be taken for a name to show.
URL = re.compile(
    r"(?P<dialect>[\w]+)(?:\+(?P<driver>\w+))?://"
    r"(?:(?P<username>[^:/?#]*)(?::(?P<password>[^@]*))?@)?"
    r"(?:\[(?P<ipv6>[^/?]+)\]|(?P<host>[^/:?@]+))?(?::(?P<port>[^/?]*))?"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?",
    re.DOTALL,
)
# Up to the last '@', for it may stand in the password too. Our own example of an address stays readable.
CREDENTIALS_IN_URL = re.compile(r"(?P<before>\b\w+://[^\s:/@]*:)(?!password@)\S+(?=@)")
# What stands behind the word in SQL (CREATE ROLE, a user mapping), in a conninfo string, in a dictionary that is shown.
PASSWORD_IN_TEXT = re.compile(
    r"""(?P<before>\bpassword\b["']?\s*(?:=>|:=|=|:)?\s*)
        (?: (?P<quote>'|(?<=[:=]\s)"|(?<=[:=])") (?:(?!(?P=quote)).|(?P=quote){2})+ (?P=quote)
          | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
          | (?<==)[^\s'",;)]+ )""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
HOW_TO_WRITE_IT = (
    "write it like postgresql://user:password@host:5432/name or sqlite:///file.db;"
    " a '/', '@' or ':' in the password is written %2F, %40 or %3A"
)
SHORTEST_SECRET = 3
"""To hide every "a" would leave nothing to read; in addresses even such a password is hidden."""


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """An address in parts, percent-decoded. ``text`` is what was given, with the password: never show it."""

    text: str = field(repr=False)
    dialect: str
    driver: str
    username: str
    password: str = field(repr=False)
    host: str
    port: int | None
    database: str
    query: tuple[tuple[str, str], ...] = field(repr=False, default=())

    @classmethod
    def parse(cls, text: str) -> DatabaseUrl:
        """Read an address. Raises UsageError, without repeating a password, where it is none."""
        match = URL.fullmatch(text.strip())
        if match is None:
            # What is no address may still hold a password, at a place that nobody knows.
            shown = "" if set("@=") & set(text) else f": {text!r}"
            raise UsageError(f"not a database URL{shown}", next_step=HOW_TO_WRITE_IT)
        parts = {name: value or "" for name, value in match.groupdict().items()}
        if parts["port"] and not parts["port"].isdigit():
            raise UsageError("the port in the database URL is not a number", next_step=HOW_TO_WRITE_IT)
        if parts["password"] and "@" in parts["host"] + parts["database"]:
            raise UsageError("the password in the database URL is not quoted", next_step=HOW_TO_WRITE_IT)
        return cls(
            text.strip(),
            "postgresql" if parts["dialect"] == "postgres" else parts["dialect"],
            parts["driver"],
            unquote(parts["username"]),
            unquote(parts["password"]),
            unquote(parts["ipv6"] or parts["host"]),
            int(parts["port"]) if parts["port"] else None,
            parts["database"],
            tuple(parse_qsl(parts["query"])),
        )

    @property
    def display(self) -> str:
        """The address for people: no password, no options."""
        user = f"{self.username}@" if self.username else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.dialect}://{user}{self.host}{port}/{self.database}"

    def redact(self, text: str) -> str:
        """``text`` with the password replaced by ``***``, in whichever spelling it occurs."""
        text = hide_credentials(text)
        for secret in self._secrets():
            text = _whole(secret).sub("***", text)
        return text

    def _secrets(self) -> list[str]:
        # A password that is also the name of something we print can't be hidden without hiding that name.
        public = f"{self.dialect} {self.username} {self.host} {self.database}"
        given = {self.password, *(value for key, value in self.query if "password" in key)}
        hidden = [
            password for password in given if len(password) >= SHORTEST_SECRET and password not in public
        ]
        return sorted(
            {spelling for password in hidden for spelling in _spellings(password)}, key=len, reverse=True
        )


def _spellings(password: str) -> set[str]:
    """The password as it stands in text, in addresses (each library quotes in its own way), in Python and in JSON."""
    import json

    doubled = password.replace("\\", "\\\\")
    in_python = {doubled, doubled.replace("'", "\\'"), doubled.replace('"', '\\"')}
    in_addresses = {
        quote(password),
        quote_plus(password),
        *(quote(password, safe=safe) for safe in ("", " +")),
    }
    return {password, json.dumps(password)[1:-1], *in_python, *in_addresses}


def hide_credentials(text: str) -> str:
    """``text`` with the password of every address and SQL statement in it replaced by ``***``."""
    return PASSWORD_IN_TEXT.sub(_masked, CREDENTIALS_IN_URL.sub(r"\g<before>***", text))


def _masked(found: re.Match[str]) -> str:
    quote_mark = found["quote"] or ""
    return f"{found['before']}{quote_mark}***{quote_mark}"


@cache
def _whole(secret: str) -> re.Pattern[str]:
    """``secret`` where it stands alone: in the middle of a word it is none."""
    before = r"(?<!\w)" if re.match(r"\w", secret[0]) else ""
    behind = r"(?!\w)" if re.match(r"\w", secret[-1]) else ""
    return re.compile(before + re.escape(secret) + behind)
