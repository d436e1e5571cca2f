"""Databases and roles of one test, made on the test server and gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import Engine, create_engine

from tests.support import database_pool
from tests.support.postgres_server import PASSWORD_GROUP


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """An empty PostgreSQL database: yields its URL; at the end it is emptied or dropped, whoever is still connected."""
    url = database_pool.acquire(server_url)
    try:
        yield url
    finally:
        database_pool.release(server_url, url)


@contextmanager
def fresh_role(database_url: str, options: str = "", password: str | None = None) -> Iterator[str]:
    """A role that can log in and owns nothing: yields the database's URL for it.

    With a ``password`` the server asks for it, over TCP. ``options`` are those of CREATE ROLE. What the role owns in
    this database goes with it.
    """
    name = f"role_{uuid4().hex[:12]}"
    role, group = sql.Identifier(name), sql.Identifier(PASSWORD_GROUP)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN " + options).format(role))
        if password is not None:
            _make_group(connection)
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(password)))
            connection.execute(sql.SQL("GRANT {} TO {}").format(group, role))
    try:
        yield with_user(database_url, name, password)
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [name]
            )
            connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(role))
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


def with_user(url: str, name: str, password: str | None = None) -> str:
    """The URL of the same database for another role; the password is percent-encoded."""
    parts = urlsplit(url)
    secret = "" if password is None else ":" + quote(password, safe="")
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{name}{secret}@{address}"))


def engine_for(url: str) -> Engine:
    """An SQLAlchemy engine for a URL as users write it; the tests look at a database with it, from outside."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            url = "postgresql+psycopg://" + url.removeprefix(scheme)
    return create_engine(url)


def _make_group(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    # A server of ours has the group from the start; one that was given gets it here, by whichever worker is first.
    try:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(PASSWORD_GROUP)))
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        return
