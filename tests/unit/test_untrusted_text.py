"""What comes from scripts, addresses and databases: secrets are masked, control characters shown escaped, titles are text."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from nonstop import maintenance
from nonstop.console import Console
from nonstop.databases.url import DatabaseUrl, hide_credentials


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("CREATE USER app PASSWORD 'geheim'", "CREATE USER app PASSWORD '***'"),
        (
            "ALTER ROLE app WITH ENCRYPTED PASSWORD 'ge''heim' LOGIN",
            "ALTER ROLE app WITH ENCRYPTED PASSWORD '***' LOGIN",
        ),
        ("OPTIONS (user 'app', password 'geheim')", "OPTIONS (user 'app', password '***')"),
        ("dblink('host=h password=geheim user=u')", "dblink('host=h password=*** user=u')"),
        ("CONNECTION 'host=h password=geheim'", "CONNECTION 'host=h password=***'"),
        ("PASSWORD $x$geheim$x$", "PASSWORD ***"),
        ("{'password': 'geheim', 'user': 'u'}", "{'password': '***', 'user': 'u'}"),
        ('{"password": "geheim"}', '{"password": "***"}'),
        ("UPDATE users SET password = 'geheim'", "UPDATE users SET password = '***'"),
        ("ALTER ROLE app PASSWORD NULL", "ALTER ROLE app PASSWORD NULL"),
        ("ADD COLUMN password VARCHAR(20) DEFAULT 'x'", "ADD COLUMN password VARCHAR(20) DEFAULT 'x'"),
        ("the password is wrong, 'user' is right", "the password is wrong, 'user' is right"),
    ],
)
def test_a_password_in_sql_is_masked(text: str, shown: str) -> None:
    assert hide_credentials(text) == shown


@pytest.mark.parametrize("password", ["pass", "table", "e a", "x.y"])
def test_a_password_is_masked_as_a_whole_and_not_within_words(password: str) -> None:
    url = DatabaseUrl.parse(f"postgresql://user:{password.replace(' ', '%20')}@host/db")
    words = "the deadline has passed; CREATE TABLE passengers; unstable; sure as; x.yz"
    assert url.redact(words) == words
    assert url.redact(f"it is '{password}'.") == "it is '***'."


def test_control_characters_reach_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console._print(["a \x1b[2Jtable\x07 and \x9b1m\r", "\tone line more"])
    console._note("\x1b]0;title\x07")
    shown = capsys.readouterr()
    assert shown.out == "a \\x1b[2Jtable\\x07 and \\x9b1m\\x0d\n\tone line more\n"
    assert shown.err == "\\x1b]0;title\\x07\n"


@pytest.mark.parametrize(
    "title", ['a"""\nimport os; os.abort()  # """', "back\\", 'quoted"', "a\\x41", "two\nlines"]
)
def test_a_title_is_no_code(tmp_path: Path, title: str) -> None:
    (change,) = maintenance.new(tmp_path, title).changes
    (harmless,) = maintenance.new(tmp_path, "harmless").changes
    source, usual = ((tmp_path / one.label).read_text(encoding="utf-8") for one in (change, harmless))
    assert len(ast.parse(source).body) == len(ast.parse(usual).body)
    assert len(source.splitlines()) == len(usual.splitlines())
