"""Where each setting comes from, and what is said of one that can't be."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nonstop import settings
from nonstop.errors import UsageError
from nonstop.settings import Settings

Load = Callable[..., Settings]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("NONSTOP_", "DATABASE_URL", "MIGRATION_DATABASE_URL")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def pyproject(folder: Path, *lines: str) -> None:
    (folder / "pyproject.toml").write_text("\n".join(["[tool.nonstop]", *lines]) + "\n")


# --- precedence -----------------------------------------------------------------------------------

SOURCES = ("flag", "environment", "env file", "pyproject")


@pytest.mark.parametrize("strongest", range(len(SOURCES)))
@pytest.mark.parametrize(
    ("name", "variable", "attribute"),
    [
        ("url", "DATABASE_URL", "url"),
        ("ledger_table", "NONSTOP_LEDGER_TABLE", "ledger_table"),
        ("ledger_schema", "NONSTOP_LEDGER_SCHEMA", "ledger_schema"),
        ("dir", "NONSTOP_DIR", "directory"),
    ],
)
def test_the_stronger_source_wins(
    name: str, variable: str, attribute: str, strongest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All sources from ``strongest`` on give a value that names its source."""
    flags: dict[str, str | None] = {"url": None}
    if strongest <= 0:
        flags[name] = "from_flag"
    if strongest <= 1:
        monkeypatch.setenv(variable, "from_environment")
    (tmp_path / ".env").write_text(f"{variable}=from_env_file\n" if strongest <= 2 else "")
    line = f'{name.replace("_", "-")} = "from_pyproject"'
    pyproject(tmp_path, line, "" if name == "url" else 'url = "sqlite:///x.db"')
    given = getattr(settings.load(flags), attribute)
    expected = ("from_flag", "from_environment", "from_env_file", "from_pyproject")[strongest]
    assert Path(given).name == expected if name == "dir" else given == expected


def test_the_defaults(tmp_path: Path) -> None:
    assert settings.load({"url": "sqlite:///x.db"}) == Settings(
        url="sqlite:///x.db",
        directory=tmp_path / "migrations",
        lock_timeout=60.0,
        deadline=None,
        blocking_budget=0.5,
        online_above=10 * 1024 * 1024,
        wait=0.0,
        ledger_table="nonstop",
        ledger_schema=None,
    )


def test_the_migrations_address_goes_before_the_application_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://pooler/d")
    monkeypatch.setenv("MIGRATION_DATABASE_URL", "postgresql://direct/d")
    assert settings.load({}).url == "postgresql://direct/d"


def test_the_environment_goes_before_the_env_file_whatever_the_variable_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("MIGRATION_DATABASE_URL=sqlite:///file.db\n")
    monkeypatch.setenv("DATABASE_URL", "sqlite:///environment.db")
    assert settings.load({}).url == "sqlite:///environment.db"


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGRATION_DATABASE_URL", "")
    monkeypatch.setenv("DATABASE_URL", "sqlite:///x.db")
    assert settings.load({}).url == "sqlite:///x.db"


def test_times_come_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NONSTOP_WAIT", "2m")
    loaded = settings.load({"url": "sqlite:///x.db", "lock_timeout": "500ms", "deadline": "1h"})
    assert (loaded.lock_timeout, loaded.deadline, loaded.wait) == (0.5, 3600.0, 120.0)


def test_without_an_address_it_says_what_to_set() -> None:
    with pytest.raises(UsageError, match="no database is named") as caught:
        settings.load({})
    assert "DATABASE_URL" in caught.value.next_step


# --- what an entry script knows -------------------------------------------------------------------


def test_the_entry_script_s_rule_has_the_last_word_on_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(url: str | None) -> str:
        return f"resolved:{url}"

    assert settings.load({}, resolve_url=resolve).url == "resolved:None"
    monkeypatch.setenv("DATABASE_URL", "sqlite:///x.db")
    assert settings.load({}, resolve_url=resolve).url == "resolved:sqlite:///x.db"


def test_an_error_of_that_rule_is_the_user_s_to_correct() -> None:
    def resolve(url: str | None) -> str:
        raise ValueError("no such scheme")

    with pytest.raises(UsageError, match="rejects the database URL: no such scheme"):
        settings.load({}, resolve_url=resolve)

    def refuse(url: str | None) -> str:
        raise UsageError("mine")

    with pytest.raises(UsageError, match=r"^mine$"):
        settings.load({}, resolve_url=refuse)


def test_the_entry_script_s_folder_and_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "backend.env").write_text("DATABASE_URL=sqlite:///from_backend.db\n")
    folder, file = tmp_path / "scripts", tmp_path / "backend.env"
    monkeypatch.setenv("NONSTOP_DIR", "elsewhere")
    assert settings.load({}, directory=folder, environment_file=file).url == "sqlite:///from_backend.db"
    assert settings.load({}, directory=folder, environment_file=file).directory == tmp_path / "scripts"
    assert (
        settings.load({"dir": "flag"}, directory=folder, environment_file=file).directory == tmp_path / "flag"
    )
    assert settings.load_directory({}, folder, file) == tmp_path / "scripts"


def test_a_named_env_file_replaces_the_others(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:///usual.db\nNONSTOP_LEDGER_TABLE=usual\n")
    (tmp_path / "other.env").write_text("DATABASE_URL=sqlite:///other.db\nNONSTOP_LEDGER_SCHEMA\n")
    loaded = settings.load({"env_file": "other.env"})
    assert (loaded.url, loaded.ledger_table, loaded.ledger_schema) == ("sqlite:///other.db", "nonstop", None)


def test_a_named_env_file_must_be_there() -> None:
    with pytest.raises(UsageError, match=r"there is no file gone\.env"):
        settings.load({"env_file": "gone.env"})


# --- pyproject.toml -------------------------------------------------------------------------------


def test_pyproject_is_found_from_below_and_its_folder_is_relative_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pyproject(tmp_path, 'dir = "db/scripts"', 'url = "sqlite:///x.db"', "lock-timeout = 5")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    loaded = settings.load({})
    assert (loaded.directory, loaded.lock_timeout) == (tmp_path / "db" / "scripts", 5.0)


def test_the_pyproject_above_the_named_folder_counts(tmp_path: Path) -> None:
    (tmp_path / "project" / "scripts").mkdir(parents=True)
    pyproject(tmp_path / "project", 'url = "sqlite:///x.db"')
    assert settings.load({"dir": "project/scripts"}).url == "sqlite:///x.db"


@pytest.mark.parametrize(
    "text",
    [
        "[tool.other]\nx = 1\n",
        "# [tool.nonstop] is described elsewhere\n",
        "[tool]\nnonstop = 3\n# [tool.nonstop]\n",
    ],
)
def test_a_pyproject_of_others_says_nothing_to_us(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert settings.load({"url": "sqlite:///x.db"}).directory == tmp_path / "migrations"


def test_a_broken_pyproject_is_named(tmp_path: Path) -> None:
    pyproject(tmp_path, "dir = ")
    with pytest.raises(UsageError, match=r"pyproject\.toml can't be read"):
        settings.load({"url": "sqlite:///x.db"})


def test_url_function_is_asked_with_what_was_configured(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text(
        "from pathlib import Path\nHERE = Path(__file__).parent\n"
        "def resolve(url):\n    return url or f'sqlite:///{HERE / \"default.db\"}'\n"
    )
    pyproject(tmp_path, 'url-function = "config.py:resolve"')
    assert settings.load({}).url == f"sqlite:///{tmp_path / 'default.db'}"
    assert settings.load({"url": "sqlite:///x.db"}).url == "sqlite:///x.db"


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("gone.py:resolve", "FileNotFoundError"),
        ("config.py:gone", "AttributeError"),
        ("config.py", "Error"),
        ("broken.py:resolve", "ZeroDivisionError"),
    ],
)
def test_a_url_function_that_can_t_be_used_is_named(tmp_path: Path, named: str, reason: str) -> None:
    (tmp_path / "config.py").write_text("def resolve(url): return url\n")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    pyproject(tmp_path, f'url-function = "{named}"')
    with pytest.raises(UsageError, match=f"url-function in .*{reason}"):
        settings.load({"url": "sqlite:///x.db"})


# --- durations ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60", 60),
        ("60s", 60),
        (" 1.5 s ", 1.5),
        ("500ms", 0.5),
        ("2m", 120),
        ("2min", 120),
        ("1h", 3600),
        ("0", 0),
    ],
)
def test_a_duration(text: str, seconds: float) -> None:
    assert settings.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "1d", "1 2", "s", "1,5s", "infs", "nan"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="is not a duration"):
        settings.seconds(text)
