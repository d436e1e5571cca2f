"""What ``apply()`` and ``rollback()`` return: True or nothing means done, everything else is an error, never "applied"."""

from __future__ import annotations

import pytest

from tests.support.fingerprint import fingerprint
from tests.support.forked import ForkServer
from tests.support.projects import Project
from tests.support.scripts import edit, write_script
from tests.support.snapshots import applied

NOTES = "CREATE TABLE notes (id INTEGER)"
SENT = f'with db.engine.begin() as c:\n    c.execute(text("{NOTES}"))\n'
NOT_DONE = {
    "0": "returned 0, which does not say",
    "1": "returned 1, which does not say",
    "'failed'": "returned 'failed', which does not say",
    "[]": "returned [], which does not say",
    "object": "returned <class 'object'>, which does not say",
    "'x' * 500": "x…, which does not say",
}


@pytest.mark.parametrize("value", NOT_DONE)
def test_what_is_neither_true_nor_none_is_an_error(
    light_project: Project, forks: ForkServer, value: str
) -> None:
    write_script(light_project.migrations, "001_x.py", f"return {value}")
    ended = forks.run("apply", "--dir", light_project.migrations, env=light_project.environment)
    assert ended.returncode == 1, ended.output
    assert "001_x.py: apply() returned" in ended.output
    assert NOT_DONE[value] in ended.output
    assert "Next: return True when it is done" in ended.output
    assert applied(light_project.url) == []


def test_a_generator_runs_nothing_and_says_so(light_project: Project, forks: ForkServer) -> None:
    write_script(light_project.migrations, "001_x.py", f"{SENT}yield 1")
    ended = forks.run("apply", "--dir", light_project.migrations, env=light_project.environment)
    assert ended.returncode == 1, ended.output
    assert "001_x.py: apply() contains a yield, so calling it runs none of its lines" in ended.output
    assert applied(light_project.url) == []
    assert fingerprint(light_project.url)["tables"] == {}


@pytest.mark.parametrize("written", ["async def", "returned"])
def test_a_coroutine_is_run_to_its_end(light_project: Project, forks: ForkServer, written: str) -> None:
    """It may be the function itself, or what the function returns."""
    if written == "async def":
        path = write_script(light_project.migrations, "001_x.py", f"{SENT}return True", "return True")
        edit(path, "def apply", "async def apply")
    else:
        body = SENT.replace("\n", "\n    ").rstrip()
        write_script(light_project.migrations, "001_x.py", f"async def work():\n    {body}\nreturn work()")
    ended = forks.run("apply", "--dir", light_project.migrations, env=light_project.environment)
    assert ended.returncode == 0, ended.output
    assert applied(light_project.url) == [1]
    assert list(fingerprint(light_project.url)["tables"]) == ["notes"]


def test_what_a_coroutine_returns_counts(light_project: Project, forks: ForkServer) -> None:
    path = write_script(light_project.migrations, "001_x.py", "return 0")
    edit(path, "def apply", "async def apply")
    ended = forks.run("apply", "--dir", light_project.migrations, env=light_project.environment)
    assert ended.returncode == 1, ended.output
    assert "apply() returned 0, which does not say" in ended.output


def test_an_error_of_a_coroutine_is_the_scripts(light_project: Project, forks: ForkServer) -> None:
    path = write_script(light_project.migrations, "001_x.py", "raise ValueError('no such price')")
    edit(path, "def apply", "async def apply")
    ended = forks.run("apply", "--dir", light_project.migrations, env=light_project.environment)
    assert ended.returncode == 1, ended.output
    assert "001_x failed: ValueError: no such price" in ended.output


@pytest.mark.parametrize("value", ["0", "'failed'"])
def test_rollback_is_judged_like_apply(light_project: Project, forks: ForkServer, value: str) -> None:
    write_script(light_project.migrations, "001_x.py", "return True", f"return {value}")
    assert (
        forks.run("apply", "--dir", light_project.migrations, env=light_project.environment).returncode == 0
    )
    ended = forks.run("rollback", "--yes", "--dir", light_project.migrations, env=light_project.environment)
    assert ended.returncode == 1, ended.output
    assert f"rollback() returned {value}, which does not say" in ended.output
    assert applied(light_project.url) == [1]
