"""new, renumber, baseline, repair and wait: what they write, and what they leave alone."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Thread

import pytest

from nonstop import maintenance, scripts
from nonstop.databases import open_database
from nonstop.descriptions.results import ChangeResult, State
from nonstop.errors import DatabaseUnreachable, Refused, UsageError, ValidationError
from tests.support.operations import Trial
from tests.support.scripts import edit, write_script

CREATE, DROP = 'op.create_table("t", Column("id", Integer))', 'op.drop_table("t")'


@pytest.fixture
def trial(sqlite_url: str, migrations: Path) -> Trial:
    return Trial(sqlite_url, migrations)


def changes(result: ChangeResult) -> list[tuple[str, str]]:
    return [(change.label, change.action) for change in result.changes]


def states(trial: Trial) -> list[State]:
    return [row.state for row in trial.runner.status().migrations]


def kinds(trial: Trial) -> list[str]:
    return [event.kind for event in trial.runner.events(50)]


# --- new ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        ([], "001_add_note.py"),
        (["001_a.py", "002_b.py"], "003_add_note.py"),
        (["0009_a.py"], "0010_add_note.py"),
        (["1_a.py"], "2_add_note.py"),
        (["99_a.py"], "100_add_note.py"),
    ],
)
def test_new_takes_the_next_number_as_wide_as_the_last(
    migrations: Path, existing: list[str], expected: str
) -> None:
    for name in existing:
        write_script(migrations, name)
    result = maintenance.new(migrations, "Add: note!")
    assert changes(result) == [(expected, f"created in {migrations}")]
    written = scripts.read(migrations / expected)
    assert scripts.examine(written) is None
    assert scripts.can_roll_back(written)
    assert "Add: note!" in written.text


def test_new_keeps_clear_of_a_file_that_can_not_be_read(migrations: Path) -> None:
    (migrations / "007_x.py").write_bytes(b"\xff")
    assert changes(maintenance.new(migrations, "y"))[0][0] == "008_y.py"


def test_new_never_overwrites_a_file_that_came_meanwhile(
    migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (migrations / "001_x.py").write_text("somebody else's")
    answers = iter(["001", "002"])
    monkeypatch.setattr(maintenance, "_next_digits", lambda folder: next(answers))
    assert changes(maintenance.new(migrations, "x"))[0][0] == "002_x.py"
    assert (migrations / "001_x.py").read_text() == "somebody else's"


def test_new_wants_letters_and_a_folder(migrations: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gives no file name"):
        maintenance.new(migrations, "!?")
    with pytest.raises(UsageError, match="no migrations folder"):
        maintenance.new(tmp_path / "nowhere", "x")
    with pytest.raises(UsageError, match="can't be written"):
        maintenance.new(migrations, "x" * 300)


# --- renumber -------------------------------------------------------------------------------------


def renumber(trial: Trial, name: str) -> ChangeResult:
    return maintenance.renumber(trial.folder, name, trial.runner.database, trial.runner.ledger())


@pytest.mark.parametrize("name", ["002_b.py", "002_b", "some/where/002_b.py"])
def test_renumber_moves_one_of_two_with_the_same_number(trial: Trial, name: str) -> None:
    write_script(trial.folder, "002_a.py")
    source = write_script(trial.folder, "002_b.py").read_text()
    result = renumber(trial, name)
    assert changes(result) == [("002_b.py", "is now 003_b.py")]
    assert result.notes == ("its text still says 002 here and there",)
    assert sorted(path.name for path in trial.folder.iterdir()) == ["002_a.py", "003_b.py"]
    assert (trial.folder / "003_b.py").read_text() == source


def test_renumber_by_number_only_where_it_is_clear(trial: Trial) -> None:
    write_script(trial.folder, "001_a.py")
    write_script(trial.folder, "002_b.py")
    write_script(trial.folder, "002_c.py")
    assert changes(renumber(trial, "1")) == [("001_a.py", "is now 003_a.py")]
    with pytest.raises(UsageError, match=r"could be any of 002_b\.py, 002_c\.py"):
        renumber(trial, "002")
    with pytest.raises(UsageError, match="there is no script 7"):
        renumber(trial, "7")


def test_renumber_leaves_an_applied_script_but_moves_its_newer_twin(trial: Trial) -> None:
    trial.script(CREATE, DROP, "001_a.py")
    trial.apply()
    with pytest.raises(ValidationError, match="its number is its identity"):
        renumber(trial, "001_a.py")
    write_script(trial.folder, "001_b.py")
    assert changes(renumber(trial, "001_b.py")) == [("001_b.py", "is now 002_b.py")]


# --- baseline -------------------------------------------------------------------------------------


def test_baseline_notes_without_running(trial: Trial) -> None:
    for number in (1, 2, 3):
        trial.script("raise AssertionError('was run')", name=f"00{number}_x.py")
    result = maintenance.baseline(trial.runner, 2)
    assert changes(result) == [("001_x", "noted as applied, not run"), ("002_x", "noted as applied, not run")]
    assert states(trial) == [State.BASELINE, State.BASELINE, State.PENDING]
    assert kinds(trial) == ["baseline", "baseline"]
    assert maintenance.baseline(trial.runner, 2).changes == ()


def test_baseline_wants_a_script_with_that_number(trial: Trial) -> None:
    with pytest.raises(UsageError, match="no script with the number 9"):
        maintenance.baseline(trial.runner, 9)


def test_a_baseline_can_be_rolled_back(trial: Trial) -> None:
    trial.script(CREATE, DROP)
    before = trial.look()
    trial.apply()
    trial.forget()
    maintenance.baseline(trial.runner, 1)
    trial.rollback()
    assert trial.look() == before


# --- repair ---------------------------------------------------------------------------------------


def test_repair_has_nothing_to_do_where_all_fits(trial: Trial) -> None:
    trial.script(CREATE, DROP)
    trial.apply()
    assert maintenance.repair(trial.runner).changes == ()
    assert kinds(trial) == ["apply"]


def test_repair_accepts_edits_and_names_and_forgets_what_is_gone(trial: Trial) -> None:
    for number in (1, 2, 3):
        trial.script("pass", name=f"00{number}_x.py")
    trial.apply()
    edit(trial.folder / "001_x.py", "pass", "return True")
    (trial.folder / "002_x.py").rename(trial.folder / "002_y.py")
    (trial.folder / "003_x.py").unlink()
    assert sorted(changes(maintenance.repair(trial.runner))) == [
        ("001_x", "accepted as it is now"),
        ("002_y", "accepted as it is now"),
        ("003_x", "its file is gone: forgotten; the database itself was not touched"),
    ]
    assert states(trial) == [State.APPLIED, State.APPLIED]
    assert kinds(trial)[-3:] == ["repair"] * 3
    assert maintenance.repair(trial.runner).changes == ()


def test_repair_marks_one_script_by_hand(trial: Trial) -> None:
    trial.script("raise AssertionError('was run')")
    assert changes(maintenance.repair(trial.runner, mark_applied=1)) == [
        ("001_x", "marked as applied, not run")
    ]
    assert states(trial) == [State.BASELINE]
    assert changes(maintenance.repair(trial.runner, mark_pending=1)) == [
        ("001_x", "marked as pending; the database itself was not touched")
    ]
    assert states(trial) == [State.PENDING]


@pytest.mark.parametrize("mark", ["mark_applied", "mark_pending"])
def test_repair_settles_an_interrupted_script(trial: Trial, mark: str) -> None:
    trial.raw(
        'with engine.begin() as c:\n    c.execute(text("CREATE TABLE t (id INTEGER)"))\n'
        'with engine.begin() as c:\n    c.execute(text("CREATE TABLE t (id INTEGER)"))'
    )
    assert trial.failure().exit_code == 7
    assert states(trial) == [State.INTERRUPTED]
    maintenance.repair(trial.runner, mark_applied=1) if mark == "mark_applied" else trial.forget(1)
    assert states(trial) == [State.BASELINE if mark == "mark_applied" else State.PENDING]


def test_repair_forgets_an_interrupted_script_whose_file_is_gone(trial: Trial) -> None:
    trial.raw(
        'with engine.begin() as c:\n    c.execute(text("CREATE TABLE t (id INTEGER)"))\n'
        'with engine.begin() as c:\n    c.execute(text("CREATE TABLE t (id INTEGER)"))'
    )
    assert trial.failure().exit_code == 7
    (trial.folder / "001_x.py").unlink()
    assert states(trial) == [State.INTERRUPTED]
    assert changes(maintenance.repair(trial.runner)) == [
        ("001_x", "its file is gone: forgotten; the database itself was not touched")
    ]
    assert states(trial) == []


def test_repair_that_is_not_confirmed_changes_nothing(trial: Trial) -> None:
    trial.script("pass")
    seen: list[ChangeResult] = []

    def refuse(shown: ChangeResult) -> None:
        seen.append(shown)
        raise Refused("not confirmed")

    with pytest.raises(Refused):
        maintenance.repair(trial.runner, mark_applied=1, confirm=refuse)
    assert seen[0].done is False
    assert states(trial) == [State.PENDING]


# --- wait -----------------------------------------------------------------------------------------


def test_wait_comes_back_at_once_where_the_database_answers(sqlite_url: str) -> None:
    maintenance.wait(open_database(sqlite_url), 0)


def test_wait_gives_up_and_says_why() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(DatabaseUnreachable):
        maintenance.wait(open_database(f"postgresql://u@127.0.0.1:{port}/d"), 0.01)


def test_wait_sees_a_database_that_comes_up_later(tmp_path: Path) -> None:
    """The file is damaged at first, and good as soon as somebody is told that we wait."""
    path = tmp_path / "late.db"
    path.write_bytes(b"this is no database" * 100)
    said: list[str] = []

    def comes_up(line: str) -> None:
        said.append(line)
        path.unlink()

    waiting = Thread(target=lambda: maintenance.wait(open_database(f"sqlite:///{path}"), 60, comes_up))
    waiting.start()
    waiting.join(timeout=30)
    assert not waiting.is_alive()
    assert len(said) == 1
    assert "waiting up to 60 s" in said[0]
