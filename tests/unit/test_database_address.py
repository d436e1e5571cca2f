"""Addresses: read as SQLAlchemy reads them, shown without what is secret."""

from __future__ import annotations

import json
import sys
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import make_url

from nonstop.databases import open_database
from nonstop.databases.postgresql import PostgreSQL
from nonstop.databases.sqlite import SQLite
from nonstop.databases.url import DatabaseUrl, hide_credentials
from nonstop.errors import UsageError

SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r"), min_size=1)
NAMES = st.from_regex(r"[a-z][a-z0-9_.-]{0,10}", fullmatch=True)


@pytest.mark.parametrize(
    "address",
    [
        "sqlite://",
        "sqlite:///database.db",
        "sqlite:////var/lib/felix hub.db",
        "sqlite:///file:database.db?mode=ro&uri=true",
        "postgresql://localhost/felix_hub",
        "postgresql://localhost:5433/felix_hub",
        "postgresql:///felix_hub",
        "postgresql://user@/felix_hub?host=/var/run/postgresql",
        "postgresql://user:pass@localhost:5432/felix_hub",
        "postgresql+psycopg://user:@localhost/felix_hub",
        "postgresql+psycopg2://us%40er:p%3Ass@db.example/felix_hub?sslmode=require&connect_timeout=3",
        "postgresql://[::1]:5432/felix_hub",
        "postgresql://user:pa:ss%2Fword@localhost/felix_hub",
        "postgresql://h1:1/felix_hub?host=h2&host=h3",
    ],
)
def test_an_address_means_the_same_to_sqlalchemy(address: str) -> None:
    ours, theirs = DatabaseUrl.parse(address), make_url(address)
    assert ours.dialect == theirs.get_backend_name()
    assert ours.driver == (theirs.drivername.partition("+")[2])
    assert (ours.username, ours.password) == (theirs.username or "", theirs.password or "")
    assert (ours.host, ours.port, ours.database) == (theirs.host or "", theirs.port, theirs.database or "")
    query: dict[str, list[str]] = {}
    for key, value in ours.query:
        query.setdefault(key, []).append(value)
    assert query == {key: list(values) for key, values in theirs.normalized_query.items()}


@given(user=SECRETS, password=SECRETS, host=NAMES, port=st.integers(1, 65535) | st.none(), database=NAMES)
@example("o@lga", "100%", "h", None, "d")
@example("ольга", "p@ss:wörd/☃?#[]", "h", 5432, "d")
@example("a b", "a+b c%20", "h", None, "d")
def test_every_quoted_password_is_read_back(
    user: str, password: str, host: str, port: int | None, database: str
) -> None:
    address = f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{host}{f':{port}' if port else ''}/{database}"
    ours, theirs = DatabaseUrl.parse(address), make_url(address)
    assert (ours.username, ours.password) == (user, password) == (theirs.username, theirs.password)
    assert (ours.host, ours.port, ours.database) == (theirs.host, theirs.port, theirs.database)


def test_postgres_is_postgresql() -> None:
    assert DatabaseUrl.parse("postgres://h/d").dialect == "postgresql"


@pytest.mark.parametrize("text", ["", "felix.db", "postgresql:/h/d", "://x", "/var/lib/felix.db"])
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="not a database URL") as caught:
        DatabaseUrl.parse(text)
    assert "sqlite:///file.db" in caught.value.next_step


@pytest.mark.parametrize(
    "address",
    ["postgresql://u:p@ss:secret@h/d", "postgresql://u:secret@h:port/d", "postgresql://u:p@x/secret@h/d"],
)
def test_an_unquoted_password_that_looks_like_a_port_is_explained_and_not_repeated(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        DatabaseUrl.parse(address)
    told = caught.value.message + caught.value.next_step
    assert "%2F" in told
    assert "secret" not in told


def test_what_is_no_address_is_not_repeated_with_its_password() -> None:
    with pytest.raises(UsageError) as caught:
        DatabaseUrl.parse("post-gresql://user:hunter2@host/d")
    assert "hunter2" not in caught.value.message


# --- opening --------------------------------------------------------------------------------------


def test_the_scheme_chooses_the_database() -> None:
    assert isinstance(open_database("sqlite:///x.db"), SQLite)
    assert isinstance(open_database("postgres://h/d"), PostgreSQL)
    assert isinstance(open_database("postgresql+psycopg2://h/d"), PostgreSQL)


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(UsageError, match="databases of the kind 'mysql'"):
        open_database("mysql://user:secret@h/d")


@pytest.mark.parametrize(
    "address", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"]
)
def test_a_database_in_memory_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="in memory"):
        open_database(address)


# --- hiding ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql+psycopg://u:secret@h:5433/d?sslmode=require", "postgresql://u@h:5433/d"),
        ("postgres://h/d", "postgresql://h/d"),
        ("sqlite:////var/felix.db", "sqlite:////var/felix.db"),
    ],
)
def test_an_address_is_shown_without_password_and_options(address: str, shown: str) -> None:
    assert DatabaseUrl.parse(address).display == shown
    assert "secret" not in repr(DatabaseUrl.parse(address))


@given(SECRETS.filter(lambda secret: len(secret) > 3))
@example("p%40ss")
@example("☃ и ö\"'\\")
def test_no_spelling_of_the_password_survives(password: str) -> None:
    address = DatabaseUrl.parse(f"postgresql://u:{quote(password, safe='')}@host/base")
    escaped = json.dumps(password)[1:-1]
    for spelling in (password, quote(password), quote(password, safe=""), quote_plus(password), escaped):
        if spelling not in "postgresql u host base <>***":
            assert spelling not in address.redact(f"<{spelling}>")


def test_a_password_among_the_options_is_hidden_too() -> None:
    address = DatabaseUrl.parse("postgresql://h/d?password=hunter2&sslpassword=hunter3")
    assert address.redact("hunter2 hunter3") == "*** ***"


def test_a_password_that_is_also_a_name_leaves_the_name_readable() -> None:
    address = DatabaseUrl.parse("postgresql://felix:felix@h/felix_hub")
    assert (
        address.redact("felix_hub at postgresql://felix:felix@h") == "felix_hub at postgresql://felix:***@h"
    )


def test_credentials_of_any_address_in_a_text_are_hidden() -> None:
    text = "tried postgresql://u:one@h/d and redis://:two@cache, then https://example.org/a:b@c"
    assert hide_credentials(text) == (
        "tried postgresql://u:***@h/d and redis://:***@cache, then https://example.org/a:b@c"
    )


def test_without_its_driver_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match="psycopg is not installed") as caught:
        open_database("postgresql://nowhere/none").connect()
    assert caught.value.next_step == "install it: pip install 'nonstop[postgresql]'"
