"""The copy of a script in the ledger has no secrets in it, and is the same program otherwise."""

from __future__ import annotations

import ast

import pytest

from nonstop.databases.source_secrets import masked_source
from nonstop.databases.url import DatabaseUrl

REDACT = DatabaseUrl.parse("postgresql://app:geheim@h/d").redact


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("password = 'other'", "password = '***'"),
        ("DB_PASSWORD: str = 'x'\nconnect(passwd=\"other\", user='u')", "DB_PASSWORD: str = '***'\nconnect(passwd=\"***\", user='u')"),
        ("settings = {'password': 'other', 'user': 'u'}", "settings = {'password': '***', 'user': 'u'}"),
        ("url = 'postgresql://u:other@h/d'", "url = 'postgresql://u:***@h/d'"),
        ("text('''ALTER ROLE u\n PASSWORD 'other' ''')  # why", "text('''ALTER ROLE u\n PASSWORD '***' ''')  # why"),
        ("print('it is geheim')", "print('it is ***')"),
        ("é = 'ü'; password = rb'other'; x = 1", "é = 'ü'; password = rb'***'; x = 1"),
        ("password = getpass()", "password = getpass()"),
        ("password == 'x' or f'{password}'", "password == 'x' or f'{password}'"),
        ("op.add_column('users', Column('password', String(20)))", "op.add_column('users', Column('password', String(20)))"),
    ],
)  # fmt: skip
def test_secrets_in_a_script_are_masked(source: str, kept: str) -> None:
    assert masked_source(source, REDACT) == kept
    ast.parse(kept)


def test_what_is_no_python_is_redacted() -> None:
    assert masked_source("x = ('geheim'", REDACT) == "x = ('***'"
