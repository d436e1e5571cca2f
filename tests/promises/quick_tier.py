"""The tests of the quick tier, as pytest itself selects them."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

from tests.docs.pages import ROOT
from tests.support import tiers


@cache
def quick_tests() -> tuple[str, ...]:
    """The node ids of the quick tier. Raises RuntimeError with what pytest says if they can't be collected."""
    chosen_for_this_run = (tiers.THOROUGHNESS, tiers.PART, "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER")
    environment = {name: value for name, value in os.environ.items() if name not in chosen_for_this_run}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests"]
    shown = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    if shown.returncode != 0:
        raise RuntimeError(
            f"{' '.join(command)} ended with {shown.returncode}:\n{shown.stdout}{shown.stderr}"
        )
    return tuple(line for line in shown.stdout.splitlines() if "::" in line)
