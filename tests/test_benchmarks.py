"""The benchmarks run: on nonstop alone, on few scripts, and without a look at the clock."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.commands import CommandLine
from tests.support.postgres_server import GIVEN_URL, Server

ROOT = Path(__file__).resolve().parents[1]


def test_a_quick_run_measures_nonstop_and_writes_json(tmp_path: Path) -> None:
    bench = CommandLine(home=tmp_path, folder=ROOT)
    done = bench.python(
        "-m",
        "benchmarks",
        "--quick",
        "--database",
        "sqlite",
        "--only",
        "nonstop",
        "Felix Hub",
        "--results",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr

    (file,) = tmp_path.glob("*.json")
    scenarios = json.loads(file.read_text())["scenarios"]
    assert [scenario["action"] for scenario in scenarios] == ["apply", *["apply", "status"] * 3]
    assert [scenario["from_nothing"] for scenario in scenarios] == [True] + [False] * 6
    for scenario in scenarios:
        tools = {"nonstop", "Felix Hub"} if scenario["scripts"] == 2 else {"nonstop"}
        assert set(scenario["tools"]) == tools
        assert scenario["title"] in done.stdout


def test_a_tool_that_does_not_exist_is_named(tmp_path: Path) -> None:
    done = CommandLine(home=tmp_path, folder=ROOT).python("-m", "benchmarks", "--only", "nothing")
    assert done.returncode == 2
    assert "there is no tool nothing" in done.stderr


def test_row_updates_in_small_run_as_plain_python_and_under_nonstop(tmp_path: Path) -> None:
    arguments = ("-m", "benchmarks.row_updates", "--quick", "--database", "sqlite", "--results", tmp_path)
    done = CommandLine(home=tmp_path, folder=ROOT).python(*arguments)
    assert done.returncode == 0, done.stderr

    (file,) = tmp_path.glob("row-updates-*.json")
    (scenario,) = json.loads(file.read_text())["scenarios"]
    assert scenario["title"] == "SQLite: 200 row-wise UPDATEs in one transaction"
    assert set(scenario["tools"]) == {"plain Python", "nonstop"}


@pytest.mark.thorough
def test_live_traffic_in_small_loses_nothing_and_draws_a_picture(
    postgres_server: Server, tmp_path: Path
) -> None:
    done = CommandLine(home=tmp_path, folder=ROOT).python(
        "-m", "benchmarks.live_traffic", "--quick", "--only", "op", "--results", tmp_path,
        env={GIVEN_URL: postgres_server.url},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

    (file,) = tmp_path.glob("live-traffic-*.json")
    document = json.loads(file.read_text())
    assert [(run["tool"], run["surroundings"]) for run in document["runs"]] == [
        (tool, surroundings) for surroundings in ("alone", "reader", "busy") for tool in ("nothing", "op")
    ]
    for run in document["runs"]:
        assert run["succeeded"]
        assert run["errors"] == 0
        assert run["transactions"] > 10
        assert len(run["longest_ms_by_slice"]) > 5
        assert (run["longest_long_ms"] is not None) == (run["surroundings"] == "busy")
    assert {promise["about"] for promise in document["promises"]} == {"not migrated", "errors"}
    if find_spec("matplotlib") is None:
        assert "pip install matplotlib" in done.stderr
    else:
        assert file.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_misbehaving_scripts_in_small_cause_no_errors(postgres_server: Server, tmp_path: Path) -> None:
    cases = ("swallowed", "op.execute", "4 DROP COLUMN")
    done = CommandLine(home=tmp_path, folder=ROOT).python(
        "-m", "benchmarks.live_traffic", "--misbehaving", "--quick", "--only", *cases, "--results", tmp_path,
        env={GIVEN_URL: postgres_server.url},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

    (file,) = tmp_path.glob("misbehaving-*.json")
    document = json.loads(file.read_text())
    assert [run["tool"] for run in document["runs"]] == ["nothing", *cases]
    assert {promise["about"] for promise in document["promises"]} == {"errors", "exit code"}


def test_live_traffic_names_a_tool_that_does_not_exist(tmp_path: Path) -> None:
    arguments = ("-m", "benchmarks.live_traffic", "--only", "nothing")
    done = CommandLine(home=tmp_path, folder=ROOT).python(*arguments)
    assert done.returncode == 2
    assert "there is no tool nothing" in done.stderr
