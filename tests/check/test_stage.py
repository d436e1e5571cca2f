"""The stage: each act in a process of its own, whatever becomes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nonstop.check.stage import Stage
from nonstop.databases import open_database
from tests.support.waiting import until

STAGE_OF_ANOTHER = """
import sys, time
from nonstop.check.stage import Stage
from nonstop.databases import open_database
ground = open_database(sys.argv[1]).rehearsals.ground(None)
stage = Stage(ground)
print(stage.start(time.sleep, 3600).pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def stage(sqlite_url: str) -> Iterator[Stage]:
    with open_database(sqlite_url).rehearsals.ground(None) as ground, Stage(ground) as stage:
        yield stage


def test_an_act_answers(stage: Stage) -> None:
    assert stage.perform(divmod, 17, 5).answer == (3, 2)


def test_an_act_is_a_process_of_its_own(stage: Stage) -> None:
    pids = {stage.perform(os.getpid).answer for _ in range(3)}
    assert len(pids) == 3
    assert os.getpid() not in pids


def test_an_error_is_told(stage: Stage) -> None:
    assert stage.perform(divmod, 1, 0).error.startswith("ZeroDivisionError")


def test_exit_is_told_too(stage: Stage) -> None:
    assert stage.perform(sys.exit, 3).error == "SystemExit: 3"


def test_a_killed_act_is_known_as_such(stage: Stage) -> None:
    assert stage.perform(signal.raise_signal, signal.SIGKILL).was_killed


def test_the_stage_goes_on_after_a_killed_act(stage: Stage) -> None:
    stage.perform(signal.raise_signal, signal.SIGKILL)
    assert stage.perform(abs, -1).answer == 1


def test_an_act_that_hangs_is_ended(stage: Stage) -> None:
    running = stage.start(time.sleep, 3600)
    assert "ended after" in running.wait(seconds=0.2).error
    until(lambda: not _is_alive(running.pid))


def test_acts_run_beside_each_other(stage: Stage, tmp_path: Path) -> None:
    """The first ends only when the second has begun."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    first = stage.start(gate.read_text)
    second = stage.start(gate.write_text, "open")
    assert (second.wait().answer, first.wait().answer) == (4, "open")


def test_what_a_script_prints_goes_nowhere_near_our_output(
    stage: Stage, capfd: pytest.CaptureFixture
) -> None:
    stage.perform(print, "noise")
    assert capfd.readouterr() == ("", "")


def test_an_act_can_wait_for_children_of_its_own(stage: Stage) -> None:
    assert stage.perform(os.system, "exit 3").answer == 3 << 8


def test_preloaded_modules_are_there_for_the_next_act(stage: Stage) -> None:
    stage.preload(["colorsys", "there_is_no_such_module"])
    assert stage.perform(eval, "'colorsys' in __import__('sys').modules").answer


def test_the_environment_has_no_address_of_the_target(
    stage: Stage, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    with open_database(sqlite_url).rehearsals.ground(None) as ground, Stage(ground) as other:
        assert other.perform(os.getenv, "DATABASE_URL").answer is None


def test_when_the_parent_is_killed_nothing_stays(sqlite_url: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", STAGE_OF_ANOTHER, sqlite_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    )
    with parent:
        assert parent.stdout is not None
        act = int(parent.stdout.readline())
        assert _is_alive(act)
        parent.kill()
    until(lambda: not _is_alive(act))


def test_an_act_whose_stage_was_gone_before_it_began_does_not_begin() -> None:
    begin = "import os; from nonstop.check.stagehand import die_with; die_with({}); print('begins')"
    ends = [
        subprocess.run([sys.executable, "-c", begin.format(parent)], capture_output=True, encoding="utf-8")
        for parent in ("os.getppid()", "os.getpid()")
    ]
    assert [(end.returncode, end.stdout) for end in ends] == [(0, "begins\n"), (1, "")]


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_other_variables_that_named_the_target_name_the_scratch_database(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_DB", sqlite_url.replace("sqlite:", "sqlite+pysqlite:"))
    with open_database(sqlite_url).rehearsals.ground(None) as ground, Stage(ground) as other:
        assert other.perform(os.getenv, "SHOP_DB").answer is None
        told = "__import__('nonstop.check.stagehand').check.stagehand.work_on('sqlite:////tmp/scratch.db')"
        seen = other.perform(eval, f"[{told}, __import__('os').environ['SHOP_DB']]").answer
    assert seen == [None, "sqlite+pysqlite:////tmp/scratch.db"]
