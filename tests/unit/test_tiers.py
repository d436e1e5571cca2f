"""The quick tier leaves out what its markers say, the thorough tier nothing, and the parts of a tier share its tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import tiers

ROOT = Path(__file__).resolve().parents[2]
HOOK = """
from tests.support import tiers

def pytest_collection_modifyitems(items):
    tiers.select(items)
"""
TESTS = """
import pytest

def test_plain(): ...

@pytest.mark.thorough
def test_left_out(): ...

@pytest.mark.thorough("postgresql")
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_in_part(database): ...

@pytest.mark.repetitive(2)
@pytest.mark.parametrize("case", range(5))
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_again(database, case): ...

@pytest.mark.long
def test_long(): ...
"""
QUICK = [
    "test_long", "test_plain", "test_in_part[sqlite]",
    "test_again[sqlite-0]", "test_again[sqlite-3]", "test_again[postgresql-0]", "test_again[postgresql-3]",
]  # fmt: skip


def collected(folder: Path, **variables: str) -> list[str]:
    """The names of the tests that a run contains, in the order in which they start."""
    (folder / "conftest.py").write_text(HOOK)
    (folder / "test_some.py").write_text(TESTS)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NONSTOP_TEST")}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    shown = subprocess.run(
        [*command, "--rootdir", folder, "-c", os.devnull, folder],
        env={**environment, "PYTHONPATH": str(ROOT), **variables},
        cwd=folder, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    return re.findall(r"::(\S+)", shown.stdout)


def test_the_quick_tier_leaves_out_what_the_markers_say(tmp_path: Path) -> None:
    assert collected(tmp_path) == QUICK


def test_the_thorough_tier_contains_every_test(tmp_path: Path) -> None:
    everything = collected(tmp_path, NONSTOP_TEST_THOROUGHNESS="1")
    assert len(everything) == 15
    assert set(QUICK) < set(everything)
    assert everything[0] == "test_long"


def test_each_test_belongs_to_one_part(tmp_path: Path) -> None:
    parts = [
        collected(tmp_path, NONSTOP_TEST_THOROUGHNESS="1", NONSTOP_TEST_PART=f"{number}/3")
        for number in (1, 2, 3)
    ]
    assert all(parts)
    shared = sorted(name for part in parts for name in part)
    assert shared == sorted(collected(tmp_path, NONSTOP_TEST_THOROUGHNESS="1"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [(tiers.THOROUGHNESS, "much"), (tiers.PART, "0/6"), (tiers.PART, "7/6"), (tiers.PART, "third")],
)
def test_what_makes_no_sense_is_an_error(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(pytest.UsageError, match=f"{variable}={value}: use"):
        tiers.describe()


def test_repetitions_follow_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for value in ("0", "1", "10"):
        monkeypatch.setenv(tiers.THOROUGHNESS, value)
        found.append(tiers.times(quick=3, thorough=20))
    assert found == [3, 20, 200]
