"""Felix Hub's settings, read from the environment.

Nothing here imports Flask or SQLAlchemy: the migration runner uses this file too, and it has to start fast.
`resolve_database_url` is the one place that says which database a `DATABASE_URL` means, for the application and
for the runner alike.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

BACKEND = Path(__file__).resolve().parent
INSTANCE = BACKEND / "instance"
MIGRATIONS = BACKEND / "migrations"
ENVIRONMENT_FILE = BACKEND / ".env"

DEFAULT_DATABASE_FILE = "felix_hub.db"
DEVELOPMENT_SECRET_KEY = "for development only"

# Any other name (also a misspelt one, such as "prod") counts as production: the mistake is then noticed at once.
DEVELOPMENT_NAMES = frozenset({"", "development", "testing"})


class ConfigurationError(Exception):
    """The environment lacks something that the application needs; the message says what to set."""


@dataclass(frozen=True)
class Settings:
    """What the application takes from the environment. The fields that may hold a password stay out of `repr`."""

    database_url: str = field(repr=False)
    secret_key: str | None = field(repr=False)
    production: bool

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the settings. Never fails for a missing `SECRET_KEY`: migrations and `status` don't need one."""
        environment = load_environment()
        production = environment_name(environment) not in DEVELOPMENT_NAMES
        return cls(
            database_url=resolve_database_url(environment.get("DATABASE_URL")),
            secret_key=environment.get("SECRET_KEY") or (None if production else DEVELOPMENT_SECRET_KEY),
            production=production,
        )

    def require_secret_key(self) -> None:
        """Raise `ConfigurationError` when requests are to be served in production without a key of one's own."""
        if self.production and self.secret_key in (None, DEVELOPMENT_SECRET_KEY):
            raise ConfigurationError(
                "SECRET_KEY is not set, and Felix Hub serves nothing in production without one. Set it to a long random "
                'string, for example the output of: python -c "import secrets; print(secrets.token_hex(32))"'
            )


def load_environment() -> Mapping[str, str]:
    """The environment, with what `.env` beside this file adds to it. The real environment wins."""
    if not ENVIRONMENT_FILE.is_file():
        return dict(os.environ)
    from dotenv import dotenv_values  # only where there is a file to read

    from_file = {name: value for name, value in dotenv_values(ENVIRONMENT_FILE).items() if value is not None}
    return {**from_file, **os.environ}


def environment_name(environment: Mapping[str, str]) -> str:
    """`FELIX_ENV`, or else `FLASK_ENV`, in lower case; empty when neither is set, which means development."""
    return (environment.get("FELIX_ENV") or environment.get("FLASK_ENV") or "").strip().lower()


def database_url() -> str:
    """The URL of the database that the environment names."""
    return resolve_database_url(load_environment().get("DATABASE_URL"))


def resolve_database_url(url: str | None) -> str:
    """Return the URL that SQLAlchemy is to be given.

    * nothing (or an empty string) is the SQLite file `instance/felix_hub.db`, whatever the working directory;
    * `postgres://` and `postgresql://` get the driver that we use, psycopg 3; a URL that names a driver keeps it;
    * a relative SQLite path is taken from `instance/`, where Flask-SQLAlchemy looks for it too;
    * absolute paths, SQLite in memory and everything else stay as they are.
    """
    if url is None or not url.strip():
        return f"sqlite:///{(INSTANCE / DEFAULT_DATABASE_FILE).as_posix()}"
    url = url.strip()
    scheme, _, rest = url.partition("://")
    if scheme in ("postgres", "postgresql"):
        return f"postgresql+psycopg://{rest}"
    if scheme in ("sqlite", "sqlite+pysqlite") and rest.startswith("/"):
        return f"{scheme}:///{_absolute_sqlite_path(rest.removeprefix('/'))}"
    return url


def _absolute_sqlite_path(path_and_query: str) -> str:
    path, question_mark, query = path_and_query.partition("?")
    # sqlite:///file:name.db?mode=ro&uri=true is SQLite's own way to name a file with options.
    prefix = "file:" if path.startswith("file:") and "uri=" in query else ""
    name = path.removeprefix(prefix)
    in_memory = name in ("", ":memory:") or "mode=memory" in query
    if in_memory or Path(name).is_absolute():
        return path_and_query
    return f"{prefix}{(INSTANCE / name).as_posix()}{question_mark}{query}"
