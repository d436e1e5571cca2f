"""The one place where the corpus calls ``check``."""

from __future__ import annotations

from pathlib import Path

from nonstop import settings
from nonstop.check.checking import CheckRequest
from nonstop.check.checking import check as nonstop_check
from nonstop.console import runner_for
from nonstop.databases import open_database
from nonstop.descriptions.promises import CheckResult
from nonstop.runner import Listener


def check(migrations: Path, url: str, against: Path | None) -> CheckResult:
    """What ``check`` finds out about the scripts in ``migrations`` that are not applied to the database at ``url``.

    ``against`` is the folder of the code that is running; None: what runs is derived from the schema.
    """
    loaded = settings.load({"url": url}, directory=migrations)
    runner = runner_for(loaded, open_database(loaded.url), Listener())
    request = CheckRequest(against=None if against is None else str(against))
    return nonstop_check(runner, request, lambda _: None)
