"""What differs on a terminal: tables and colours, and questions before what can't be taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.operations import Trial
from tests.support.terminal import Seen, on_terminal

Terminal = Callable[..., Seen]
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def trial(sqlite_url: str, migrations: Path) -> Trial:
    trial = Trial(sqlite_url, migrations)
    for number in (1, 2):
        trial.script(
            f'op.create_table("t{number}", Column("id", Integer))',
            f'op.drop_table("t{number}")',
            f"00{number}_x.py",
        )
    return trial


@pytest.fixture
def terminal(trial: Trial, tmp_path: Path) -> Terminal:
    home = tmp_path / "home"
    home.mkdir()

    def run(*arguments: str, **options: object) -> Seen:
        return on_terminal(*arguments, "--dir", trial.folder, "--url", trial.url, home=home, **options)  # type: ignore[arg-type]

    return run


def plain(seen: Seen) -> str:
    return ESCAPE.sub("", seen.screen)


def colours(seen: Seen) -> bool:
    """Whether anything is coloured; bold and dim are no colours."""
    return re.search(r"\x1b\[(\d+;)*(3[0-8]|9[0-7])[;m]", seen.screen) is not None


# --- tables and colours ---------------------------------------------------------------------------


def test_status_is_a_coloured_table(trial: Trial, terminal: Terminal) -> None:
    trial.apply()
    (trial.folder / "001_x.py").unlink()
    trial.script("pass", name="003_x.py")
    seen = terminal("status")
    assert seen.returncode == 0
    assert colours(seen)
    lines = plain(seen).splitlines()
    assert lines[0].startswith("Database  sqlite:///")
    assert lines[1].split() == ["#", "migration", "state"]
    assert lines[2].split()[:4] == ["001", "x", "missing", "file"]
    assert lines[3].split()[:3] == ["002", "x", "applied"]
    assert lines[4].split() == ["003", "x", "pending"]
    assert "Problem: 001_x is applied, but its file is gone." in plain(seen)
    assert "2 applied, 1 pending, 1 problem." in plain(seen)


def test_status_without_migrations_is_no_empty_table(trial: Trial, terminal: Terminal) -> None:
    for path in trial.folder.glob("*.py"):
        path.unlink()
    assert "No migrations yet." in plain(terminal("status"))


@pytest.mark.parametrize("command", ["status", "apply", "--help"])
def test_no_color_means_no_colour(terminal: Terminal, command: str) -> None:
    assert not colours(terminal(command, NO_COLOR="1"))


def test_json_is_json_on_a_terminal_too(terminal: Terminal) -> None:
    seen = terminal("status", "--json")
    assert not colours(seen)
    assert '"schema": 1' in seen.screen


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--help",), ["Commands", "Options", "apply", "rollback", "renumber", "--env-file"]),
        (
            ("apply", "--help"),
            ["Usage:", "Run all pending migrations, in order.", "--lock-timeout", "--out-of-order"],
        ),
        (("rollback", "--help"), ["--last-run", "--yes"]),
    ],
)
def test_help_has_every_word_of_it(terminal: Terminal, arguments: tuple[str, ...], says: list[str]) -> None:
    seen = terminal(*arguments)
    assert seen.returncode == 0
    for words in says:
        assert words in plain(seen)


def test_apply_says_each_script_and_the_total(terminal: Terminal) -> None:
    seen = terminal("apply")
    assert seen.returncode == 0
    assert "001_x: applied in" in plain(seen)
    assert "Done: 2 applied in" in plain(seen)


def test_what_a_script_prints_and_a_failure_stay_readable(trial: Trial, terminal: Terminal) -> None:
    trial.script("print('said by the script')\nraise ValueError('oh no')", name="003_x.py")
    seen = terminal("apply")
    assert seen.returncode == 1
    assert "said by the script" in plain(seen)
    assert "Error: 003_x failed: ValueError: oh no" in plain(seen)


# --- questions ------------------------------------------------------------------------------------


def test_rollback_shows_what_it_will_do_and_asks(trial: Trial, terminal: Terminal) -> None:
    before = trial.look()
    trial.apply()
    seen = terminal("rollback", answers=(("Continue?", "y\n"),))
    assert seen.returncode == 0
    shown = plain(seen)
    assert (
        shown.index("Will roll back 2, newest first:")
        < shown.index("002_x")
        < shown.index("001_x")
        < shown.index("Continue?")
    )
    assert trial.look() == before


@pytest.mark.parametrize("answer", ["n\n", "\n"])
def test_no_is_no(trial: Trial, terminal: Terminal, answer: str) -> None:
    trial.apply()
    before, events = trial.look(), trial.runner.events(50)
    seen = terminal("rollback", answers=(("Continue?", answer),))
    assert seen.returncode == 8
    assert "not confirmed; nothing was changed" in plain(seen)
    assert "Next: answer y, or pass --yes" in plain(seen)
    assert trial.look() == before
    assert trial.runner.events(50) == events


def test_ctrl_c_at_the_question_is_no(trial: Trial, terminal: Terminal) -> None:
    trial.apply()
    before = trial.look()
    seen = terminal("rollback", answers=(("Continue?", "\x04"),))
    assert seen.returncode == 130
    assert trial.look() == before


@pytest.mark.parametrize("flag", ["--yes", "-y", "--json"])
def test_what_is_not_asked(trial: Trial, terminal: Terminal, flag: str) -> None:
    trial.apply()
    seen = terminal("rollback", flag)
    assert seen.returncode == 0
    assert "Continue?" not in seen.screen


def test_with_nothing_to_undo_there_is_no_question(terminal: Terminal) -> None:
    seen = terminal("rollback")
    assert seen.returncode == 0
    assert "Nothing to roll back" in plain(seen)


@pytest.mark.parametrize(("answer", "exit_code", "after"), [("y\n", 0, "baseline"), ("n\n", 8, "pending")])
def test_repair_asks_too(trial: Trial, terminal: Terminal, answer: str, exit_code: int, after: str) -> None:
    seen = terminal("repair", "--mark-applied", "1", answers=(("Change the ledger so?", answer),))
    assert seen.returncode == exit_code
    assert "001_x: marked as applied, not run" in plain(seen)
    assert trial.runner.status().migrations[0].state.value == after
