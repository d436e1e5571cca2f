"""Nonstop's own rows are written and read with its own role, encoding and date style, whatever a script or the database has set."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager

from nonstop.databases.base import DBAPIConnection

OURS = {"DateStyle": "ISO, MDY", "IntervalStyle": "postgres", "client_encoding": "UTF8"}
"""Settings that the server reports to its clients (manual, "Asynchronous Operations"): to look at them costs nothing."""


def set_ours(connection: DBAPIConnection) -> None:
    """Give a new psycopg connection of ours the settings that it needs, outside any transaction."""
    for name, value in OURS.items():
        if connection.info.parameter_status(name) != value:
            connection.pgconn.exec_(f"SET {name} = '{value}'".encode())


@contextmanager
def own_settings(connection: DBAPIConnection) -> Iterator[None]:
    """In the block the open transaction has the role that logged in, and an encoding that takes every character."""
    cursor = connection.cursor()
    cursor.execute("SELECT session_user, current_setting('role')")
    session_user, role = cursor.fetchone()
    encoding = connection.info.parameter_status("client_encoding")
    is_other_user = session_user != connection.info.user
    if is_other_user:
        cursor.execute("SET LOCAL SESSION AUTHORIZATION DEFAULT")
    if is_other_user or role != "none":
        cursor.execute("SET LOCAL ROLE NONE")
    if encoding != OURS["client_encoding"]:
        _set(connection, "client_encoding", OURS["client_encoding"])
    yield
    if encoding != OURS["client_encoding"]:
        _set(connection, "client_encoding", encoding)
    if is_other_user:
        _set(connection, "session_authorization", session_user)
    if is_other_user or role != "none":
        _set(connection, "role", role)


def storable(connection: DBAPIConnection, text: str) -> str:
    r"""``text`` with characters that the database can't store written as ``\u20ac``."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding in ("UTF8", "SQL_ASCII"):
        return text
    try:
        codec = codecs.lookup(encoding.replace("WIN", "cp")).name
    except LookupError:
        codec = "ascii"
    return text.encode(codec, "backslashreplace").decode(codec)


def _set(connection: DBAPIConnection, name: str, value: str) -> None:
    connection.cursor().execute("SELECT set_config(%s, %s, true)", (name, value))
