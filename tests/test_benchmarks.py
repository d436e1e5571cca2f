"""The benchmarks run: on nonstop alone, on few scripts, and without a look at the clock."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.commands import CommandLine

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
